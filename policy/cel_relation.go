package policy

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// expressionRelations are the fields that relations can be asked of, as in rule.destination.within(['10.0.0.0/8']), with
// the keys of `match` that mean the same.
func expressionRelations() map[string]string {
	return map[string]string{
		"rule.destination":  "destination",
		"rule.source":       "source",
		"rule.protocol":     "protocol",
		"rule.ports":        "ports",
		"rule.source_ports": "source-ports",
		"rule.priority":     "priority",
	}
}

// readRelations takes the relations out of an expression: each becomes a clause like that of a `match`, and in the
// expression a variable for the truth of it. So its list is read when the policy is, and it means the same in both.
func (e *expressionReader) readRelations(parsed *cel.Ast) {
	info := parsed.NativeRep().SourceInfo()
	factory := ast.NewExprFactory()
	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(expr ast.Expr) {
		if expr.Kind() == ast.ComprehensionKind {
			e.checkVariables(info, expr)
		}
		if expr.Kind() != ast.CallKind {
			return
		}
		call := expr.AsCall()
		if !call.IsMemberFunction() || !slices.Contains(relationNames(), call.FunctionName()) {
			e.checkAddress(info, call)
			return
		}
		e.relationCall(info, expr)
		expr.SetKindCase(factory.NewIdent(expr.ID(), relationVariable(max(len(e.clause.relations)-1, 0))))
	}))
}

// checkVariables refuses variables of all() and its like that would hide a field.
func (e *expressionReader) checkVariables(info *ast.SourceInfo, expr ast.Expr) {
	loop := expr.AsComprehension()
	for _, name := range []string{loop.IterVar(), loop.IterVar2()} {
		if isField(name) {
			e.problem(info.GetStartLocation(expr.ID()), "%q cannot be the name of a variable, since it already means something", name)
		}
	}
}

// relationCall reads one relation.
func (e *expressionReader) relationCall(info *ast.SourceInfo, expr ast.Expr) {
	call := expr.AsCall()
	name := call.FunctionName()
	rel := relation(slices.Index(relationNames(), name)) //nolint:gosec // there are five
	at := info.GetStartLocation(expr.ID())
	keys := expressionRelations()
	subject := dotted(call.Target())
	key, ok := keys[subject]
	switch {
	case !ok:
		e.problem(at, "%q can be asked of %s only", name, strings.Join(sortedKeys(keys), ", "))
	case len(call.Args()) != 1 || call.Args()[0].Kind() != ast.ListKind:
		e.problem(at, "%q needs one list that is written out, such as %s.%s([...])", name, subject, name)
	case len(e.clause.relations) == maxRelations:
		e.problem(at, "the expression has more than %d relations", maxRelations)
	default:
		list := call.Args()[0]
		var parts []strictyaml.Part
		for _, element := range list.AsList().Elements() {
			text, isText := element.AsLiteral().(types.String)
			if element.Kind() != ast.LiteralKind || !isText {
				e.problem(info.GetStartLocation(element.ID()), "the lists of relations have texts only, such as '10.0.0.0/8' or '$name'")
				continue
			}
			parts = append(parts, strictyaml.Part{Pos: e.place(info.GetStartLocation(element.ID())), Text: string(text)})
		}
		if len(parts) != len(list.AsList().Elements()) {
			return
		}
		v := e.value.Parts(e.place(info.GetStartLocation(list.ID())), parts)
		for _, m := range e.relation(key, rel, v) {
			e.clause.relations = append(e.clause.relations, m.clause)
		}
	}
}

// checkAddress holds an address that is written out against what a policy file takes for one: CEL would take host bits,
// and find other mistakes only when a rule is judged.
func (e *expressionReader) checkAddress(info *ast.SourceInfo, call ast.CallExpr) {
	if len(call.Args()) != 1 || call.Args()[0].Kind() != ast.LiteralKind {
		return
	}
	argument := call.Args()[0]
	text, isText := argument.AsLiteral().(types.String)
	if !isText {
		return
	}
	at := e.place(info.GetStartLocation(argument.ID()))
	switch call.FunctionName() {
	case "cidr", "containsCIDR":
		if _, err := parseElement(string(text)); err != nil {
			e.problems.Add(at, CodeAddress, "%s", err)
		} else if !strings.Contains(string(text), "/") {
			e.problems.Add(at, CodeAddress, "%q is no address block, such as 10.0.0.0/8", string(text))
		}
	case "ip", "containsIP":
		if _, err := parseElement(string(text)); err != nil {
			e.problems.Add(at, CodeAddress, "%s", err)
		} else if strings.ContainsAny(string(text), "/-") {
			e.problems.Add(at, CodeAddress, "%q is no single address", string(text))
		}
	}
}

// dotted writes a name such as rule.destination; empty for what is no name.
func dotted(expr ast.Expr) string {
	if expr.Kind() == ast.IdentKind {
		return expr.AsIdent()
	}
	if expr.Kind() != ast.SelectKind || expr.AsSelect().IsTestOnly() {
		return ""
	}
	if head := dotted(expr.AsSelect().Operand()); head != "" {
		return head + "." + expr.AsSelect().FieldName()
	}
	return ""
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
