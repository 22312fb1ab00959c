package policy

import (
	"fmt"
	"strconv"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// Limits of an expression. They bound what loading and judging can cost, whoever wrote it.
const (
	maxExpression = 4096 // bytes
	maxNesting    = 32   // parentheses, calls and lists inside each other
	maxNodes      = 1024 // parts, after macros such as exists() are written out
	maxLoops      = 2    // all(), exists(), map() inside each other
	maxRelations  = 64
	maxPattern    = 1000 // instructions of a compiled RE2 expression
	maxCost       = 100_000
)

// celLanguage is CEL with the fields of rules and the relations of policies. It is immutable.
//
// CEL's && and || are Kleene's, for unknown values and for errors alike: `false && x` is false whatever x is. What it has
// no word for is why a value is unknown; so there are two unknown values, told apart by their IDs.
type celLanguage struct {
	env       *cel.Env
	fields    map[string]*expressionField
	relations map[string]int // by variable
	silent    *types.Unknown
	unread    *types.Unknown
}

// IDs of the two unknown values.
const (
	silentID int64 = -1
	unreadID int64 = -2
)

// relationVariable is what a relation becomes once it was read: a variable whose name cannot be written in an expression.
func relationVariable(index int) string { return relationPrefix + strconv.Itoa(index) }

const relationPrefix = "@relation"

// newCELLanguage makes the language. It takes a few milliseconds, which only policies with an expression pay.
func newCELLanguage() (*celLanguage, error) {
	l := &celLanguage{
		fields: map[string]*expressionField{}, relations: map[string]int{},
		silent: types.NewUnknown(silentID, nil),
		unread: types.NewUnknown(unreadID, nil),
	}
	options := []cel.EnvOption{
		ext.Network(),
		cel.ExtendedValidations(),
		cel.ASTValidators(cel.ValidateComprehensionNestingLimit(maxLoops), cel.ValidateRegexProgramSizeLimit(maxPattern)),
		cel.RegexProgramSizeLimit(maxPattern),
		cel.ParserRecursionLimit(maxNesting),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ExpressionNodeLimit(maxNodes),
		cel.DefaultUTCTimeZone(true),
		cel.EnableMacroCallTracking(), // so that an expression can be written back
	}
	fields := expressionFields()
	for i := range fields {
		f := &fields[i]
		l.fields[f.name] = f
		options = append(options, cel.VariableWithDoc(f.name, f.typ, f.doc))
	}
	for i := range maxRelations {
		l.relations[relationVariable(i)] = i
		options = append(options, cel.Variable(relationVariable(i), cel.BoolType))
	}
	var err error
	if l.env, err = cel.NewEnv(options...); err != nil {
		return nil, fmt.Errorf("setting up CEL: %w", err)
	}
	return l, nil
}

// truth is a value of a clause in CEL's terms.
func (l *celLanguage) truth(v value) ref.Val {
	switch v {
	case yes:
		return types.True
	case no:
		return types.False
	case silent:
		return l.silent
	case unread, badExpiry:
	}
	return l.unread
}

// celActivation is what the names in an expression stand for: the fields of the rule that a probe stands for, and the
// relations of the expression.
type celActivation struct {
	language  *celLanguage
	relations []clause
	probe     *probe
}

// Parent says that no other names are known.
func (a *celActivation) Parent() cel.Activation { return nil }

// ResolveName gives the value of a name.
func (a *celActivation) ResolveName(name string) (any, bool) {
	l := a.language
	if i, ok := l.relations[name]; ok && i < len(a.relations) {
		return l.truth(a.relations[i].eval(a.probe)), true
	}
	f, ok := l.fields[name]
	if !ok {
		return nil, false
	}
	v, state := f.get(a.probe)
	if state != yes {
		return l.truth(state), true
	}
	return v, true
}
