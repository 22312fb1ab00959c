package policy

import (
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// expressionReader reads one expression.
type expressionReader struct {
	*matchReader

	language *celLanguage
	value    strictyaml.Value
	text     string
	clause   *expressionClause
}

// expression reads an expression in CEL. Nil means a mistake, which was reported.
func (r *matchReader) expression(v strictyaml.Value) clause {
	text, ok := v.String()
	if !ok {
		return nil
	}
	if len(text) > maxExpression {
		v.Problem(CodeExpression, "the expression has %d bytes, more than the %d that are read", len(text), maxExpression)
		return nil
	}
	if r.language == nil {
		language, err := newCELLanguage()
		if err != nil {
			v.Problem(CodeExpression, "%s", err)
			return nil
		}
		r.language = language
	}
	e := expressionReader{
		matchReader: r, language: r.language, value: v, text: text,
		clause: &expressionClause{language: r.language, text: text},
	}
	before := r.problems.Len()
	e.read()
	if r.problems.Len() > before {
		return nil
	}
	return e.clause
}

func (e *expressionReader) read() {
	before := e.problems.Len()
	parsed, issues := e.language.env.Parse(e.text)
	if e.report(issues) {
		return
	}
	meaning, err := cel.AstToString(parsed)
	if err != nil { // it is still an expression: only its spelling then counts
		meaning = e.text
	}
	e.clause.meaning = meaning
	e.readRelations(parsed)
	if e.problems.Len() > before {
		return
	}
	checked, issues := e.language.env.Check(parsed)
	if e.report(issues) {
		return
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) {
		e.value.Problem(CodeExpression, "the expression must come to true or false, and this one comes to %s; compare it "+
			"with something", plainCEL(cel.FormatCELType(t)))
		return
	}
	if !asksAnything(checked) {
		e.value.Problem(CodeExpression, "the expression asks nothing of rule, group, account or now, so it is always the same; "+
			"for every rule write `every-rule: true`")
		return
	}
	e.clause.program, err = e.language.env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err == nil {
		e.clause.traced, err = e.language.env.Program(checked, cel.EvalOptions(cel.OptTrackState), cel.CostLimit(maxCost))
	}
	if err != nil {
		e.value.Problem(CodeExpression, "the expression cannot be compiled: %s", err)
	}
}

// asksAnything tells whether the expression depends on a rule at all.
func asksAnything(checked *cel.Ast) bool {
	for _, reference := range checked.NativeRep().ReferenceMap() {
		if reference.Name != "" && reference.Value == nil && len(reference.OverloadIDs) == 0 && isField(reference.Name) {
			return true
		}
	}
	return false
}

// isField tells a field, or a relation of one, from the variables of all() and its like.
func isField(name string) bool {
	head, _, _ := strings.Cut(name, ".")
	switch head {
	case "rule", "group", "account", "now":
		return true
	}
	return strings.HasPrefix(name, relationPrefix)
}

// maxIssues bounds what is told of one expression: after the first few, most follow from those before.
const maxIssues = 3

// report reports the mistakes that CEL found, at their places in the file, and tells whether there were any.
func (e *expressionReader) report(issues *cel.Issues) bool {
	if issues.Err() == nil {
		return false
	}
	list := issues.Errors()
	if len(list) == 0 {
		e.value.Problem(CodeExpression, "%s", issues.Err())
	}
	for _, issue := range list[:min(len(list), maxIssues)] {
		e.problem(issue.Location, "%s", plainCEL(issue.Message))
	}
	return true
}

// problem reports a mistake at a place in the expression.
func (e *expressionReader) problem(at common.Location, format string, args ...any) {
	e.problems.Add(e.place(at), CodeExpression, format, args...)
}

// place is where a place in the expression is in the file.
func (e *expressionReader) place(at common.Location) strictyaml.Pos {
	if at == nil || at.Line() < 1 || at.Column() < 0 {
		return e.value.Pos()
	}
	offset, rest := at.Column(), e.text
	for range at.Line() - 1 {
		line, after, found := strings.Cut(rest, "\n")
		if !found {
			return e.value.Pos()
		}
		offset += utf8.RuneCountInString(line) + 1
		rest = after
	}
	return e.value.Inside(offset)
}
