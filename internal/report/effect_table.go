package report

import (
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/decision"
)

// effect says what removing a rule does, and how it could be narrowed.
func (t *table) effect(f *decision.Finding, indent string) {
	if tellsEffect(f) {
		t.printf("%s%s\n", indent, Clean(sentence(f.Effect)))
		t.warning(f.Effect.Warning(), indent)
	}
	if f.Narrowing == nil || !tellsNarrowing(f) {
		return
	}
	text, rules := proposal(f.Narrowing)
	t.printf("%sto narrow it: %s\n", indent, Clean(text))
	for _, rule := range rules {
		t.printf("%s  %s\n", indent, rule)
	}
}

// warning stands on a line of its own, in red.
func (t *table) warning(text, indent string) {
	if text != "" {
		t.printf("%s%s\n", indent, t.paint.red(Clean(text)))
	}
}

// together says what removing all candidates of a group does, which may be more than each of them does.
func (t *table) together(b *batch) {
	text, warning := b.together()
	if text == "" {
		return
	}
	t.printf("    %s\n", Clean(text))
	t.warning(warning, "    ")
}

// hygiene lists what is odd about rules, group by group.
func (t *table) hygiene() {
	if t.Hygiene == nil {
		return
	}
	t.printf("\n%s\n", t.paint.bold(hygieneTitle))
	if len(t.Hygiene) == 0 {
		t.printf("  %s\n", nothingOdd)
	}
	kinds, ids := 0, 0
	for i := range t.Hygiene {
		kinds = max(kinds, len(t.Hygiene[i].Anomaly.Kind))
		ids = max(ids, len(t.Hygiene[i].Rule.ID))
	}
	for i := range t.Hygiene {
		h := &t.Hygiene[i]
		if i == 0 || t.Hygiene[i-1].Group != h.Group {
			t.printf("\n  %s %s\n", t.paint.bold(Clean(h.Group.Region+" "+h.Group.ID)), Clean(h.Group.Name))
		}
		t.printf("    %-*s  %-*s  %s\n", kinds, h.Anomaly.Kind, ids, Clean(orDash(h.Rule.ID)), ruleText(&h.Rule))
		t.printf("%s%s\n", strings.Repeat(" ", 4+kinds+2), Clean(h.Anomaly.Why))
	}
}
