package policy

import "fmt"

// priorityClause compares the priority of a rule with a list of ranges. A lower number is decided first.
type priorityClause struct {
	relation relation
	list     *numberList
}

func (c *priorityClause) eval(p *probe) value {
	priority := p.rule.Priority
	if priority == 0 {
		return unread
	}
	set := [1]numbers{{low: priority, high: priority}}
	return truth(c.list.compare(c.relation, set[:]))
}

func (c *priorityClause) because(p *probe) string {
	return fmt.Sprintf("priority %d %s %s", p.rule.Priority, phrase(c.relation), c.list.text)
}

func (c *priorityClause) canonical() string {
	return fmt.Sprintf("priority %s %s", c.relation, c.list.canonical())
}

// parsePriority reads an element of a priority list: `1` or `1-100`. The cloud accepts 1 to 100 and has old rules of 110.
func parsePriority(text string) (numbers, error) {
	return parseNumbers(text, numberKind{what: "priority", example: "1 or 1-100", most: 1000})
}
