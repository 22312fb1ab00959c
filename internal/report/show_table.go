package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// ShowTable writes everything that is known, for people: a sweep with its findings, and each revocation with a timeline
// of its calls and restores.
func ShowTable(w io.Writer, s *Shown, o TableOptions) error {
	out := &show{out: bufio.NewWriter(w), paint: painter(o.Color)}
	if s.Sweep != nil {
		out.sweep(s.Sweep)
	}
	for i := range s.Revocations {
		if i > 0 || s.Sweep != nil {
			out.printf("\n")
		}
		out.revocation(&s.Revocations[i])
	}
	if err := out.out.Flush(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

type show struct {
	out   *bufio.Writer
	paint painter
}

// printf leaves errors to the writer, which keeps the first for its Flush.
func (s *show) printf(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }

func (s *show) sweep(p *PastSweep) {
	s.printf("%s\n", s.paint.bold(fmt.Sprintf("Sweep %s of account %s", Clean(p.ID), Clean(p.Account))))
	ended := "still running, or not known to have ended"
	switch {
	case p.Interrupted:
		ended = s.paint.red("INTERRUPTED before it ended")
	case !p.Finished.IsZero():
		ended = "to " + timeText(p.Finished)
	}
	s.printf("  %s %s, policies %s\n", timeText(p.Started), ended, short(p.PolicyHash))
	acts := "reporting only"
	if p.Acting {
		acts = "acting"
	}
	s.printf("  mode %s, %s, started by %s\n", Clean(p.Mode), acts, startedBy(p.Origin, p.Actor))
	s.printf("  %s, %s, %s\n", plural(p.Groups, "group", "groups"), plural(p.Rules, "egress rule", "egress rules"),
		plural(len(p.Findings), "finding", "findings"))
	if !p.Finished.IsZero() && !p.Complete {
		s.printf("\n%s\n", s.paint.red("THIS SWEEP DID NOT READ EVERYTHING: nothing is known about what it did not read."))
		for _, problem := range p.Problems {
			s.line("  ", problem)
		}
	}
	s.findings(p.Findings)
}

// startedBy names who or what, and by which way.
func startedBy(origin revoker.Origin, actor string) string {
	switch {
	case actor == "":
		return Clean(orDash(string(origin)))
	case origin == "":
		return Clean(actor)
	}
	return Clean(fmt.Sprintf("%s (%s)", actor, origin))
}

func (s *show) findings(findings []PastFinding) {
	if len(findings) == 0 {
		return
	}
	s.printf("\n%s\n", s.paint.bold("Findings"))
	counts := map[string]int{}
	for i := range findings {
		f := &findings[i]
		if i == 0 || findings[i-1].Region != f.Region || findings[i-1].Group != f.Group {
			s.printf("\n  %s %s\n", s.paint.bold(Clean(f.Region+" "+f.Group)), Clean(f.GroupName))
		}
		verdict := decision.Verdict{Action: decision.Action(f.Action), Reason: f.Reason}.String()
		counts[verdict]++
		s.printf("    %s  %s  %s\n", Clean(verdict), Clean(orDash(f.Rule.ID)), ruleText(&f.Rule))
		for _, v := range f.Policies {
			aside := ""
			if v.Verdict != string(decision.Candidate) && v.Verdict != verdict {
				aside = " [" + v.Verdict + "]"
			}
			s.printf("      %s (%s): %s%s\n", Clean(v.Name), Clean(v.Severity), Clean(strings.Join(v.Because, "; ")), Clean(aside))
		}
		s.line("      ", f.Detail)
	}
	s.printf("\n")
	for _, verdict := range slices.Sorted(maps.Keys(counts)) {
		s.printf("  %5d  %s\n", counts[verdict], Clean(verdict))
	}
}

// line writes a text of its own, if there is any.
func (s *show) line(indent, text string) {
	if text != "" {
		s.printf("%s%s\n", indent, Clean(text))
	}
}

func (s *show) revocation(h *HistoryItem) {
	s.printf("%s\n", s.paint.bold("Revocation "+Clean(h.ID)))
	s.printf("  %s\n", s.paint.outcome(h.Outcome, outcomeText(&h.Revocation)))
	s.line("  ", h.Detail)
	s.printf("  account %s, %s, group %s, rule %s\n", Clean(h.Ref.Account), Clean(h.Ref.Region),
		Clean(strings.TrimSpace(h.Ref.Group+" "+h.GroupName)), Clean(orDash(h.Rule.ID)))
	s.printf("    %s\n", ruleText(&h.Rule))
	if h.Rule.Description != "" {
		s.printf("    \u201c%s\u201d\n", Clean(h.Rule.Description))
	}
	if e := h.Effect; e != (revoker.Effect{}) {
		s.line("  effect when decided on: ", cmp.Or(e.Sentence, e.Class))
	}
	for _, cause := range h.Policies {
		s.printf("  because of policy %s, version %s\n", Clean(cause.Policy), Clean(short(cause.Hash)))
	}
	events := h.timeline()
	for _, e := range events {
		s.printf("  %s  %s\n", e.at.UTC().Format(time.RFC3339), Clean(e.text))
		for _, detail := range e.details {
			s.line("  "+strings.Repeat(" ", len(time.RFC3339)-5)+"  ", detail)
		}
	}
}

// event is one line of a timeline.
type event struct {
	at      time.Time
	text    string
	details []string
}

// timeline gives what happened, in the order of time; what happened at once, in the order of the protocol.
func (h *HistoryItem) timeline() []event {
	events := []event{{at: h.Created, text: fmt.Sprintf("decided on by sweep %s of %s", h.Sweep, startedBy(h.Origin, h.Actor))}}
	for i := range h.Calls {
		events = append(events, callEvents(&h.Calls[i])...)
	}
	if h.Outcome != "" {
		events = append(events, event{at: h.Ended, text: outcomeText(&h.Revocation)})
	}
	for i := range h.Restores {
		events = append(events, restoreEvents(&h.Restores[i])...)
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	return events
}

func callEvents(c *revoker.Call) []event {
	events := []event{{
		at:      c.Recorded,
		text:    fmt.Sprintf("call %s recorded: %s for %s", c.ID, c.Action, plural(len(c.Carries), "rule", "rules")),
		details: []string{"token " + c.ClientToken()},
	}}
	if c.State == revoker.CallRecorded || c.State == "" {
		return events
	}
	answer := event{at: c.Answer.At, text: fmt.Sprintf("call %s: %s", c.ID, stateText(c.State))}
	if c.Answer.Code != "" {
		answer.text += ", " + c.Answer.Code
	}
	if c.Answer.RequestID != "" {
		answer.details = append(answer.details, "request ID "+c.Answer.RequestID)
	}
	answer.details = append(answer.details, c.Answer.Detail)
	return append(events, answer)
}

// stateText says what the cloud said, which is not what was done.
func stateText(state revoker.CallState) string {
	switch state {
	case revoker.CallSucceeded:
		return "the cloud answered with success, which proves nothing yet"
	case revoker.CallRefused:
		return "the cloud refused and did nothing"
	case revoker.CallUnknown:
		return "no answer that says whether anything was done"
	case revoker.CallUnsent:
		return "nothing was sent"
	case revoker.CallRecorded:
	}
	return string(state)
}

func restoreEvents(r *revoker.Restore) []event {
	begun := event{at: r.Created, text: fmt.Sprintf("restore %s by %s", r.ID, orDash(r.Actor))}
	if !r.HoldUntil.IsZero() {
		begun.details = append(begun.details, "not to be revoked again until "+timeText(r.HoldUntil))
	}
	if r.Outcome == "" {
		begun.details = append(begun.details, "open: not proven restored yet")
		return []event{begun}
	}
	ended := event{at: r.Ended, details: []string{r.Detail}}
	switch r.Outcome {
	case revoker.Restored:
		ended.text = "restored as rule " + orDash(r.RuleID) + ", proven by re-reading"
	case revoker.AlreadyThere:
		ended.text = "nothing to restore: the rule " + orDash(r.RuleID) + " says the same"
	case revoker.RestoreFailed:
		ended.text = "RESTORE FAILED: the rule is not there after all attempts"
	default:
		ended.text = "restore " + r.ID + ": " + string(r.Outcome)
	}
	return []event{begun, ended}
}
