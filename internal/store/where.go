package store

import "strings"

// where gathers the conditions of a query. Columns are constants of this package; values go in as arguments only.
type where struct {
	conditions []string
	args       []any
}

// text asks for a column to be a text, if there is one.
func (w *where) text(column, value string) {
	if value != "" {
		w.add(column+" = ?", value)
	}
}

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(w.conditions, " AND ")
}

// among gives the right side of an IN for values, of which there must be one at least, and the arguments for it.
func among(values []string) (list string, args []any) {
	for _, value := range values {
		args = append(args, value)
	}
	return "(?" + strings.Repeat(", ?", len(values)-1) + ")", args
}
