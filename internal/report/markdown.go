package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// Markdown writes the report as a page in GitHub's flavour of Markdown, for tickets and wikis. Text of the cloud, and of
// policies, is in code spans, where nothing is a link, a mention or HTML; see [code].
func Markdown(w io.Writer, s *Sweep) error {
	m := &markdown{Sweep: s, page: page{bufio.NewWriter(w)}, executions: s.executions()}
	m.header()
	m.change()
	m.errors()
	m.findings()
	m.hygiene()
	m.exceptions()
	return m.end()
}

// HistoryMarkdown writes revocations as a table.
func HistoryMarkdown(w io.Writer, items []HistoryItem) error {
	p := page{bufio.NewWriter(w)}
	p.printf("# Revocations\n\n")
	if len(items) == 0 {
		p.printf("None.\n")
		return p.end()
	}
	p.row("Time", "Outcome", "Account", "Group", "Rule", "What it said", "Effect", "Policies", "Restored as", "Revocation")
	p.rule(10)
	for i := range items {
		h := &items[i]
		p.row(timeText(h.Created), outcomeName(h.Outcome), code(h.Ref.Account), code(h.Ref.Region+" "+h.Ref.Group),
			code(h.Rule.ID), code(ruleText(&h.Rule)),
			code(cmp.Or(h.Effect.Sentence, h.Effect.Class)), code(strings.Join(h.policies(), " ")), code(h.restoredAs()), code(h.ID))
	}
	return p.end()
}

// page writes Markdown. It leaves errors to the writer, which keeps the first for its Flush.
type page struct{ out *bufio.Writer }

func (p page) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }

func (p page) row(cells ...string) { p.printf("| %s |\n", strings.Join(cells, " | ")) }

// rule writes the line between the head of a table and its rows.
func (p page) rule(columns int) { p.printf("|%s\n", strings.Repeat(" --- |", columns)) }

func (p page) end() error {
	if err := p.out.Flush(); err != nil {
		return fmt.Errorf("writing the Markdown report: %w", err)
	}
	return nil
}

type markdown struct {
	*Sweep
	page

	executions executions
}

func (m *markdown) header() {
	totals := m.Totals()
	m.printf("# %s%s\n\n", m.title(), code(m.Account))
	if !m.Complete {
		m.printf("**THIS REPORT IS NOT COMPLETE:** what is listed as not read is not judged, " +
			"and nothing is known about it.\n\n")
	}
	m.printf("- %s to %s, sweep %s, policies %s\n", timeText(m.Started), timeText(m.Finished), code(m.ID),
		code(short(m.PolicyHash)))
	m.printf("- %s, %s in %s\n", plural(totals.Groups, "group", "groups"),
		plural(totals.Rules, "egress rule", "egress rules"), plural(len(m.Regions), "region", "regions"))
	m.printf("- %s\n", plural(totals.Findings, "finding", "findings"))
	for _, line := range m.effectLines(&totals) {
		m.printf("- %s\n", line)
	}
	switch {
	case m.Acting:
		m.outcomes(totals.ByOutcome)
	case totals.ByAction[string(decision.Revoke)] > 0:
		m.printf("- nothing was revoked (%s); decisions are computed as if enforcing%s\n", code(m.NotExecuted), m.unknowns())
	}
}

func (m *markdown) outcomes(counts map[string]int) {
	m.printf("- %s by this sweep\n", plural(len(m.Revocations), "revocation", "revocations"))
	for _, outcome := range outcomeOrder() {
		if n := counts[outcomeName(outcome)]; n > 0 {
			m.printf("  - %d: %s\n", n, outcomeText(&revoker.Revocation{Outcome: outcome}))
		}
	}
}

func (m *markdown) errors() {
	if len(m.Errors) == 0 && m.Unreadable == 0 {
		return
	}
	m.printf("\n## Not read, or not understood\n\n")
	for i := range m.Errors {
		e := &m.Errors[i]
		m.printf("- %s: %s\n", code(m.place(e)), code(e.Text))
	}
	if more := m.unnamed(); more > 0 {
		m.printf("- and %s\n", plural(more, "more rule that was not understood", "more rules that were not understood"))
	}
}

func (m *markdown) findings() {
	if len(m.Findings) == 0 {
		return
	}
	m.printf("\n## Findings\n")
	batches := m.batches()
	for i := range m.Findings {
		f := &m.Findings[i]
		if i == 0 || m.Findings[i-1].Group != f.Group {
			m.printf("\n### %s %s\n\n", code(f.Group.Region+" "+f.Group.ID), code(f.Group.Name))
			m.together(batches[keyOf(f.Group)])
			m.row("Decision", "Rule", "What it says", "Because", "Effect", "Description")
			m.rule(6)
		}
		m.row(m.verdict(f), code(f.Rule.ID), code(ruleText(&f.Rule)), because(f), effectCell(f), code(f.Rule.Description))
		if i == len(m.Findings)-1 || m.Findings[i+1].Group != f.Group {
			m.proposals(f.Group, m.Findings[:i+1])
		}
	}
}

// verdict is the decision and what became of it.
func (m *markdown) verdict(f *decision.Finding) string {
	text := code(f.Decision.String())
	if r := m.executions.of(f); r != nil {
		return strings.TrimSpace("**" + outcomeText(r) + "** " + code(r.Detail))
	}
	if why := m.notExecuted(f, m.executions); why != "" {
		text += " (not executed: " + code(why) + ")"
	}
	return text
}

func because(f *decision.Finding) string {
	reasons := make([]string, len(f.Violations), len(f.Violations)+1)
	for i, v := range f.Violations {
		reasons[i] = fmt.Sprintf("%s (%s): %s", code(v.Policy.Name), v.Policy.Severity, code(strings.Join(v.Because, "; ")))
	}
	if detail := detailText(&f.Decision.Verdict); detail != "" {
		reasons = append(reasons, code(detail))
	}
	return strings.Join(reasons, "; ")
}

func (m *markdown) exceptions() {
	if len(m.Exceptions) == 0 {
		return
	}
	m.printf("\n## Exceptions\n\n")
	m.row("Exception", "Exempted", "Unsure", "Until", "Owner", "Notices")
	m.rule(6)
	for i := range m.Exceptions {
		x := &m.Exceptions[i]
		m.row(code(x.Name), fmt.Sprint(x.Exempted), fmt.Sprint(x.Unsure), timeText(x.Expires), code(x.Owner),
			strings.Join(m.notices(x), ", "))
	}
}

// code makes a code span of a text of strangers, which is empty for an empty one. Renderers take it literally but for
// what could end the span or the table cell that it is in; that is written as an escape, like control characters. So
// are angle brackets and the middle of a link, for renderers that are not careful.
func code(text string) string {
	if text == "" {
		return ""
	}
	text = inCode().Replace(Clean(text))
	if rest, found := strings.CutSuffix(text, `\`); found { // it would escape the end of the span for some
		text = rest + `\u005c`
	}
	if strings.TrimSpace(text) == "" { // not every renderer has spans of nothing
		return "-"
	}
	return "`" + text + "`"
}

func inCode() *strings.Replacer {
	return strings.NewReplacer("`", `\u0060`, "|", `\u007c`, "<", `\u003c`, ">", `\u003e`, "](", `]\u0028`)
}
