package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// recordTable is a table whose rows the audit log can vouch for.
type recordTable struct {
	name string
	what string // a row of it is, for people
	id   string // names a row, in SQL
	// Columns whose values the entry holds that announces a row, and those of the entry that ends it.
	intent, ending []string
	open           []string // values of ending as long as there is no such entry
}

// recordTables gives them all. What no entry holds (times at which things happened, names of groups, findings, clocks,
// first sightings, copies of feeds) cannot be compared.
func recordTables() []recordTable {
	none := func(n int) []string { return slices.Repeat([]string{""}, n) }
	return []recordTable{
		{
			name: "sweeps", what: "sweep", id: "id",
			intent: []string{"account", "account_id", "origin", "actor", "mode", "acting", "policy_hash"},
			ending: []string{
				"interrupted", "finished <> 0", "complete", "group_count", "rule_count", "finding_count", "revocation_count",
			},
			open: slices.Repeat([]string{"0"}, 7),
		},
		{
			name: "revocations", what: "revocation", id: "id",
			intent: []string{
				"sweep", "account", "region", "group_id", "rule", "rule_id", "rule_key", "content_key", "protocol", "destination",
				"origin", "actor", "effect_class", "effect",
			},
			ending: []string{"outcome", "attribution", "detail"}, open: none(3),
		},
		{
			name: "revocation_policies", what: "policy of revocation", id: "revocation || '/' || position",
			intent: []string{"policy", "hash"},
		},
		{
			name: "calls", what: "call", id: "id",
			intent: []string{"action", "account", "region", "group_id", "parameters", "token", "deadline"},
			ending: []string{"state", "class", "code", "request_id", "detail"},
			open:   append([]string{string(revoker.CallRecorded)}, none(4)...),
		},
		{name: "call_items", what: "item of call", id: "call || '/' || position", intent: []string{"item"}},
		{
			name: "restores", what: "restore", id: "id",
			intent: []string{"revocation", "account", "region", "group_id", "content_key", "rule", "hold_until", "actor"},
			ending: []string{"outcome", "rule_id", "detail"}, open: none(3),
		},
		{
			name: "switches", what: "state of switch", id: "id",
			ending: []string{"armed", "paused", "reason", "actor", "since"}, open: []string{"0", "0", "", "", "0"},
		},
		{
			name: "set_uses", what: "set", id: "set_key",
			intent: []string{"name", "place", "sha256", "elements", "addresses", "at", "actor"},
		},
		{name: "policy_files", what: "policy file", id: "hash || '/' || position", intent: []string{"name", "sha256"}},
	}
}

// recordKey names a row.
type recordKey struct{ table, id string }

// theSwitches is the one row that is there from the start.
func theSwitches() recordKey { return recordKey{"switches", "1"} }

// statement is what an entry says about a row: the values of the columns of its intent, or of its ending.
type statement struct {
	key    recordKey
	ending bool
	values []string
}

// entryData has the fields of all kinds of entries.
type entryData struct {
	Sweep      string `json:"sweep"`
	Revocation string `json:"revocation"`
	Call       string `json:"call"`
	Restore    string `json:"restore"`

	AccountID   string `json:"accountId"`
	Origin      string `json:"origin"`
	Mode        string `json:"mode"`
	Acting      bool   `json:"acting"`
	PolicyHash  string `json:"policyHash"`
	Complete    bool   `json:"complete"`
	Groups      int    `json:"groups"`
	Rules       int    `json:"rules"`
	Findings    int    `json:"findings"`
	Revocations int    `json:"revocations"`

	EffectClass string `json:"effectClass"`
	Effect      string `json:"effect"`

	Region   string          `json:"region"`
	Group    string          `json:"group"`
	Rule     json.RawMessage `json:"rule"`
	Policies []causeData     `json:"policies"`

	Action     string          `json:"action"`
	Carries    []string        `json:"carries"`
	Parameters json.RawMessage `json:"parameters"`
	Token      string          `json:"clientToken"`
	Deadline   time.Time       `json:"deadline"`
	HoldUntil  time.Time       `json:"holdUntil"`

	State       string `json:"state"`
	Class       string `json:"class"`
	Code        string `json:"code"`
	RequestID   string `json:"requestId"`
	Outcome     string `json:"outcome"`
	Attribution string `json:"attribution"`
	RuleID      string `json:"ruleId"`
	Detail      string `json:"detail"`
	Reason      string `json:"reason"`

	Key       string          `json:"key"`
	Name      string          `json:"name"`
	Place     string          `json:"place"`
	SHA256    string          `json:"sha256"`
	Elements  int             `json:"elements"`
	Addresses json.RawMessage `json:"addresses"`
	Files     []fileData      `json:"files"`
}

// statements gives what an entry says about rows. A pause leaves a store as armed as it was before.
func (e *Entry) statements(armed bool) ([]statement, error) {
	var d entryData
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return nil, fmt.Errorf("reading entry %d of the audit log: %w", e.Seq, err)
	}
	switch e.Kind {
	case KindSweepStarted:
		return says("sweeps", d.Sweep, false,
			e.Account, d.AccountID, d.Origin, e.Actor, d.Mode, flag(d.Acting), d.PolicyHash), nil
	case KindSweep:
		return says("sweeps", d.Sweep, true, "0", "1", flag(d.Complete), strconv.Itoa(d.Groups), strconv.Itoa(d.Rules),
			strconv.Itoa(d.Findings), strconv.Itoa(d.Revocations)), nil
	case KindInterrupted:
		return says("sweeps", d.Sweep, true, "1", "0", "0", "0", "0", "0", "0"), nil
	case KindRevocation:
		return e.revocationStatements(&d)
	case KindOutcome, KindAmended:
		return says("revocations", d.Revocation, true, d.Outcome, d.Attribution, d.Detail), nil
	case KindCall:
		return e.callStatements(&d), nil
	case KindAnswer:
		return says("calls", d.Call, true, d.State, d.Class, d.Code, d.RequestID, d.Detail), nil
	case KindRestore:
		rule, err := ruleFrom(string(d.Rule))
		return says("restores", d.Restore, false, d.Revocation, e.Account, d.Region, d.Group, rule.ContentKey(), string(d.Rule),
			number(micros(d.HoldUntil)), e.Actor), err
	case KindRestored:
		return says("restores", d.Restore, true, d.Outcome, d.RuleID, d.Detail), nil
	case KindPaused, KindResumed:
		k := theSwitches()
		return says(k.table, k.id, true, flag(armed || e.Kind == KindResumed), flag(e.Kind == KindPaused), d.Reason, e.Actor,
			number(micros(e.Time))), nil
	case KindSetUsed, KindSetAccepted:
		return says("set_uses", d.Key, false, d.Name, d.Place, d.SHA256, strconv.Itoa(d.Elements), string(d.Addresses),
			number(micros(e.Time)), e.Actor), nil
	case KindPolicies:
		var list []statement
		for i, f := range d.Files {
			list = append(list, says("policy_files", d.PolicyHash+"/"+strconv.Itoa(i), false, f.Name, f.SHA256)...)
		}
		return list, nil
	}
	return nil, nil
}

func (e *Entry) revocationStatements(d *entryData) ([]statement, error) {
	rule, err := ruleFrom(string(d.Rule))
	list := says("revocations", d.Revocation, false, d.Sweep, e.Account, d.Region, d.Group, string(d.Rule), rule.ID, rule.Key(),
		rule.ContentKey(), protocolLabel(rule.Protocol), string(rule.Destination.Kind), d.Origin, e.Actor,
		d.EffectClass, d.Effect)
	for i, c := range d.Policies {
		list = append(list, says("revocation_policies", d.Revocation+"/"+strconv.Itoa(i), false, c.Policy, c.Hash)...)
	}
	return list, err
}

func (e *Entry) callStatements(d *entryData) []statement {
	list := says("calls", d.Call, false, d.Action, e.Account, d.Region, d.Group, string(d.Parameters), d.Token,
		number(micros(d.Deadline)))
	for i, item := range d.Carries {
		list = append(list, says("call_items", d.Call+"/"+strconv.Itoa(i), false, item)...)
	}
	return list
}

func says(table, id string, ending bool, values ...string) []statement {
	return []statement{{recordKey{table, id}, ending, values}}
}

func flag(b bool) string { return number(bit(b)) }

func number(n int64) string { return strconv.FormatInt(n, 10) }
