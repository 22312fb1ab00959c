package report

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// HistoryItem is one revocation with everything that was recorded of it. Lists of them are newest first, which is up
// to the caller.
type HistoryItem struct {
	revoker.Revocation

	GroupName string            // at the time of the sweep; empty if it is not known
	Calls     []revoker.Call    // that carried it, oldest first
	Restores  []revoker.Restore // that undid it or tried to, oldest first
}

// restoredAs gives the ID of the rule that the latest successful restore left in place of the removed one, or a dash where
// the cloud gives rules no IDs. It is empty if there was none.
func (h *HistoryItem) restoredAs() string {
	id := ""
	for i := range h.Restores {
		if r := &h.Restores[i]; r.Outcome == revoker.Restored || r.Outcome == revoker.AlreadyThere {
			id = orDash(r.RuleID)
		}
	}
	return id
}

func (h *HistoryItem) policies() []string {
	names := make([]string, len(h.Policies))
	for i, cause := range h.Policies {
		names[i] = cause.Policy
	}
	return names
}

// requestIDs are the cloud's names of the requests that carried the revocation, as far as they were answered.
func (h *HistoryItem) requestIDs() []string {
	var ids []string
	for i := range h.Calls {
		if id := h.Calls[i].Answer.RequestID; id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// PastSweep is what a store remembers of a sweep. It is less than [Sweep] has, which is made when the sweep ends.
type PastSweep struct {
	ID         string
	Account    string
	Mode       string
	Origin     revoker.Origin
	Actor      string
	Acting     bool
	PolicyHash string
	Started    time.Time
	Finished   time.Time // zero if it did not finish
	Complete   bool
	// Interrupted: it never finished and never will.
	Interrupted bool
	Groups      int
	Rules       int
	Problems    []string // some of what was not read whole
	Findings    []PastFinding
}

// PastFinding is a finding of a [PastSweep].
type PastFinding struct {
	Region    string
	Group     string
	GroupName string
	Rule      sg.Rule
	Action    string // of the decision
	Reason    string
	Detail    string
	Policies  []PastViolation
}

// PastViolation is what one policy said of a rule: one that a [PastFinding] violates.
type PastViolation struct {
	Name     string
	Severity string
	Verdict  string
	Because  []string
}

// Shown is what is to be shown about one ID: revocations, and the sweep if the ID is that of one.
type Shown struct {
	Sweep       *PastSweep // nil if the ID is not that of a sweep
	Revocations []HistoryItem
}
