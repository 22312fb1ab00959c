// Package report renders what a sweep found and did, and what a store remembers, for people and for programs.
//
//	report.Table, report.JSON, report.Markdown, report.CSV   a sweep that just ended, or one that is still settled
//	report.HistoryTable and its three kin                    a list of revocations
//	report.ShowTable, report.ShowJSON                        everything known of some revocations, or of a past sweep
//
// Renderers are pure: they write to the writer that they are given and know nothing of files, terminals, stores or the
// cloud. Text that came from the cloud is escaped for where it goes: a description must not be able to move a
// terminal's cursor ([Clean]), to become a formula of a spreadsheet, or to become a link in a page.
package report

import (
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// SchemaVersion is the version of the JSON form. It changes when a field changes its meaning or goes away.
const SchemaVersion = 1

// Sweep is what is reported of one sweep of one account.
type Sweep struct {
	ID         string
	Account    string
	Mode       string
	PolicyHash string
	Started    time.Time
	Finished   time.Time
	Complete   bool
	// Unknown are the parts of a decision that this run could not compute.
	Unknown []string
	// Acting tells that decisions to revoke were to be carried out.
	Acting bool
	// NotExecuted is why revocations were not carried out. Empty for an acting sweep.
	NotExecuted string
	// Revocations are those that this sweep decided on, settled or open, in any order. Empty if it does not act.
	Revocations []revoker.Revocation

	Regions    []Region
	Unreadable int // rules that were read and not understood
	Findings   []decision.Finding
	Batches    []decision.Batch // what removing all rules of a group that reached candidate does
	// Hygiene is what is odd about rules, sorted by region, group and rule. Nil if nobody asked; it is not nil if nothing is.
	Hygiene    []Hygiene
	Exceptions []Exception
	Errors     []Error
	// Change is what differs from the policies of the last sweep. Nil if nothing does, or nothing is known of it.
	Change *policy.Change
}

// Region is what was read of one region.
type Region struct {
	ID       string
	Complete bool
	Groups   int
	Rules    int
	Gone     int // groups that were deleted while the region was read
	Error    string
}

// Hygiene is something odd about one rule.
type Hygiene struct {
	Group   *sg.Group
	Rule    sg.Rule
	Anomaly reach.Anomaly
}

// Exception is an exception and what it did in this sweep.
type Exception struct {
	*policy.Exception
	policy.Use
}

// Error is something that was not read, or not understood. Fields that do not apply are empty.
type Error struct {
	Region string
	Group  string
	List   string
	Rule   string
	Text   string
	// Unreadable: it is a rule that was read and not understood, one of [Sweep.Unreadable].
	Unreadable bool
}

// place names what an error is about, the account if it is about all of it.
func (s *Sweep) place(e *Error) string {
	parts := slices.DeleteFunc([]string{e.Region, e.Group, e.List, e.Rule}, func(part string) bool { return part == "" })
	if len(parts) == 0 {
		return "account " + s.Account
	}
	return strings.Join(parts, " ")
}

// unnamed is how many rules that were not understood are not among the errors.
func (s *Sweep) unnamed() int {
	n := s.Unreadable
	for i := range s.Errors {
		if s.Errors[i].Unreadable {
			n--
		}
	}
	return n
}

// endsSoon is how long before its end an exception is pointed out.
const endsSoon = 14 * 24 * time.Hour

// Notices about an exception, as reports spell them.
const (
	NoticeExpired  = "expired"
	NoticeUnused   = "matches-nothing"
	NoticeEndsSoon = "ends-soon"
)

// notices says what is noteworthy about an exception: it expired, it ends soon, it matches nothing. The last is not
// said where it is not sure: somebody may remove the exception on the strength of it.
func (s *Sweep) notices(x *Exception) []string {
	if x.Expired(s.Started) {
		return []string{NoticeExpired}
	}
	var notices []string
	if x.Expires.Sub(s.Started) <= endsSoon {
		notices = append(notices, NoticeEndsSoon)
	}
	if s.Complete && x.Exempted == 0 && x.Unsure == 0 {
		notices = append(notices, NoticeUnused)
	}
	return notices
}

// Totals are the sums of a report.
type Totals struct {
	Groups   int
	Rules    int
	Findings int
	ByAction map[string]int
	ByReason map[string]int
	// ByOutcome counts the revocations of an acting sweep; open ones are under [OutcomeOpen]. Nil for others.
	ByOutcome map[string]int
	// ByEffect counts the rules to be revoked by the class of their effect: removing a rule may change nothing.
	ByEffect map[string]int
	// Closed is what the rules to be revoked close together, added up over groups.
	Closed reach.Pairs
}

// Totals adds up.
func (s *Sweep) Totals() Totals {
	t := Totals{
		Findings: len(s.Findings), ByAction: map[string]int{}, ByReason: map[string]int{}, ByEffect: map[string]int{},
		Closed: s.closing(),
	}
	for _, r := range s.Regions {
		t.Groups += r.Groups
		t.Rules += r.Rules
	}
	for i := range s.Findings {
		d := &s.Findings[i].Decision
		t.ByAction[string(d.Action)]++
		if d.Reason != "" {
			t.ByReason[d.Reason]++
		}
		if d.Action == decision.Revoke {
			t.ByEffect[string(class(&s.Findings[i]))]++
		}
	}
	if s.Acting {
		t.ByOutcome = map[string]int{}
		for i := range s.Revocations {
			t.ByOutcome[outcomeName(s.Revocations[i].Outcome)]++
		}
	}
	return t
}
