package ram

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// kind is what a document is for. It decides which elements a statement has.
type kind int

const (
	identity kind = iota
	trust
)

// elements are the elements that a statement of the kind may have.
func (k kind) elements() []string {
	if k == trust {
		return []string{"Effect", "Action", "Principal", "Condition"}
	}
	return []string{"Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
}

func parse(document []byte, k kind) (*Policy, error) {
	root, err := decode(document)
	if err != nil {
		return nil, err
	}
	r := reader{kind: k}
	policy := r.policy(&root)
	if len(r.problems) > 0 {
		return nil, errors.New(strings.Join(r.problems, "; "))
	}
	return policy, nil
}

// reader turns the values of a document into a policy. It goes on after a mistake and collects all.
type reader struct {
	kind     kind
	place    string // the statement that is being read, for messages
	problems []string
}

func (r *reader) problem(format string, args ...any) {
	r.problems = append(r.problems, r.place+fmt.Sprintf(format, args...))
}

// object gives the fields of an object by name and complains of repeated ones and of those that are not known. Where
// known is empty, all are.
func (r *reader) object(what string, v *value, known ...string) map[string]*value {
	if v.shape != object {
		r.problem("%s is %s, not an object", what, v.describe())
		return nil
	}
	fields := make(map[string]*value, len(v.fields))
	for i := range v.fields {
		f := &v.fields[i]
		switch {
		case fields[f.name] != nil:
			r.problem("%s has %q twice", what, f.name)
		case len(known) > 0 && !slices.Contains(known, f.name):
			r.problem("%s has the unknown element %q, not one of %s", what, f.name, strings.Join(known, ", "))
		default:
			fields[f.name] = &f.value
		}
	}
	return fields
}

// texts reads one text or a list of at least one. The spelling of each is for the caller to check.
func (r *reader) texts(what string, v *value) []string {
	switch v.shape {
	case text:
		return []string{v.text}
	case list:
		if len(v.items) == 0 {
			r.problem("%s is an empty list", what)
		}
		texts := make([]string, 0, len(v.items))
		for i := range v.items {
			if item := &v.items[i]; item.shape == text {
				texts = append(texts, item.text)
			} else {
				r.problem("%s has %s, not a text", what, item.describe())
			}
		}
		return texts
	case bare, object:
	}
	r.problem("%s is %s, not a text or a list of texts", what, v.describe())
	return nil
}

func (r *reader) policy(root *value) *Policy {
	fields := r.object("the document", root, "Version", "Statement")
	if fields == nil {
		return nil
	}
	switch version := fields["Version"]; {
	case version == nil:
		r.problem("Version is missing")
	case !version.is("1"):
		r.problem(`Version is %s, RAM knows only the text "1"`, version.describe())
	}
	statements := fields["Statement"]
	switch {
	case statements == nil:
		r.problem("Statement is missing")
		return nil
	case statements.shape != list: // a single object is for other clouds: the syntax of RAM has a list only
		r.problem("Statement is %s, not a list", statements.describe())
		return nil
	case len(statements.items) == 0:
		r.problem("Statement is an empty list")
	}
	var policy Policy
	for i := range statements.items {
		r.place = fmt.Sprintf("statement %d: ", i+1)
		policy.statements = append(policy.statements, r.statement(&statements.items[i]))
	}
	return &policy
}

func (r *reader) statement(v *value) statement {
	var s statement
	fields := r.object("the statement", v, r.kind.elements()...)
	if fields == nil {
		return s
	}
	s.deny = r.effect(fields["Effect"])
	actions, not := r.either(fields, "Action", "NotAction", isAction)
	s.actions = newActionSet(actions, not)
	if r.kind == trust {
		s.principals = r.principals(fields["Principal"])
	} else {
		resources, not := r.either(fields, "Resource", "NotResource", isResource)
		s.resources = newResourceSet(resources, not)
	}
	if v := fields["Condition"]; v != nil {
		s.conditions = r.conditions(v)
	}
	return s
}

// effect tells whether a statement denies.
func (r *reader) effect(v *value) bool {
	switch {
	case v == nil:
		r.problem("Effect is missing")
	case v.is("Deny"):
		return true
	case !v.is("Allow"):
		r.problem(`Effect is %s, neither "Allow" nor "Deny"`, v.describe())
	}
	return false
}

// either reads an element that has an opposite, and tells whether it was the opposite. Patterns that are not legal are
// left out of the result.
func (r *reader) either(fields map[string]*value, name, opposite string, legal func(string) bool) ([]string, bool) {
	v, not := fields[name], false
	switch {
	case v != nil && fields[opposite] != nil:
		r.problem("both %s and %s are there", name, opposite)
		return nil, false
	case v == nil && fields[opposite] != nil:
		v, name, not = fields[opposite], opposite, true
	case v == nil:
		r.problem("%s is missing", name)
		return nil, false
	}
	var patterns []string
	for _, pattern := range r.texts(name, v) {
		if legal(pattern) {
			patterns = append(patterns, pattern)
		} else {
			r.problem("%s %q is malformed", name, pattern)
		}
	}
	return patterns, not
}

// isAction tells whether a pattern of actions is "*" or <code of a service>:<name of an action>.
func isAction(pattern string) bool {
	service, name, _ := strings.Cut(pattern, ":")
	return pattern == anything || service != "" && name != "" && isPrintable(pattern)
}

// isResource tells whether a pattern of resources is "*" or acs:<service>:<region>:<account>:<relative ID>. Region and
// account may be empty, as in the ARNs of RAM itself.
func isResource(pattern string) bool {
	fields, ok := splitARN(pattern)
	return pattern == anything || ok && fields[1] != "" && fields[arnFields-1] != ""
}

// isPrintable tells whether text consists of ASCII characters that can be seen.
func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}

// principals reads the element Principal and gives those of RAM, the only ones that can assume a role here.
func (r *reader) principals(v *value) []string {
	if v == nil {
		r.problem("Principal is missing")
		return nil
	}
	fields := r.object("Principal", v, "RAM", "Service", "Federated")
	if v.shape == object && len(v.fields) == 0 {
		r.problem("Principal is empty")
	}
	var arns []string
	for _, kind := range []string{"RAM", "Service", "Federated"} {
		if fields[kind] == nil {
			continue
		}
		for _, name := range r.texts("Principal "+kind, fields[kind]) {
			switch {
			case kind != "RAM":
				if name == "" || !isPrintable(name) {
					r.problem("Principal %s %q is malformed", kind, name)
				}
			case !isPrincipal(name):
				r.problem("Principal RAM %q is no account, user or role", name)
			default:
				arns = append(arns, name)
			}
		}
	}
	return arns
}

// conditions reads the element Condition. An empty one is no condition: editors of policies leave it behind.
func (r *reader) conditions(v *value) []condition {
	var conditions []condition
	r.object("Condition", v) // only for what it complains of: the order of the document is kept below
	for i := range v.fields {
		name, keys := v.fields[i].name, &v.fields[i].value
		op, ok := findOperator(name)
		if !ok {
			r.problem("condition operator %q is unknown", name)
			continue
		}
		r.object("condition "+name, keys)
		if keys.shape == object && len(keys.fields) == 0 {
			r.problem("condition %s has no key", name)
		}
		for k := range keys.fields {
			conditions = append(conditions, r.condition(name, op, &keys.fields[k]))
		}
	}
	return conditions
}

// condition reads one key under an operator.
func (r *reader) condition(name string, op operator, f *field) condition {
	what := fmt.Sprintf("condition %s of %q", name, f.name)
	// Every key is one of the cloud (acs:) or of a service (ecs:).
	if prefix, rest, _ := strings.Cut(f.name, ":"); prefix == "" || rest == "" {
		r.problem("%s: the key is not like acs:SourceIp", what)
	}
	c := condition{key: f.name, negated: op.negated}
	for _, want := range r.texts(what, &f.value) {
		matches, err := op.compile(want)
		if err != nil {
			r.problem("%s: %q is %s", what, want, err)
			continue
		}
		c.tests = append(c.tests, matches)
	}
	return c
}
