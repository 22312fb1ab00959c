package decision

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Limits bound how much may be removed. Over a limit the whole scope of it is withheld. Zero allows nothing.
type Limits struct {
	PerGroup  int // rules of one group in one sweep
	PerSweep  int // rules of one sweep, which is of one account
	Percent   int // of the rules read in the account, at least one; only for accounts of 100 rules or more
	PerWindow int // rules of all accounts within [Window]
}

// DefaultLimits are those of a config that says nothing.
func DefaultLimits() Limits { return Limits{PerGroup: 10, PerSweep: 20, Percent: 10, PerWindow: 50} }

// Window is how far back revocations count for [Limits.PerWindow].
const Window = 24 * time.Hour

// Terms are what decisions go by, from config and mode.
type Terms struct {
	Guards

	Limits Limits
	// MayAct tells whether the mode lets anything act at all (manual or enforce). Only then do clocks of grace run.
	MayAct bool
	// Paused is why the config, or a file that it names, lets nothing be revoked. Empty: something may.
	Paused string
	// FlatForm allows to revoke rules that have no ID, in the form of the API from before IDs.
	FlatForm bool
}

// ContentRef names what a rule of a group says, whatever its ID is: see [sg.Rule.ContentKey].
type ContentRef struct {
	Region string
	Group  string
	Key    string
}

// RuleRef names a rule instance: see [sg.Rule.Key].
type RuleRef struct {
	Region string
	Group  string
	Key    string
}

// ClockKey names a clock of grace.
type ClockKey struct {
	ContentRef

	Policy string
}

// Clock is how long a policy has been objecting to a rule. The zero value is a clock that does not run.
type Clock struct {
	Since    time.Time // when it began
	LastSeen time.Time // the last sweep in which the rule was there and the policy objected
	Sweeps   int       // complete sweeps since, the first one included
}

// Past is what happened to the content of a rule before.
type Past struct {
	Revocations int       // confirmed ones
	HeldUntil   time.Time // of the latest restore; zero if there was none
}

// State is what the store knows of one account. Nothing in it is changed by a decision.
type State struct {
	// Paused is why nothing may be revoked, and what to do about it. Empty: something may.
	Paused string
	// Reported tells whether a complete sweep of this account under this set of policies was recorded before.
	Reported bool
	Clocks   map[ClockKey]Clock
	Past     map[ContentRef]Past
	// FirstSeen is since when contents are known to have been there, as far as a policy with a baseline asked; see
	// [FirstSeen].
	FirstSeen map[ContentRef]time.Time
	Open      map[RuleRef]bool // rule instances with an open revocation
	Window    int              // revocations of all accounts that count for the window now
}

// Subject is what is decided about together: the findings of one sweep, or those of one group when they are checked
// again.
type Subject struct {
	Findings []Finding
	Rules    int  // that were read in the account
	Complete bool // the account was read whole
	Now      time.Time
	// Present are contents that have a clock and were seen, with or without a finding. One of which no policy speaks
	// any more loses its clocks, so what was not read whole must not be here: a list that could not be read for once
	// hides a finding, and would set its grace back.
	Present map[ContentRef]bool
	// Again is set when open revocations are checked again before they are sent: findings with an open revocation are
	// then what is decided about, instead of being left alone as already open, and what the same sweep did to other
	// groups counts for its limits.
	Again *Again
	// Reach computes effects. Nil: nobody does, and all are unknown.
	Reach Reach
	// Batches are filled in by [Terms.Decide]: the groups with a batch, in the order of the findings.
	Batches []Batch
}

// Reach computes what removing rules does. It knows the rules of the groups that have findings.
type Reach interface {
	// Effects gives the effect of each finding of the subject, and of the batch of each group that has one. batch tells of
	// each finding whether it is in the batch of its group. A finding's effect is that of the batch with it against the
	// batch without it; for one outside, of the batch and it against the batch.
	Effects(findings []Finding, batch []bool) ([]*reach.Effect, []Batch)
}

// Batch is a group with rules that reached candidate, and what removing all of them does.
type Batch struct {
	Group  *sg.Group
	Effect *reach.Effect
}

// Again is what the re-check of one group must know of the rest of its sweep: how many revocations it made in other
// groups, withdrawn ones and the like not counted, in all and by policy. The window in [State] includes the ones that
// are checked.
type Again struct {
	Elsewhere         int
	ElsewhereByPolicy map[string]int
}

// AlreadyOpen is why a decision to revoke is not executed: a revocation of this rule is open. Nothing is charged.
const AlreadyOpen = "already-open"

// Why a decision to revoke is not executed beside [AuditMode] and [AlreadyOpen].
const (
	ManualMode = "manual-mode"
	// NotSelected is said of a rule that a person was not shown before agreeing.
	NotSelected = "not-selected"
	DryRun      = "dry-run"
)
