package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// HistoryTable writes one line for each revocation, in the order given. None give nothing.
func HistoryTable(w io.Writer, items []HistoryItem, o TableOptions) error {
	if len(items) == 0 {
		return nil
	}
	rows := [][]string{{"TIME", "OUTCOME", "ACCOUNT", "GROUP", "RULE", "WHAT IT SAID", "POLICIES", "SWEEP"}}
	for i := range items {
		h := &items[i]
		outcome := outcomeName(h.Outcome)
		if id := h.restoredAs(); id != "" {
			outcome += ", restored"
		}
		rows = append(rows, []string{
			timeText(h.Created), outcome, Clean(h.Ref.Account), Clean(h.Ref.Region + " " + h.Ref.Group),
			Clean(orDash(h.Rule.ID)), ruleText(&h.Rule), Clean(strings.Join(h.policies(), " ")), Clean(h.Sweep),
		})
	}
	out := bufio.NewWriter(w)
	paint := painter(o.Color)
	columns(out, rows, func(row, column int, text string) string {
		switch {
		case row == 0:
			return paint.bold(text)
		case column == 1:
			return paint.outcome(items[row-1].Outcome, text)
		}
		return text
	})
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// columns writes rows of as many cells, aligned. Cells are painted after they were measured.
func columns(out *bufio.Writer, rows [][]string, paint func(row, column int, text string) string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for r, row := range rows {
		for i, cell := range row {
			gap := ""
			if i < len(row)-1 {
				gap = strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
			}
			_, _ = out.WriteString(paint(r, i, cell) + gap)
		}
		_ = out.WriteByte('\n')
	}
}
