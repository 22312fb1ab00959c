package metrics

import (
	"slices"
	"time"
)

// Snapshot is what the store says at one moment. Counts that the package exports as counters are over all of the
// store's history, so that they do not fall.
type Snapshot struct {
	At          time.Time     // when the store was read; an alert goes by it
	Revocations []PolicyCount // ended ones; one that several policies caused counts for each of them
	Regions     []RegionCount // ended ones, each once
	Removed     []KindCount   // confirmed ones, each once
	Restores    map[string]int

	Open       int       // revocations without an outcome
	OldestOpen time.Time // zero: none is open
	WindowUsed int       // revocations that count for the limit per window now

	Entries int64  // of the audit log
	Head    string // hash of its last entry
	Armed   bool
	Paused  bool // by command, file, or a store that is behind its checkpoint

	Accounts  []AccountTimes
	Findings  []FindingCount  // of each account's last finished sweep
	Returned  []ReturnedCount // of each account's last finished sweep
	Decisions []ReasonCount   // of each account's last finished sweep
	Effects   []EffectCount   // of each account's last finished sweep
	Closed    []ClosedPairs   // of each account's last finished sweep

	RemovedEffects map[string]int // confirmed revocations by one of [Effects]
}

// EffectCount is how many rules of an account are to be revoked, by what that does: one of [Effects].
type EffectCount struct {
	Account, Effect string
	Count           int
}

// ClosedPairs is how many (address, port) pairs the revocations of a sweep close, by the family of the address.
type ClosedPairs struct {
	Account    string
	IPv4, IPv6 float64
}

// Effects gives what removing a rule can do, as far as it was known when that was decided; [Other] is not computed.
func Effects() []string { return []string{"closes", "none", "opens", "mixed", "unknown"} }

// PolicyCount is how many revocations of a policy ended with one of [Outcomes].
type PolicyCount struct {
	Policy, Outcome string
	Count           int
}

// RegionCount is how many revocations in a region of an account ended with one of [Outcomes].
type RegionCount struct {
	Account, Region, Outcome string
	Count                    int
}

// KindCount is how many rules of one of [Protocols] and one of [Destinations] were removed for certain.
type KindCount struct {
	Protocol, Destination string
	Count                 int
}

// AccountTimes is when an account's sweeps were. A zero time is never.
type AccountTimes struct {
	Account                                 string
	LastStarted, LastFinished, LastComplete time.Time
}

// FindingCount is how many rules of an account violate a policy and got one of [States] for it.
type FindingCount struct {
	Account, Policy, State string
	Count                  int
}

// ReturnedCount is how many of an account's findings of a policy have the content of a rule that was revoked before, and
// that no restore holds.
type ReturnedCount struct {
	Account, Policy string
	Count           int
}

// ReasonCount is how many rules of an account were decided upon with an action, one of [States], for one of [Reasons].
type ReasonCount struct {
	Account, Action, Reason string
	Count                   int
}

// Outcomes gives how a revocation can end.
func Outcomes() []string {
	return []string{"confirmed", "already_absent", "changed", "withdrawn", "failed"}
}

// RestoreOutcomes gives how a restore can end.
func RestoreOutcomes() []string { return []string{"restored", "already_there", "failed"} }

// Protocols gives the protocols of removed rules that are told apart, [Other] aside.
func Protocols() []string { return []string{"tcp", "udp", "icmp", "icmpv6", "gre", "all"} }

// Destinations gives the kinds of destination of removed rules that are told apart, [Other] aside.
func Destinations() []string { return []string{"cidr4", "cidr6", "group", "prefix-list"} }

// States gives what a finding or a decision can come to, [Other] aside.
func States() []string { return []string{"exempt", "report", "hold", "pending", "skip", "revoke"} }

// Reasons gives the reasons that are told apart for an action of [States], [Other] aside. An exemption's reason is the
// name of the exception: all of them are one here, as there may be any number.
func Reasons(action string) []string {
	switch action {
	case "exempt":
		return []string{"exception"}
	case "report":
		return []string{"policy", "invalid-expiry", "no-effect", "baseline"}
	case "hold":
		holds := []string{
			"exception-unknown", "stale-set", "drop-rule", "collateral", "effect-unknown", "no-rule-id", "not-restorable",
			"restored", "recurring", "new-policy", "shrunken-inventory", "breaker", "freeze", "hours", "paused", "approval",
		}
		for _, limit := range append(LimitNames(), "policy-per-group", "policy-per-sweep") {
			holds = append(holds, limitPrefix+limit)
		}
		return holds
	case "pending":
		return []string{"grace"}
	case "skip":
		return []string{"managed", "protected", "incomplete", "unreadable"}
	case "revoke":
		return []string{"none"}
	default:
		return nil
	}
}

// Snapshot replaces what the store is known to say. The metrics package keeps s: it must not be changed any more.
func (m *Metrics) Snapshot(s *Snapshot) {
	m.state.change(func(st *state) { st.snapshot = s })
}

// Policies says which policies are loaded. Each has its series from now on, with 0 where nothing happened.
func (m *Metrics) Policies(names []string) {
	m.state.change(func(st *state) { st.policies = sorted(names) })
}

// Accounts says which accounts the configuration has. Of others, which the store may remember, only what was removed is
// exported, and not when they were last swept.
func (m *Metrics) Accounts(names []string) {
	m.state.change(func(st *state) { st.accounts = sorted(names) })
}

// Limits says what the configured limits are, by the names of [LimitNames].
func (m *Metrics) Limits(limits map[string]int) {
	m.state.change(func(st *state) {
		st.limits = map[string]int{}
		for _, name := range LimitNames() {
			if limit, set := limits[name]; set {
				st.limits[name] = limit
			}
		}
	})
}

// RegionSize is how much was read in a region.
type RegionSize struct {
	Region        string
	Groups, Rules int
}

// Scanned says what an account's last sweep read, region by region. It replaces what was said of the account before, so
// that a region that left the scope leaves the metrics.
func (m *Metrics) Scanned(account string, regions []RegionSize) {
	m.state.change(func(st *state) { st.scanned[label(account)] = slices.Clone(regions) })
}
