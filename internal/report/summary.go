package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Summary writes the last part of [Table] alone: how many findings came to which decision, and what became of the
// revocations.
func Summary(w io.Writer, s *Sweep, o TableOptions) error {
	t := &table{Sweep: s, out: bufio.NewWriter(w), paint: painter(o.Color)}
	t.summary()
	if err := t.out.Flush(); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// RuleText says in one line what a rule does, safe for terminals.
func RuleText(r *sg.Rule) string { return ruleText(r) }
