package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/snapshot"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// ruleSubject is the rule that is explained.
type ruleSubject struct {
	account    string
	group      sg.Group
	rule       sg.Rule
	incomplete string           // why the group was not read whole; empty if it was
	peerGone   bool             // the destination group is known not to be there
	effect     *reach.Effect    // of removing the rule alone, within its group; nil if its group was not read
	reported   decision.Verdict // of the report that the rule was taken from; zero if there is none
	recorded   *reportedEffect  // of that report; nil if there is none
	origin     string           // where the rule was found, for people
}

// jsonSubject is a rule as it can be given: a finding of a report, of which only these parts count, or one with the
// contents of lists.
type jsonSubject struct {
	Account string         `json:"account"`
	Region  string         `json:"region"`
	Group   snapshot.Group `json:"group"`
	Rule    snapshot.Rule  `json:"rule"`
	snapshot.Lists

	Policies           json.RawMessage `json:"policies"`
	Effect             *reportedEffect `json:"effect"`
	Narrowing          json.RawMessage `json:"narrowing"`
	Decision           jsonVerdict     `json:"decision"`
	Executed           json.RawMessage `json:"executed"`
	NotExecutedBecause json.RawMessage `json:"notExecutedBecause"`
	Revocation         json.RawMessage `json:"revocation"`
}

// jsonVerdict is the decision of a report.
type jsonVerdict struct {
	Action string    `json:"action"`
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// givenRule reads the rule of --rule-json.
func (s system) givenRule(flags *explainFlags) (*ruleSubject, error) {
	name := flags.ruleJSON
	var text []byte
	var err error
	if name == "-" {
		name = "standard input"
		text, err = io.ReadAll(io.LimitReader(s.in, strictyaml.MaxBytes+1))
	} else {
		text, err = readBounded(name)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the rule: %w", err)
	case len(text) > strictyaml.MaxBytes:
		return nil, fmt.Errorf("reading the rule: %s has more than the %d bytes of one rule", name, strictyaml.MaxBytes)
	}
	subject, err := parseSubject(text)
	if err != nil {
		return nil, fmt.Errorf("reading the rule in %s: %w", name, err)
	}
	subject.origin = "given by " + name
	if err := subject.place(flags); err != nil {
		return nil, err
	}
	return subject, nil
}

// place puts a given rule where the flags say. What the rule says of itself they must not contradict.
func (r *ruleSubject) place(flags *explainFlags) error {
	for _, p := range []struct {
		flag, value string
		into        *string
	}{
		{"account", flags.account, &r.account},
		{"region", flags.region, &r.group.Region},
		{"group", flags.group, &r.group.ID},
	} {
		if p.value != "" && *p.into != "" && p.value != *p.into {
			return usageError{fmt.Errorf("--%s is %q, and the rule is of %q: leave the flag out", p.flag, p.value, *p.into)}
		}
		if p.value != "" {
			*p.into = p.value
		}
	}
	return nil
}

// parseSubject reads either form of a given rule.
func parseSubject(text []byte) (*ruleSubject, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, fmt.Errorf("expected one JSON object: %w", err)
	}
	switch {
	case keys["rule"] != nil:
		return parseFinding(text)
	case keys["IpProtocol"] != nil:
		return parsePermission(keys)
	case keys["findings"] != nil:
		return nil, errors.New("this is a whole report: take one of its findings, as by jq '.findings[0]'")
	}
	return nil, fmt.Errorf("expected a finding of a report (with the key \"rule\"), or a Permission (with the key "+
		"\"IpProtocol\"); found the keys %s", strings.Join(slices.Sorted(maps.Keys(keys)), ", "))
}

// parseFinding reads a finding of a report. Unknown keys are refused: one that is misspelt would be missing.
func parseFinding(text []byte) (*ruleSubject, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var given jsonSubject
	if err := decoder.Decode(&given); err != nil {
		return nil, err
	}
	for name, entries := range given.Prefixes {
		for i, entry := range entries {
			exact, err := sg.ParseCloudCIDR(entry.String())
			if err != nil {
				return nil, fmt.Errorf("prefixLists: %s: %w", name, err)
			}
			entries[i] = exact
		}
	}
	return &ruleSubject{
		account: given.Account, group: given.Group.Value(given.Region), rule: given.Rule.Value(&given.Lists),
		reported: decision.Verdict{Action: decision.Action(given.Decision.Action), Reason: given.Decision.Reason},
		recorded: given.Effect,
	}, nil
}

// parsePermission reads a rule as the API spells it. The API has more keys than count here, and may have new ones.
func parsePermission(keys map[string]json.RawMessage) (*ruleSubject, error) {
	var f sg.Fields
	var direction string
	for key, into := range map[string]*string{
		"SecurityGroupRuleId": &f.ID, "Direction": &direction, "IpProtocol": &f.Protocol, "PortRange": &f.PortRange,
		"SourcePortRange": &f.SourcePorts, "PortRangeListId": &f.PortListID, "DestCidrIp": &f.CIDR4,
		"Ipv6DestCidrIp": &f.CIDR6, "DestGroupId": &f.GroupID, "DestGroupOwnerAccount": &f.GroupOwner,
		"DestPrefixListId": &f.PrefixListID, "SourceCidrIp": &f.SourceCIDR4, "Ipv6SourceCidrIp": &f.SourceCIDR6,
		"Policy": &f.Policy, "Priority": &f.Priority, "NicType": &f.NICType, "Description": &f.Description,
		"CreateTime": &f.Created,
	} {
		text, err := looseText(keys[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		*into = text
	}
	if direction != "" && !strings.EqualFold(direction, "egress") {
		return nil, fmt.Errorf("the rule's Direction is %q: policies are about egress rules", direction)
	}
	return &ruleSubject{rule: sg.NewRule(&f)}, nil
}

// looseText reads a text that the API also writes as a number. What is not there is empty.
func looseText(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0, string(raw) == "null":
		return "", nil
	case raw[0] == '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	}
	var number json.Number
	if err := json.Unmarshal(raw, &number); err != nil {
		return "", errors.New("expected a text or a number")
	}
	return number.String(), nil
}
