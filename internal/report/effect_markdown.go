package report

import (
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// effectCell says what removing a rule does; empty where that is of no interest.
func effectCell(f *decision.Finding) string {
	if !tellsEffect(f) {
		return ""
	}
	text := code(sentence(f.Effect))
	if warning := f.Effect.Warning(); warning != "" {
		text += " **" + code(warning) + "**"
	}
	return text
}

// together says what removing all candidates of a group does.
func (m *markdown) together(b *batch) {
	text, warning := b.together()
	if text == "" {
		return
	}
	m.printf("%s\n", code(text))
	if warning != "" {
		m.printf("**%s**\n", code(warning))
	}
	m.printf("\n")
}

// proposals are those for the rules of the group that the last of some findings are about.
func (m *markdown) proposals(group *sg.Group, findings []decision.Finding) {
	first := len(findings)
	for first > 0 && findings[first-1].Group == group {
		first--
	}
	begun := false
	for i := first; i < len(findings); i++ {
		f := &findings[i]
		if f.Narrowing == nil || !tellsNarrowing(f) {
			continue
		}
		if !begun {
			begun = true
			m.printf("\nTo narrow rules:\n\n")
		}
		text, rules := proposal(f.Narrowing)
		m.printf("- %s: %s\n", code(orDash(f.Rule.ID)), code(text))
		for _, rule := range rules {
			m.printf("  - %s\n", code(rule))
		}
	}
}

// hygiene lists what is odd about rules.
func (m *markdown) hygiene() {
	if m.Hygiene == nil {
		return
	}
	m.printf("\n## %s\n\n", hygieneTitle)
	if len(m.Hygiene) == 0 {
		m.printf("%s\n", nothingOdd)
		return
	}
	m.row("Group", "Rule", "What it says", "Anomaly", "Because of", "Why")
	m.rule(6)
	for i := range m.Hygiene {
		h := &m.Hygiene[i]
		m.row(code(h.Group.Region+" "+h.Group.ID), code(h.Rule.ID), code(ruleText(&h.Rule)), string(h.Anomaly.Kind),
			code(strings.Join(deciders(h.Anomaly.Others), " ")), code(h.Anomaly.Why))
	}
}
