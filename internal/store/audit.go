package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// Kinds of entries of the audit log.
const (
	KindCreated      = "created"       // the store
	KindSweepStarted = "sweep-started" // before anything is read
	KindSweep        = "sweep"         // committed
	KindInterrupted  = "interrupted"   // a sweep that will never finish
	KindRevocation   = "revocation"    // the intent, before any call
	KindCall         = "call"          // recorded, before it is sent
	KindAnswer       = "answer"        // of the cloud, or that there was none
	KindOutcome      = "outcome"       // of a revocation
	KindAmended      = "amended"       // a failed or withdrawn revocation turned out to be confirmed
	KindRestore      = "restore"       // the intent
	KindRestored     = "restored"      // how a restore ended
	KindPaused       = "paused"
	KindResumed      = "resumed"
	KindPolicies     = "policies"     // the files of a set of policies, when they are first used
	KindSetUsed      = "set-used"     // contents of a set, when they are first used
	KindSetAccepted  = "set-accepted" // contents of a set, by a person
)

// event is an entry before it has a place in the log.
type event struct {
	kind    string
	actor   string
	account string
	data    any // spelled as JSON with fields in a fixed order
}

// chain makes the entry that follows another; the zero entry goes before the first.
func chain(last *Entry, at time.Time, e *event) (Entry, error) {
	data, err := json.Marshal(e.data)
	if err != nil {
		return Entry{}, fmt.Errorf("spelling an entry of the audit log: %w", err)
	}
	next := Entry{
		Seq: last.Seq + 1, Time: stored(at), Kind: e.kind, Actor: e.actor, Account: e.account, Data: data, Previous: last.Hash,
	}
	next.Hash = next.compute()
	return next, nil
}

// compute gives the hash that an entry must have.
func (e *Entry) compute() string {
	text, err := json.Marshal(struct {
		Seq     int64  `json:"seq"`
		Time    int64  `json:"time"`
		Kind    string `json:"kind"`
		Actor   string `json:"actor"`
		Account string `json:"account"`
	}{e.Seq, micros(e.Time), e.Kind, e.Actor, e.Account})
	if err != nil {
		return "" // numbers and strings cannot fail, and no entry has this hash
	}
	h := sha256.New()
	h.Write([]byte(e.Previous))
	h.Write(text[:len(text)-1])
	h.Write([]byte(`,"data":`))
	h.Write(e.Data)
	h.Write([]byte(`}`))
	return hex.EncodeToString(h.Sum(nil))
}

// follows says what is wrong with an entry behind another, or nothing.
func (e *Entry) follows(last *Entry) string {
	switch {
	case e.Seq != last.Seq+1:
		return fmt.Sprintf("entry %d is missing: entry %d comes next", last.Seq+1, e.Seq)
	case e.Previous != last.Hash:
		return fmt.Sprintf("entry %d does not follow the entry before it: one of the two was replaced", e.Seq)
	case e.Hash != e.compute():
		return fmt.Sprintf("entry %d is not what its hash says: it was changed after it was written", e.Seq)
	}
	return ""
}

func createdEvent() event { return event{kind: KindCreated, data: struct{}{}} }

func startedEvent(s *sweep.Start) event {
	return event{KindSweepStarted, s.Actor, s.Account.Name, struct {
		Sweep      string         `json:"sweep"`
		AccountID  string         `json:"accountId"`
		Origin     revoker.Origin `json:"origin"`
		Mode       string         `json:"mode"`
		Acting     bool           `json:"acting"`
		PolicyHash string         `json:"policyHash"`
	}{s.ID, s.Account.ID, s.Origin, s.Mode, s.Acting, s.PolicyHash}}
}

func sweepEvent(s *SweepRecord, clocks int) event {
	return event{KindSweep, s.Actor, s.Account, struct {
		Sweep       string `json:"sweep"`
		Complete    bool   `json:"complete"`
		Groups      int    `json:"groups"`
		Rules       int    `json:"rules"`
		Findings    int    `json:"findings"`
		Revocations int    `json:"revocations"`
		Clocks      int    `json:"clocks"`
	}{s.ID, s.Complete, s.Groups, s.Rules, s.Findings, s.Revocations, clocks}}
}

func interruptedEvent(s *SweepRecord) event {
	return event{KindInterrupted, s.Actor, s.Account, struct {
		Sweep string `json:"sweep"`
	}{s.ID}}
}

type causeData struct {
	Policy string `json:"policy"`
	Hash   string `json:"hash"`
}

func revocationEvent(r *revoker.Revocation) event {
	causes := make([]causeData, 0, len(r.Policies))
	for _, c := range r.Policies {
		causes = append(causes, causeData(c))
	}
	return event{KindRevocation, r.Actor, r.Ref.Account, struct {
		Revocation string         `json:"revocation"`
		Sweep      string         `json:"sweep"`
		Region     string         `json:"region"`
		Group      string         `json:"group"`
		Rule       storedFields   `json:"rule"`
		Policies   []causeData    `json:"policies"`
		Origin     revoker.Origin `json:"origin"`
		Class      string         `json:"effectClass,omitempty"`
		Effect     string         `json:"effect,omitempty"`
	}{
		r.ID, r.Sweep, r.Ref.Region, r.Ref.Group, fieldsOf(&r.Rule), causes, r.Origin, r.Effect.Class, r.Effect.Sentence,
	}}
}

func callEvent(c *revoker.Call) event {
	return event{KindCall, "", c.Ref.Account, struct {
		Call       string      `json:"call"`
		Action     string      `json:"action"`
		Region     string      `json:"region"`
		Group      string      `json:"group"`
		Carries    []string    `json:"carries"`
		Parameters [][2]string `json:"parameters"`
		Token      string      `json:"clientToken"`
		Deadline   time.Time   `json:"deadline"`
	}{
		c.ID, c.Action, c.Ref.Region, c.Ref.Group, c.Carries, storedParameters(c.Parameters), c.ClientToken(),
		stored(c.Deadline),
	}}
}

func answerEvent(account, call string, a *revoker.Answer) event {
	return event{KindAnswer, "", account, struct {
		Call      string            `json:"call"`
		State     revoker.CallState `json:"state"`
		Class     string            `json:"class"`
		Code      string            `json:"code"`
		RequestID string            `json:"requestId"`
		Detail    string            `json:"detail"`
	}{call, a.State, string(a.Class), a.Code, a.RequestID, a.Detail}}
}

func endingEvent(kind, account string, e *revoker.Ending) event {
	return event{kind, "", account, struct {
		Revocation  string              `json:"revocation"`
		Outcome     revoker.Outcome     `json:"outcome"`
		Attribution revoker.Attribution `json:"attribution"`
		Detail      string              `json:"detail"`
	}{e.Revocation, e.Outcome, e.Attribution, e.Detail}}
}

func restoreEvent(r *revoker.Restore) event {
	return event{KindRestore, r.Actor, r.Ref.Account, struct {
		Restore    string       `json:"restore"`
		Revocation string       `json:"revocation"`
		Region     string       `json:"region"`
		Group      string       `json:"group"`
		Rule       storedFields `json:"rule"`
		HoldUntil  time.Time    `json:"holdUntil"`
	}{r.ID, r.Revocation, r.Ref.Region, r.Ref.Group, fieldsOf(&r.Rule), stored(r.HoldUntil)}}
}

func restoredEvent(account string, r *revoker.Restore) event {
	return event{KindRestored, "", account, struct {
		Restore string                 `json:"restore"`
		Outcome revoker.RestoreOutcome `json:"outcome"`
		RuleID  string                 `json:"ruleId"`
		Detail  string                 `json:"detail"`
	}{r.ID, r.Outcome, r.RuleID, r.Detail}}
}

// switchEvent says, of Resume, also which loss of history was accepted.
func switchEvent(kind, actor, reason, accepted string) event {
	return event{kind, actor, "", struct {
		Reason   string `json:"reason"`
		Accepted string `json:"accepted,omitempty"`
	}{reason, accepted}}
}

type fileData struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

func policiesEvent(hash string, files []PolicyFile) event {
	list := make([]fileData, len(files))
	for i := range files {
		list[i] = fileData{files[i].Name, sumOf(files[i].Data)}
	}
	return event{KindPolicies, "", "", struct {
		PolicyHash string     `json:"policyHash"`
		Files      []fileData `json:"files"`
	}{hash, list}}
}

type setSize struct {
	SHA256    string     `json:"sha256"`
	Elements  int        `json:"elements"`
	Addresses [2]float64 `json:"addresses"`
}

// setEvent says what a set holds, and what it held before.
func setEvent(kind string, u, before *SetUse, reason string) event {
	data := struct {
		Key   string `json:"key"`
		Name  string `json:"name"`
		Place string `json:"place"`
		setSize

		Before *setSize `json:"before,omitempty"`
		Reason string   `json:"reason,omitempty"`
	}{Key: u.Key, Name: u.Name, Place: u.Place, setSize: setSize{u.SHA256, u.Elements, u.Addresses}, Reason: reason}
	if before != nil {
		data.Before = &setSize{before.SHA256, before.Elements, before.Addresses}
	}
	return event{kind, u.Actor, "", data}
}
