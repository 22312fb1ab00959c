package policy

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// celRecord is an activation that remembers which names an expression looked at.
type celRecord struct {
	*celActivation

	names []string // each once, in the order of the first look
	known map[string]any
}

// ResolveName implements [cel.Activation].
func (r *celRecord) ResolveName(name string) (any, bool) {
	v, ok := r.celActivation.ResolveName(name)
	if _, seen := r.known[name]; ok && !seen {
		r.names = append(r.names, name)
		r.known[name] = v
	}
	return v, ok
}

// tell names the values that the expression looked at: what the others are does not matter to it.
func (c *expressionClause) tell(p *probe, v value) telling {
	record := &celRecord{
		celActivation: &celActivation{language: c.language, relations: c.relations, probe: p}, known: map[string]any{},
	}
	_, _, err := c.program.Eval(record)
	t := telling{key: "expression", asks: c.shortText()}
	var has, why []string
	for _, name := range record.names {
		if i, isRelation := c.language.relations[name]; isRelation && i < len(c.relations) {
			truth := c.relations[i].eval(p)
			told := c.relations[i].tell(p, truth)
			text := fmt.Sprintf("%s %s is %s", told.key, told.asks, truthOf(truth))
			if told.why != "" {
				text += " (" + told.why + ")"
			}
			why = append(why, text)
			continue
		}
		unknown, isUnknown := record.known[name].(*types.Unknown)
		if !isUnknown {
			has = append(has, name+" = "+celText(record.known[name]))
			continue
		}
		gap := "was not read"
		if unknown.Contains(c.language.silent) {
			gap = "does not speak of this rule"
		}
		why = append(why, fmt.Sprintf("%s %s", name, gap))
	}
	if v == unread && err != nil {
		why = append(why, plainCEL(err.Error()))
	}
	if t.why = strings.Join(why, "; "); t.why == "" && truthOf(v) == Unknown {
		t.why = "something that it asks for was not read"
	}
	t.has = strings.Join(has, ", ")
	return t
}

// celText is a value of an expression, cut when long.
func celText(v any) string {
	val, ok := v.(ref.Val)
	if !ok {
		return fmt.Sprint(v)
	}
	const most = 60
	text := []rune(types.Format(val))
	if len(text) > most {
		return string(text[:most]) + " ..."
	}
	return string(text)
}
