package report_test

import (
	"bytes"
	"encoding/csv"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// hostileTexts are what somebody who may write a description could try.
func hostileTexts() []string {
	return []string{
		`=cmd|'/C calc'!A0`, "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", `a;=1`, `a; "=1`, `";=1`, `","=1`, "a\n=1,2",
		"[click](http://evil.example)", "![x](http://evil.example/p.png)", "<img src=x onerror=alert(1)>", "<http://evil.example>",
		"http://evil.example www.evil.example a@evil.example @somebody #1", "a | b | c", "`", "``", "a`b", `\`, `a\`, "a\\|b", "\\`",
		"---\n# title", "| --- |", "[x]: http://evil.example", "*b* _i_ ~~s~~", "&lt;b&gt;", "\x1b[2J", "\u202e", "测试", " ", "a\x00b",
	}
}

// plant puts a text wherever the cloud, or an answer of it, has a say.
func plant(text string) (*report.Sweep, []report.HistoryItem) {
	s := acting()
	s.Complete = false
	s.Regions[0].Error = text
	s.Errors = []report.Error{{Region: text, Group: text, Text: text}}
	group := *s.Findings[0].Group
	group.Name, group.ID, group.VPC = text, text, text
	for i := range s.Findings {
		f := &s.Findings[i]
		f.Group = &group
		f.Rule.Description, f.Rule.Raw.PortRange, f.Rule.Destination.Text, f.Rule.NICType = text, text, text, text
		f.Decision.Detail = text
		f.Violations[0].Because = []string{text, text}
		f.Effect = closing()
		f.Effect.Closes[1].Group, f.Effect.StillPermittedBy[0].Rule = text, text
		if i%2 == 0 {
			f.Effect = untold()
			f.Effect.Why = text
		}
		f.Narrowing = proposed()
		f.Narrowing.Sentence, f.Narrowing.Rules[0].DestGroupID, f.Narrowing.Rules[0].DestCidrIP = text, text, ""
	}
	s.Batches = []decision.Batch{{Group: &group, Effect: s.Findings[1].Effect}}
	s.Hygiene = []report.Hygiene{{Group: &group, Rule: s.Findings[0].Rule, Anomaly: reach.Anomaly{
		Kind: reach.Redundant, Others: []reach.By{byRule(text, 1)}, Why: text,
	}}}
	items := history()
	for i := range items {
		h := &items[i]
		h.GroupName, h.Detail, h.Actor, h.Ref.Group = text, text, text, text
		h.Rule.Description, h.Rule.Destination.Text = text, text
		h.Effect = revoker.Effect{Class: "closes", Sentence: text}
		for c := range h.Calls {
			h.Calls[c].Answer.RequestID, h.Calls[c].Answer.Detail = text, text
		}
	}
	return s, items
}

func FuzzNoCellIsAFormula(f *testing.F) {
	for _, text := range hostileTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, items := plant(text)
		var sweep, history bytes.Buffer
		if err := report.CSV(&sweep, s, report.CSVOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := report.HistoryCSV(&history, items); err != nil {
			t.Fatal(err)
		}
		checkCells(t, sweep.String(), 1+len(s.Findings))
		checkCells(t, history.String(), 1+len(items))
	})
}

// checkCells reads a document as every kind of program would.
func checkCells(t *testing.T, document string, rows int) {
	t.Helper()
	read, err := csv.NewReader(strings.NewReader(document)).ReadAll() // checks that all rows have as many cells
	if err != nil {
		t.Fatalf("no CSV: %v\n%s", err, document)
	}
	if len(read) != rows || strings.Count(document, "\n") != rows {
		t.Fatalf("%d rows in %d lines, want %d", len(read), strings.Count(document, "\n"), rows)
	}
	for _, row := range read {
		for _, cell := range row {
			if startsFormula(cell) {
				t.Errorf("the cell %q is a formula", cell)
			}
		}
	}
	// A program that takes semicolons or tabs for the ends of cells knows quotes at their beginnings only.
	for _, part := range strings.FieldsFunc(document, func(r rune) bool { return r == ';' || r == '\t' || r == '\n' }) {
		if startsFormula(strings.TrimLeft(part, ` "`)) {
			t.Errorf("the part %q is a formula", part)
		}
	}
	checkControls(t, document)
}

func startsFormula(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return text != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", first)
}

func checkControls(t *testing.T, document string) {
	t.Helper()
	for _, r := range document {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Errorf("the document has the character %U", r)
		}
	}
}

// FuzzMarkdownKeepsItsShape plants a text everywhere: what is outside of code spans must be the same as with a harmless
// text, and the inside of a span must not be able to end it or its cell.
func FuzzMarkdownKeepsItsShape(f *testing.F) {
	for _, text := range hostileTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.TrimSpace(report.Clean(text)) == "" { // leaves its span out, which is no harm
			return
		}
		sweep, history := pages(t, text)
		harmless, harmlessHistory := pages(t, "harmless")
		if diff := cmp.Diff(shape(t, harmless), shape(t, sweep)); diff != "" {
			t.Errorf("the report of a sweep with %q (-harmless +hostile):\n%s", text, diff)
		}
		if diff := cmp.Diff(shape(t, harmlessHistory), shape(t, history)); diff != "" {
			t.Errorf("the history with %q (-harmless +hostile):\n%s", text, diff)
		}
	})
}

func pages(t *testing.T, text string) (sweep, history string) {
	t.Helper()
	s, items := plant(text)
	write := func(write func(io.Writer) error) string {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		checkControls(t, out.String())
		return out.String()
	}
	return write(func(w io.Writer) error { return report.Markdown(w, s) }),
		write(func(w io.Writer) error { return report.HistoryMarkdown(w, items) })
}

// shape gives a page with its code spans emptied, and checks what is in them.
func shape(t *testing.T, document string) string {
	t.Helper()
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllStringFunc(document, func(span string) string {
		inside := strings.Trim(span, "`")
		if strings.ContainsAny(inside, "|<>") || strings.Contains(inside, "](") || strings.HasSuffix(inside, `\`) ||
			strings.TrimSpace(inside) == "" {
			t.Errorf("the code span %s could end early, or be taken for more than text", span)
		}
		return "`…`"
	})
}
