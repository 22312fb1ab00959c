package report

import (
	"time"

	"github.com/egress-janitor/egress-janitor/policy"
)

// changeTitle introduces what was changed about the policies.
const changeTitle = "Policies changed since the last sweep"

// changes are those of the policies in words, what matters most first.
func (s *Sweep) changes() []policy.Line {
	if s.Change == nil {
		return nil
	}
	return s.Change.Lines()
}

func (t *table) change() {
	lines := t.changes()
	if len(lines) == 0 {
		return
	}
	t.printf("\n%s\n", t.paint.bold(changeTitle))
	for _, line := range lines {
		text := Clean(line.Text)
		if line.Wider {
			text = t.paint.yellow("! " + text)
		} else {
			text = "  " + text
		}
		t.printf("  %s\n", text)
	}
	t.printf("  ! marks what may have more revoked.\n")
}

func (m *markdown) change() {
	lines := m.changes()
	if len(lines) == 0 {
		return
	}
	m.printf("\n## %s\n\n", changeTitle)
	for _, line := range lines {
		mark := ""
		if line.Wider {
			mark = "**may have more revoked:** "
		}
		m.printf("- %s%s\n", mark, code(line.Text))
	}
}

type jsonChange struct {
	ExceptionsRemoved []jsonExceptionChange `json:"exceptionsRemoved"` // that had not expired
	ExceptionsEnded   []jsonExceptionChange `json:"exceptionsEnded"`
	ExceptionsChanged []jsonExceptionChange `json:"exceptionsChanged"`
	ExceptionsAdded   []jsonExceptionChange `json:"exceptionsAdded"`
	PoliciesAdded     []jsonPolicyChange    `json:"policiesAdded"`
	PoliciesRemoved   []jsonPolicyChange    `json:"policiesRemoved"`
	PoliciesChanged   []jsonPolicyChange    `json:"policiesChanged"`
	SetsChanged       []jsonSetChange       `json:"setsChanged"`
}

type jsonExceptionChange struct {
	Name    string            `json:"name"`
	Owner   string            `json:"owner"`
	Ticket  string            `json:"ticket,omitempty"`
	Expires time.Time         `json:"expires"`
	Changed []jsonFieldChange `json:"changed,omitempty"`
}

type jsonPolicyChange struct {
	Name    string            `json:"name"`
	Action  string            `json:"action"`
	Changed []jsonFieldChange `json:"changed,omitempty"`
}

type jsonFieldChange struct {
	Key    string `json:"key"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	Wider  bool   `json:"wider"`
}

type jsonSetChange struct {
	Set    string `json:"set"`
	File   string `json:"file"`
	Before int    `json:"before"`
	After  int    `json:"after"`
}

func newJSONChange(c *policy.Change) jsonChange {
	sets := make([]jsonSetChange, len(c.SetsChanged))
	for i, s := range c.SetsChanged {
		sets[i] = jsonSetChange(s)
	}
	return jsonChange{
		ExceptionsRemoved: jsonExceptionChanges(c.ExceptionsRemoved), ExceptionsEnded: jsonExceptionChanges(c.ExceptionsEnded),
		ExceptionsChanged: jsonExceptionChanges(c.ExceptionsChanged), ExceptionsAdded: jsonExceptionChanges(c.ExceptionsAdded),
		PoliciesAdded: jsonPolicyChanges(c.PoliciesAdded), PoliciesRemoved: jsonPolicyChanges(c.PoliciesRemoved),
		PoliciesChanged: jsonPolicyChanges(c.PoliciesChanged), SetsChanged: sets,
	}
}

func jsonExceptionChanges(list []policy.ExceptionChange) []jsonExceptionChange {
	changes := make([]jsonExceptionChange, len(list))
	for i, x := range list {
		changes[i] = jsonExceptionChange{
			Name: x.Name, Owner: x.Owner, Ticket: x.Ticket, Expires: x.Expires.UTC(), Changed: jsonFieldChanges(x.Fields),
		}
	}
	return changes
}

func jsonPolicyChanges(list []policy.ChangedPolicy) []jsonPolicyChange {
	changes := make([]jsonPolicyChange, len(list))
	for i, p := range list {
		changes[i] = jsonPolicyChange{Name: p.Name, Action: string(p.Action), Changed: jsonFieldChanges(p.Fields)}
	}
	return changes
}

func jsonFieldChanges(list []policy.FieldChange) []jsonFieldChange {
	changes := make([]jsonFieldChange, len(list))
	for i, f := range list {
		changes[i] = jsonFieldChange(f)
	}
	return changes
}
