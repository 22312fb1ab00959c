package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// TableOptions say how a table looks.
type TableOptions struct {
	Color bool
}

// Table writes the report for people. What was not read comes first: a report that looks complete when it is not is
// worse than none.
func Table(w io.Writer, s *Sweep, o TableOptions) error {
	t := &table{Sweep: s, out: bufio.NewWriter(w), paint: painter(o.Color), executions: s.executions()}
	t.header()
	t.change()
	t.errors()
	t.findings()
	t.hygiene()
	t.exceptions()
	t.summary()
	if err := t.out.Flush(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

type table struct {
	*Sweep

	out        *bufio.Writer
	paint      painter
	executions executions
}

// printf leaves errors to the writer, which keeps the first for its Flush.
func (t *table) printf(format string, args ...any) { _, _ = fmt.Fprintf(t.out, format, args...) }

// title names what kind of run is reported: one that may have changed something must not read like one that did not.
func (s *Sweep) title() string {
	if s.Acting {
		return "Enforcing sweep of account "
	}
	return "Audit of account "
}

func (t *table) header() {
	totals := t.Totals()
	t.printf("%s\n", t.paint.bold(t.title()+Clean(t.Account)))
	t.printf("  %s, %s\n", t.Started.UTC().Format(time.RFC3339), "policies "+short(t.PolicyHash))
	t.printf("  %s, %s in %s\n", plural(totals.Groups, "group", "groups"), plural(totals.Rules, "egress rule", "egress rules"),
		plural(len(t.Regions), "region", "regions"))
	empty := 0
	for _, r := range t.Regions {
		if r.Complete && r.Groups+r.Gone == 0 {
			empty++
			continue
		}
		state := "complete"
		if !r.Complete {
			state = t.paint.red("NOT COMPLETE")
		}
		if r.Gone > 0 {
			state += ", " + plural(r.Gone, "group was deleted meanwhile", "groups were deleted meanwhile")
		}
		t.printf("    %-16s groups %5d   rules %7d   %s\n", Clean(r.ID), r.Groups, r.Rules, state)
	}
	if empty > 0 {
		t.printf("    %s without groups, complete\n", plural(empty, "region", "regions"))
	}
	if !t.Complete {
		t.printf("\n%s\n", t.paint.red("THIS REPORT IS NOT COMPLETE: "+
			"what is listed next was not read, and nothing is known about it."))
	}
}

// short cuts a hash to what identifies it for a person.
func short(hash string) string { return hash[:min(12, len(hash))] }

func (t *table) errors() {
	if len(t.Errors) == 0 {
		return
	}
	t.printf("\n%s\n", t.paint.bold("Not read, or not understood"))
	for i := range t.Errors {
		e := &t.Errors[i]
		t.printf("  %s: %s\n", Clean(t.place(e)), Clean(e.Text))
	}
	if more := t.unnamed(); more > 0 {
		t.printf("  and %s\n", plural(more, "more rule that was not understood", "more rules that were not understood"))
	}
}

func (t *table) findings() {
	if len(t.Findings) == 0 {
		return
	}
	t.printf("\n%s\n", t.paint.bold("Findings"))
	verdicts, ids := 0, 0
	batches := t.batches()
	for i := range t.Findings {
		verdicts = max(verdicts, len(t.Findings[i].Decision.String()))
		ids = max(ids, len(t.Findings[i].Rule.ID))
	}
	for i := range t.Findings {
		f := &t.Findings[i]
		if i == 0 || t.Findings[i-1].Group != f.Group {
			t.group(f)
			t.together(batches[keyOf(f.Group)])
		}
		verdict := f.Decision.String()
		t.printf("    %s%s  %-*s  %s\n", t.paint.verdict(f.Decision.Action, verdict), strings.Repeat(" ", verdicts-len(verdict)),
			ids, Clean(orDash(f.Rule.ID)), ruleText(&f.Rule))
		t.reasons(f, strings.Repeat(" ", 4+verdicts+2))
		t.effect(f, strings.Repeat(" ", 4+verdicts+2))
		t.execution(f, strings.Repeat(" ", 4+verdicts+2))
	}
}

func (t *table) group(f *decision.Finding) {
	g := f.Group
	network := g.VPC
	if g.Classic() {
		network = "classic network"
	}
	t.printf("\n  %s %s\n", t.paint.bold(Clean(g.Region+" "+g.ID)), Clean(fmt.Sprintf("%s (%s, %s)", g.Name, g.Type, network)))
}

// reasons says which policies a rule violates and why, and what the decision saw.
func (t *table) reasons(f *decision.Finding, indent string) {
	for i, v := range f.Violations {
		t.printf("%s%s (%s): %s%s\n", indent, v.Policy.Name, v.Policy.Severity, Clean(strings.Join(v.Because, "; ")),
			aside(f, i))
	}
	if detail := detailText(&f.Decision.Verdict); detail != "" {
		t.printf("%s%s\n", indent, Clean(detail))
	}
	if f.Rule.Description != "" {
		t.printf("%s\u201c%s\u201d\n", indent, Clean(f.Rule.Description))
	}
}

// execution says what became of a decision to revoke.
func (t *table) execution(f *decision.Finding, indent string) {
	if r := t.executions.of(f); r != nil {
		t.printf("%s-> %s\n", indent, t.paint.outcome(r.Outcome, outcomeText(r)))
		if r.Detail != "" {
			t.printf("%s   %s\n", indent, Clean(r.Detail))
		}
		return
	}
	if t.notExecuted(f, t.executions) == decision.AlreadyOpen {
		t.printf("%s-> not revoked by this sweep: a revocation of this rule is open already\n", indent)
	}
}

// aside names the verdict of one policy where it is not the decision itself.
func aside(f *decision.Finding, i int) string {
	verdict := f.Decision.Policies[i]
	if verdict.Action == decision.Candidate || verdict.Action == f.Decision.Action && verdict.Reason == f.Decision.Reason {
		return ""
	}
	return fmt.Sprintf(" [%s]", verdict)
}

func (t *table) exceptions() {
	if len(t.Exceptions) == 0 {
		return
	}
	t.printf("\n%s\n", t.paint.bold("Exceptions"))
	for i := range t.Exceptions {
		x := &t.Exceptions[i]
		notices := ""
		if list := t.notices(x); len(list) > 0 {
			notices = "  " + t.paint.yellow(strings.Join(list, ", "))
		}
		unsure := ""
		if x.Unsure > 0 {
			unsure = fmt.Sprintf(", %d unsure", x.Unsure)
		}
		t.printf("  %s: %s exempted%s, until %s, %s%s\n", x.Name, plural(x.Exempted, "violation", "violations"), unsure,
			x.Expires.Format(time.RFC3339), x.Owner, notices)
	}
}

func (t *table) summary() {
	totals := t.Totals()
	t.printf("\n%s\n", t.paint.bold(plural(totals.Findings, "finding", "findings")))
	counts := map[string]int{}
	for i := range t.Findings {
		d := t.Findings[i].Decision
		counts[d.String()]++
	}
	for _, verdict := range slices.Sorted(maps.Keys(counts)) {
		t.printf("  %5d  %s\n", counts[verdict], verdict)
	}
	for _, line := range t.effectLines(&totals) {
		t.printf("%s\n", line)
	}
	if t.Acting {
		t.outcomes(totals.ByOutcome)
		return
	}
	t.printf("Nothing was revoked (%s). Decisions are computed as if enforcing%s.\n", Clean(t.NotExecuted), t.unknowns())
}

// unknowns names the parts of a decision that this run could not compute.
func (s *Sweep) unknowns() string {
	if len(s.Unknown) == 0 {
		return ""
	}
	return "; not known without a store: " + strings.Join(s.Unknown, ", ")
}

// outcomes sums up what an acting sweep did.
func (t *table) outcomes(counts map[string]int) {
	if len(t.Revocations) == 0 {
		t.printf("Nothing was revoked: what violates is held, waits or is only reported; see the decisions above.\n")
		return
	}
	t.printf("\n%s\n", t.paint.bold(plural(len(t.Revocations), "revocation", "revocations")))
	for _, outcome := range outcomeOrder() {
		if n := counts[outcomeName(outcome)]; n > 0 {
			t.printf("  %5d  %s\n", n, t.paint.outcome(outcome, outcomeText(&revoker.Revocation{Outcome: outcome})))
		}
	}
	if counts[OutcomeOpen] > 0 {
		t.printf("What is open is worked on until it is settled: by the next sweep, and by `egress-janitor run`.\n")
	}
}

// painter colours text, or leaves it alone.
type painter bool

func (p painter) wrap(code, text string) string {
	if !p {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p painter) bold(text string) string   { return p.wrap("1", text) }
func (p painter) red(text string) string    { return p.wrap("31", text) }
func (p painter) yellow(text string) string { return p.wrap("33", text) }
func (p painter) green(text string) string  { return p.wrap("32", text) }

func (p painter) verdict(action decision.Action, text string) string {
	switch action {
	case decision.Revoke:
		return p.red(text)
	case decision.Hold, decision.Skip, decision.Pending:
		return p.yellow(text)
	case decision.Exempt, decision.Report, decision.Candidate:
	}
	return text
}

func (p painter) outcome(o revoker.Outcome, text string) string {
	switch o {
	case revoker.Failed:
		return p.red(text)
	case revoker.Confirmed:
		return p.green(text)
	case "":
		return p.yellow(text)
	case revoker.AlreadyAbsent, revoker.Changed, revoker.Withdrawn:
	}
	return text
}
