package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file. Line and Column count from 1.
type Pos struct {
	File   string
	Line   int
	Column int
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Problem is one mistake in a file, at its place. Code is a stable name for its kind.
type Problem struct {
	Pos     Pos
	Code    string
	Message string
}

func (p Problem) String() string { return fmt.Sprintf("%s: %s [%s]", p.Pos, p.Message, p.Code) }

// Problems collects mistakes, over any number of files. The zero value is ready to use.
type Problems struct {
	list []Problem
}

// Add notes a mistake.
func (p *Problems) Add(pos Pos, code, format string, args ...any) {
	p.list = append(p.list, Problem{Pos: pos, Code: code, Message: fmt.Sprintf(format, args...)})
}

// Len is the number of mistakes noted so far. Comparing two values of it tells whether a step added any.
func (p *Problems) Len() int { return len(p.list) }

// Err is nil if nothing was noted, and otherwise an *[Error] with every problem once, sorted by place.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	list := slices.Clone(p.list)
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(
			strings.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			strings.Compare(a.Code, b.Code),
			strings.Compare(a.Message, b.Message),
		)
	})
	return &Error{Problems: slices.Compact(list)}
}

// Error is what a file or a set of files is refused for. Its text has one line a problem:
// `file:line:column: message [code]`.
type Error struct {
	Problems []Problem
}

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
