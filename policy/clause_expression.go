package policy

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// expressionClause asks whether an expression in CEL is true.
type expressionClause struct {
	language  *celLanguage
	text      string   // as written
	meaning   string   // the same for expressions that differ in white space and brackets only
	relations []clause // those in it, in their order
	program   cel.Program
	traced    cel.Program // the same, keeping what its parts came to
}

// eval gives what the expression comes to. What is unknown is unread, unless all that made it so cannot speak of the
// rule. An error, a cost over the limit included, is unread.
func (c *expressionClause) eval(p *probe) value {
	a := &celActivation{language: c.language, relations: c.relations, probe: p}
	result, _, err := c.program.Eval(a)
	if err != nil {
		return unread
	}
	switch v := result.(type) {
	case types.Bool:
		return truth(bool(v))
	case *types.Unknown:
		if slices.Equal(v.IDs(), []int64{silentID}) && !c.erred(a) {
			return silent
		}
	}
	return unread
}

// erred tells whether a part of the expression is an error: beside something unknown CEL says nothing of it.
func (c *expressionClause) erred(a *celActivation) bool {
	_, details, err := c.traced.Eval(a)
	if err != nil || details == nil {
		return true
	}
	state := details.State()
	return slices.ContainsFunc(state.IDs(), func(id int64) bool {
		v, _ := state.Value(id)
		return isCELError(v)
	})
}

func isCELError(v ref.Val) bool { return v != nil && types.IsError(v) }

// collateral holds a rule by the relations in the expression: one that permits more than a true `overlaps` objects to.
// What else the expression asks is not looked at, so this errs on the side of leaving the rule alone.
func (c *expressionClause) collateral(p *probe) bool {
	return slices.ContainsFunc(c.relations, func(r clause) bool {
		one, can := r.(collateralClause)
		return can && r.eval(p) == yes && one.collateral(p)
	})
}

// excess is that of the relations that carry collateral.
func (c *expressionClause) excess(p *probe) string {
	var texts []string
	for _, r := range c.relations {
		if one, can := r.(collateralClause); can && r.eval(p) == yes && one.collateral(p) {
			texts = append(texts, one.excess(p))
		}
	}
	return strings.Join(texts, "; ")
}

func (c *expressionClause) because(*probe) string { return "expression is true: " + c.shortText() }

// maxExpressionText bounds what a report quotes of an expression, in characters.
const maxExpressionText = 120

// shortText is the expression in one line, cut when long.
func (c *expressionClause) shortText() string {
	text := []rune(strings.Join(strings.Fields(c.text), " "))
	if len(text) <= maxExpressionText {
		return string(text)
	}
	return string(text[:maxExpressionText]) + " ..."
}

// canonical has the relations beside the expression, since the sets in them may change.
func (c *expressionClause) canonical() string {
	parts := []string{"expression", c.meaning}
	for _, r := range c.relations {
		parts = append(parts, r.canonical())
	}
	return strings.Join(parts, " | ")
}
