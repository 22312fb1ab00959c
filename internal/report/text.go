package report

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Clean makes text of the cloud harmless on a terminal and in a line: control and format characters, which could move
// the cursor or turn the writing direction, are written as escapes.
func Clean(text string) string {
	if !strings.ContainsFunc(text, hostile) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hostile(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func hostile(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar
}

// detailText is the detail of a verdict, with the time until which it holds if the detail does not name it.
func detailText(v *decision.Verdict) string {
	until := timeText(v.Until)
	switch {
	case until == "" || strings.Contains(v.Detail, until):
		return v.Detail
	case v.Detail == "":
		return "until " + until
	}
	return v.Detail + "; until " + until
}

// ruleText says in one line what a rule permits or forbids.
func ruleText(r *sg.Rule) string {
	var b strings.Builder
	action := string(r.Action)
	if action == "" {
		action = r.Raw.Action
	}
	fmt.Fprintf(&b, "%s %s", action, protocolText(r))
	switch {
	case r.PortListID != "":
		fmt.Fprintf(&b, " ports of %s", r.PortListID)
	case r.Protocol == sg.AllProtocols || r.Raw.PortRange == "" || r.Raw.PortRange == "-1/-1":
	default:
		fmt.Fprintf(&b, " %s", r.Raw.PortRange)
	}
	if r.Source.Text != "" {
		fmt.Fprintf(&b, " from %s", r.Source.Text)
	}
	if !r.SourcePorts.IsZero() {
		fmt.Fprintf(&b, " from ports %s", r.Raw.SourcePorts)
	}
	fmt.Fprintf(&b, " to %s", orDash(r.Destination.Text))
	if r.Destination.Owner != "" {
		fmt.Fprintf(&b, " of account %s", r.Destination.Owner)
	}
	if r.Priority > 1 {
		fmt.Fprintf(&b, ", priority %d", r.Priority)
	}
	if r.NICType == sg.NICInternet {
		b.WriteString(", internet NIC")
	}
	return Clean(b.String())
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
