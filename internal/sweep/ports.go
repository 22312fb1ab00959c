package sweep

import (
	"context"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// Start is what is recorded of a sweep before it reads anything, so that a tick of the schedule is known to have been
// taken.
type Start struct {
	ID         string
	Account    Account
	Origin     revoker.Origin
	Actor      string // who ran the command, or the daemon
	Mode       string // of the config: audit, manual or enforce
	Acting     bool   // revocations that it decides on are to be carried out
	PolicyHash string
	GuardsHash string // of what the config protects: what was reported under other guards was not reported
	At         time.Time
}

// Commit is what a sweep leaves behind beside its result.
type Commit struct {
	// Clocks are those of grace as they are now: all that the account has. A clock that is missing is dropped.
	Clocks map[decision.ClockKey]decision.Clock
	// FirstSeen are contents that are now known to have been there earlier than was known, or at all. Others stay as
	// they are. A time that is later than the known one changes nothing.
	FirstSeen map[decision.ContentRef]time.Time
	// Revocations are to be carried out. Empty if the sweep may not act.
	Revocations []revoker.Revocation
}

// Ledger keeps sweeps and what decisions depend on. What a method has recorded is durable when it returns.
type Ledger interface {
	// Start records that a sweep began. It gives the contents of the account's rules that have a clock of grace.
	Start(ctx context.Context, s *Start) ([]decision.ContentRef, error)
	// Commit reads the state of the account, has decide decide by it, and records the result with its findings and
	// decisions, the clocks and the revocations, all in one transaction: what limits over all accounts count cannot
	// change in between. decide must be quick, and may be called more than once. If it fails nothing is recorded.
	Commit(ctx context.Context, r *Result, decide func(*decision.State) (*Commit, error)) error
}

// Doubts are revocations that were given up though a call of theirs may have taken effect.
type Doubts interface {
	// Doubtful gives them for an account by its name.
	Doubtful(ctx context.Context, account string) ([]revoker.Revocation, error)
	// Amend records that one of them was carried out after all.
	Amend(ctx context.Context, e revoker.Ending) error
}

// Recheck is what the store knows when the open revocations of a group are checked again.
type Recheck struct {
	State *decision.State
	// Sweeps are the sweeps that the revocations of the group come from, by ID.
	Sweeps map[string]Share
}

// Share is what a sweep recorded, and what its limits must count in other groups than the one at hand.
type Share struct {
	AccountID string // by which the account was known when it was swept
	Rules     int    // that it read in the account
	Again     decision.Again
}

// Worklist gives what is open.
type Worklist interface {
	// Open gives the open work of an account by its name, sorted by region and group.
	Open(ctx context.Context, account string) ([]revoker.Work, error)
	// Recheck gives what deciding again about the open revocations of a group depends on now. What its state says of
	// rules is of this group alone.
	Recheck(ctx context.Context, ref sg.GroupRef, policyHash string) (*Recheck, error)
}
