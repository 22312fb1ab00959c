package store

import (
	"cmp"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
)

// Totals are what metrics say about the store. Lists are sorted by their texts and hold no zero counts.
type Totals struct {
	// Revocations are those that ended. One that several policies asked for counts for each.
	Revocations []PolicyCount
	// Regions are those that ended, each once.
	Regions []RegionCount
	// Removed are the confirmed ones by what they allowed.
	Removed []KindCount
	// Restores are those that ended, by outcome.
	Restores   map[string]int
	Open       int       // revocations without an outcome
	OldestOpen time.Time // zero if there is none
	WindowUsed int       // revocations of all accounts that count for the limit over [decision.Window] now

	Entries  int64 // of the audit log
	Head     string
	Switches Switches

	Accounts []AccountTimes
	// Findings, Returned and Decisions are of each account's last finished sweep.
	Findings []FindingCount
	// Returned are findings of rules whose content was removed before, and that no restore holds: what came back.
	Returned  []ReturnedCount
	Decisions []ReasonCount
	// Effects are the rules to be revoked of each account's last finished sweep, by the class of their effect.
	Effects []EffectCount
	// Closed is what the revocations of each account's last finished sweep were going to close.
	Closed []ClosedPairs
	// RemovedEffects are the confirmed revocations by the class of their effect; empty where it is not known.
	RemovedEffects map[string]int
}

// EffectCount counts rules that are to be revoked.
type EffectCount struct {
	Account string
	Effect  string // a class of [reach.Effect]
	Count   int
}

// ClosedPairs is a number of (address, port) pairs by family; see [reach.Pairs].
type ClosedPairs struct {
	Account string
	IPv4    float64
	IPv6    float64
}

// PolicyCount counts revocations of a policy.
type PolicyCount struct {
	Policy  string
	Outcome string
	Count   int
}

// RegionCount counts revocations in a region.
type RegionCount struct {
	Account string
	Region  string
	Outcome string
	Count   int
}

// KindCount counts removed rules by the kind of what they allowed: the protocol is tcp, udp, icmp, icmpv6, gre, all or
// other, the destination a [sg.DestinationKind].
type KindCount struct {
	Protocol    string
	Destination string
	Count       int
}

// AccountTimes are the latest times of an account's sweeps. Zero: never.
type AccountTimes struct {
	Account      string
	LastStarted  time.Time
	LastFinished time.Time
	LastComplete time.Time // when the last complete one finished
}

// FindingCount counts findings of a policy by state: the action of the policy's verdict or, where that is a candidate
// for revocation, of the decision about the rule.
type FindingCount struct {
	Account string
	Policy  string
	State   string
	Count   int
}

// ReturnedCount counts findings of a policy whose content was removed before, and that no restore holds.
type ReturnedCount struct {
	Account string
	Policy  string
	Count   int
}

// ReasonCount counts decisions.
type ReasonCount struct {
	Account string
	Action  string
	Reason  string
	Count   int
}

// summary is what metrics say of one sweep. It is recorded with the sweep, since counting over all findings again for
// every scrape would cost too much.
type summary struct {
	Findings  []FindingCount
	Returned  []ReturnedCount
	Decisions []ReasonCount
	Effects   []EffectCount
	Closed    []ClosedPairs
}

func summarise(r *sweep.Result, past map[decision.ContentRef]decision.Past) summary {
	findings := map[FindingCount]int{}
	returned := map[ReturnedCount]int{}
	decisions := map[ReasonCount]int{}
	effects := map[EffectCount]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		d := &f.Decision
		decisions[ReasonCount{Account: r.Account.Name, Action: string(d.Action), Reason: d.Reason}]++
		if d.Action == decision.Revoke {
			effects[EffectCount{Account: r.Account.Name, Effect: string(effectOf(f))}]++
		}
		before := past[contentRef(f)]
		back := before.Revocations > 0 && !r.Finished.Before(before.HeldUntil) // what we restored did not come back by itself
		for n, v := range f.Violations {
			state := d.Action
			if n < len(d.Policies) && d.Policies[n].Action != decision.Candidate {
				state = d.Policies[n].Action
			}
			findings[FindingCount{Account: r.Account.Name, Policy: v.Policy.Name, State: string(state)}]++
			if back {
				returned[ReturnedCount{Account: r.Account.Name, Policy: v.Policy.Name}]++
			}
		}
	}
	var s summary
	for key, n := range findings {
		key.Count = n
		s.Findings = append(s.Findings, key)
	}
	for key, n := range returned {
		key.Count = n
		s.Returned = append(s.Returned, key)
	}
	for key, n := range decisions {
		key.Count = n
		s.Decisions = append(s.Decisions, key)
	}
	for key, n := range effects {
		key.Count = n
		s.Effects = append(s.Effects, key)
	}
	s.Closed = []ClosedPairs{{Account: r.Account.Name, IPv4: r.Closing.IPv4, IPv6: r.Closing.IPv6}}
	s.sort()
	return s
}

// effectOf is the class of a finding's effect.
func effectOf(f *decision.Finding) reach.Class {
	if f.Effect == nil {
		return reach.Unknown
	}
	return f.Effect.Class
}

func (s *summary) sort() {
	slices.SortFunc(s.Effects, func(a, b EffectCount) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Effect, b.Effect))
	})
	slices.SortFunc(s.Findings, func(a, b FindingCount) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.State, b.State))
	})
	slices.SortFunc(s.Returned, func(a, b ReturnedCount) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Policy, b.Policy))
	})
	slices.SortFunc(s.Decisions, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Reason, b.Reason))
	})
}

// add puts the summary of another account's sweep to the totals.
func (t *Totals) add(s *summary) {
	t.Findings = append(t.Findings, s.Findings...)
	t.Returned = append(t.Returned, s.Returned...)
	t.Decisions = append(t.Decisions, s.Decisions...)
	t.Effects = append(t.Effects, s.Effects...)
	t.Closed = append(t.Closed, s.Closed...)
}

func contentRef(f *decision.Finding) decision.ContentRef {
	return decision.ContentRef{Region: f.Group.Region, Group: f.Group.ID, Key: f.Rule.ContentKey()}
}

// protocolLabel is the protocol of a rule as a label of few values.
func protocolLabel(p sg.Protocol) string {
	switch p {
	case sg.TCP:
		return "tcp"
	case sg.UDP:
		return "udp"
	case sg.ICMP:
		return "icmp"
	case sg.ICMPv6:
		return "icmpv6"
	case sg.GRE:
		return "gre"
	case sg.AllProtocols:
		return "all"
	case sg.NoProtocol:
		return "other"
	default:
		return "other"
	}
}
