package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// CSVOptions say how rows are written.
type CSVOptions struct {
	// Continued leaves the header out: the rows go on from another document.
	Continued bool
}

// CSV writes one row for each finding, for spreadsheets. What was not read has no rows: the column complete says
// whether the findings are all there are. No cell is a formula.
func CSV(w io.Writer, s *Sweep, o CSVOptions) error {
	out := newCSVWriter(w, o,
		"sweep", "account", "started", "complete", "region", "group", "group_name", "group_type", "vpc", "rule",
		"action", "protocol", "port_range", "source", "destination", "destination_kind", "priority", "nic_type",
		"description", "created", "policies", "severities", "because", "decision", "reason", "detail", "until",
		"executed", "not_executed_because", "revocation", "outcome",
		"effect_class", "effect", "closed_log2_ipv4", "closed_log2_ipv6")
	executions := s.executions()
	for i := range s.Findings {
		f := s.jsonFinding(&s.Findings[i], executions)
		names, severities, because := make([]string, 0, 1), make([]string, 0, 1), make([]string, 0, 1)
		for _, p := range f.Policies {
			names, severities = append(names, p.Name), append(severities, p.Severity)
			because = append(because, p.Because...)
		}
		revocation, outcome := "", ""
		if f.Revocation != nil {
			revocation, outcome = f.Revocation.ID, f.Revocation.Outcome
		}
		row := []string{s.ID, s.Account, timeText(s.Started), strconv.FormatBool(s.Complete)}
		row = append(row, f.Region, f.Group.ID, f.Group.Name, f.Group.Type, f.Group.VPC)
		row = append(row, ruleCells(&f.Rule)...)
		row = append(row, strings.Join(names, " "), strings.Join(severities, " "), strings.Join(because, "; "),
			f.Decision.Action, f.Decision.Reason, s.Findings[i].Decision.Detail, timeText(f.Decision.Until),
			strconv.FormatBool(f.Executed), f.NotExecutedBecause, revocation, outcome)
		row = append(row, effectCells(&f.Effect)...)
		out.row(row)
	}
	return out.end()
}

// ruleCells are the cells of a rule, from its ID to its creation time.
func ruleCells(r *jsonRule) []string {
	ports := r.PortRange
	if r.PortList != "" {
		ports = r.PortList
	}
	return []string{
		r.ID, r.Action, r.Protocol, ports, r.Source, r.Destination, r.DestinationKind, numberText(r.Priority), r.NICType,
		r.Description, r.CreateTime,
	}
}

// effectCells are the cells of an effect.
func effectCells(e *jsonEffect) []string {
	pairs := e.ClosedPairs
	if pairs == nil {
		pairs = &jsonPairs{}
	}
	return []string{e.Class, strings.TrimSpace(e.Sentence + " " + e.Warning), decimalText(pairs.IPv4), decimalText(pairs.IPv6)}
}

// decimalText is empty for no number.
func decimalText(n *float64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatFloat(*n, 'f', 1, 64)
}

// HistoryCSV writes one row for each revocation.
func HistoryCSV(w io.Writer, items []HistoryItem) error {
	out := newCSVWriter(w, CSVOptions{},
		"revocation", "sweep", "time", "account", "region", "group", "rule",
		"action", "protocol", "port_range", "source", "destination", "destination_kind", "priority", "nic_type",
		"description", "created", "policies", "outcome", "attribution", "detail", "ended", "restored_as", "origin", "actor",
		"request_ids", "effect_class", "effect")
	for i := range items {
		h := newJSONHistoryItem(&items[i])
		row := []string{h.ID, h.Sweep, timeText(h.Time), h.Account, h.Region, h.Group}
		row = append(row, ruleCells(&h.Rule)...)
		row = append(row, strings.Join(h.Policies, " "), h.Outcome, h.Attribution, h.Detail, timeText(h.Ended),
			h.RestoredAs, h.Origin, h.Actor, strings.Join(h.RequestIDs, " "), items[i].Effect.Class, items[i].Effect.Sentence)
		out.row(row)
	}
	return out.end()
}

func numberText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// timeText is empty for no time.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// csvWriter writes rows of harmless cells. The writer below it keeps the first error.
type csvWriter struct{ w *csv.Writer }

func newCSVWriter(w io.Writer, o CSVOptions, header ...string) csvWriter {
	out := csvWriter{w: csv.NewWriter(w)}
	if !o.Continued {
		out.row(header)
	}
	return out
}

func (c csvWriter) row(cells []string) {
	for i := range cells {
		cells[i] = cell(cells[i])
	}
	_ = c.w.Write(cells) // end gives the error
}

func (c csvWriter) end() error {
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("writing the CSV report: %w", err)
	}
	return nil
}

// cell makes a text harmless for spreadsheets: what one would take for a formula gets an apostrophe before it, which
// it takes for text. A program that splits at semicolons, as some languages have it, would find the start of a cell
// after each of them, even within quotes.
func cell(text string) string {
	safe := Clean(text)
	if formula(text) || formula(safe) {
		safe = "'" + safe
	}
	if !strings.Contains(safe, ";") {
		return safe
	}
	parts := strings.SplitAfter(safe, ";")
	for i, part := range parts[1:] {
		trimmed := strings.TrimLeft(part, ` "`)
		if formula(trimmed) {
			parts[i+1] = part[:len(part)-len(trimmed)] + "'" + trimmed
		}
	}
	return strings.Join(parts, "")
}

// formula tells whether spreadsheets could take a cell for a formula, by its first character. Some take the full-width
// forms of these characters, too.
func formula(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first)
}
