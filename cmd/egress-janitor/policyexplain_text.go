package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// treeLine is one line of an explanation: a truth, what it is the truth of, and why.
type treeLine struct {
	truth policy.Truth // empty for lines without one
	depth int
	what  string
	why   string
	pos   strictyaml.Pos // zero if the line has no place of its own
}

// explainText writes an explanation for people.
type explainText struct {
	out     strings.Builder
	colored bool
}

// text writes the explanation for people.
func (d *explained) text(w io.Writer, colored bool) error {
	t := explainText{colored: colored}
	t.subject(d)
	for i := range d.explanation.Policies {
		if p := &d.explanation.Policies[i]; d.shows(p) {
			t.policy(d, p)
		}
	}
	t.decision(d)
	_, err := io.WriteString(w, t.out.String())
	return err
}

func (t *explainText) say(format string, args ...any) {
	t.out.WriteString(report.Clean(fmt.Sprintf(format, args...)) + "\n")
}

func (t *explainText) subject(d *explained) {
	s, g, r := d.subject, &d.subject.group, &d.subject.rule
	t.say("rule      %s", cmp.Or(r.ID, "(without an ID)"))
	t.say("          %s", ruleInWords(r))
	if r.Description != "" {
		t.say("          described as %q", r.Description)
	}
	if r.Unreadable != "" {
		t.say("          not understood: %s", r.Unreadable)
	}
	name := cmp.Or(g.ID, "(no group was given)")
	if g.Name != "" {
		name += " (" + g.Name + ")"
	}
	t.say("group     %s in %s, account %s", name, cmp.Or(g.Region, "(no region was given)"),
		cmp.Or(s.account, "(no account was given)"))
	if s.incomplete != "" {
		t.say("          not read whole: %s", s.incomplete)
	}
	t.say("judged    at %s, %s", d.now.UTC().Format(time.RFC3339), s.origin)
}

// ruleInWords is a rule in one line.
func ruleInWords(r *sg.Rule) string {
	parts := []string{string(r.Action), r.Protocol.String()}
	switch {
	case r.PortListID != "":
		parts = append(parts, "port list "+r.PortListID)
	case r.Ports != sg.PortRange{} && r.Protocol != sg.AllProtocols:
		parts = append(parts, strings.ReplaceAll(r.Raw.PortRange, "/", "-"))
	}
	parts = append(parts, "to", cmp.Or(r.Destination.Text, "(no destination)"))
	if r.Source.Text != "" {
		parts = append(parts, "from "+r.Source.Text)
	}
	return fmt.Sprintf("%s, priority %s", strings.Join(parts, " "), r.Raw.Priority)
}

// policy writes one policy: in full if it speaks of the group or was asked for by name.
func (t *explainText) policy(d *explained, p *policy.Judgement) {
	t.out.WriteByte('\n')
	t.say("policy %s (%s): %s", p.Policy.Name, p.Policy.Pos, outcome(d, p))
	lines := scopeLines(&p.Groups)
	if p.Groups.In != policy.False || len(d.only) > 0 {
		lines = appendNode(lines, &p.Match, 1, "match")
	}
	t.lines(lines)
	for _, x := range p.Excess {
		t.say("  collateral (%d:%d): %s", x.Pos.Line, x.Pos.Column, x.Text)
	}
	if p.Violation == nil {
		return
	}
	if detail := d.verdict(p).Detail; detail != "" {
		t.say("  verdict: %s", detail)
	}
	for i := range p.Exceptions {
		x := &p.Exceptions[i]
		t.say("  exception %s (%s): %s", x.Exception.Name, x.Exception.Pos, exceptionOutcome(x))
		lines := scopeLines(&x.Groups)
		switch {
		case len(d.only) == 0 && x.Expired: // when it ended says all
			continue
		case len(d.only) > 0 || x.Groups.In != policy.False:
			lines = appendNode(lines, &x.Match, 1, "match")
		}
		t.lines(lines)
	}
}

// outcome is what a policy comes to in a few words.
func outcome(d *explained, p *policy.Judgement) string {
	switch {
	case p.Violation != nil:
		return "objects – " + d.verdict(p).String()
	case p.Groups.In == policy.False:
		return "does not speak of this group"
	case p.Match.Truth == policy.Unknown || p.Groups.In == policy.Unknown:
		return "does not object: a policy matches only what is true, and here not everything is known"
	}
	return "does not object"
}

func exceptionOutcome(x *policy.ExceptionExplanation) string {
	switch {
	case x.Expired:
		return "expired " + x.Exception.Expires.Format(time.RFC3339) + ", exempts nothing any more"
	case x.Applies == policy.True:
		return "applies"
	case x.Applies == policy.Unknown:
		return "might apply: not everything that it asks for could be read"
	case x.Groups.In == policy.False:
		return "does not speak of this group"
	}
	return "does not apply"
}

// scopeLines are those of a `groups`.
func scopeLines(s *policy.ScopeExplanation) []treeLine {
	lines := []treeLine{{truth: s.In, depth: 1, what: "groups", pos: s.Pos}}
	if len(s.Keys) == 0 {
		lines[0].what = "groups: all"
	}
	for _, k := range s.Keys {
		lines = append(lines, treeLine{
			truth: k.Truth, depth: 2, what: k.Key + " " + k.Asks, why: joinWhy("the group has", cmp.Or(k.Has, "none"), k.Why),
		})
	}
	return lines
}

// joinWhy puts together what there is and why that decides.
func joinWhy(who, has, why string) string {
	switch {
	case has == "":
		return why
	case why == "":
		return who + " " + has
	}
	return who + " " + has + ": " + why
}

// appendNode adds a part of a `match` and what is in it. A mapping with one key is not worth a line of its own.
func appendNode(lines []treeLine, n *policy.Node, depth int, name string) []treeLine {
	if n.Key == "" && name == "" && len(n.Children) == 1 {
		return appendNode(lines, &n.Children[0], depth, "")
	}
	l := treeLine{truth: n.Truth, depth: depth, what: cmp.Or(name, n.Key, "all of"), pos: n.Pos}
	if n.Asks != "" {
		l.what += " " + n.Asks
	}
	l.why = joinWhy("the rule has", n.Has, n.Why)
	lines = append(lines, l)
	for i := range n.Children {
		lines = appendNode(lines, &n.Children[i], depth+1, "")
	}
	return lines
}

// widest is up to where the middle column of a tree grows.
const widest = 56

// lines writes a tree with its columns aligned. Text beyond the middle column goes on a line of its own.
func (t *explainText) lines(lines []treeLine) {
	width := 0
	for _, l := range lines {
		if n := cells([]rune(l.what)) + 2*l.depth; n <= widest {
			width = max(width, n)
		}
	}
	for _, l := range lines {
		what := strings.Repeat("  ", l.depth) + report.Clean(l.what)
		why := report.Clean(l.why)
		if l.pos.Line > 0 {
			why = strings.TrimSpace(fmt.Sprintf("%s (%d:%d)", why, l.pos.Line, l.pos.Column))
		}
		t.out.WriteString("  ")
		t.truth(l.truth)
		t.out.WriteString(what)
		used := cells([]rune(what))
		if used > width && why != "" {
			t.out.WriteString("\n" + strings.Repeat(" ", 9))
			used = 0
		}
		if why != "" {
			t.out.WriteString(strings.Repeat(" ", width-used+2) + why)
		}
		t.out.WriteByte('\n')
	}
}

// truth writes a truth, in color for those who see it.
func (t *explainText) truth(truth policy.Truth) {
	text := fmt.Sprintf("%-7s", truth)
	codes := map[policy.Truth]string{policy.True: "32", policy.False: "31", policy.Unknown: "33"}
	if t.colored {
		text = "\x1b[" + codes[truth] + "m" + text + "\x1b[0m"
	}
	t.out.WriteString(text)
}

func (t *explainText) decision(d *explained) {
	t.out.WriteByte('\n')
	if d.explanation.Finding == nil {
		t.say("decision  none: no policy objects to the rule, so it is not even reported")
	} else {
		t.say("decision  %s", d.decision.Verdict)
		if len(d.only) > 0 {
			t.say("          of all policies together, also of those that are not shown")
		}
		if d.decision.Detail != "" {
			t.say("          %s", d.decision.Detail)
		}
	}
	if said := d.saidOtherwise(); said != "" {
		t.say("          the report that the rule is from said %s: it may have gone by what a finding does "+
			"not hold (groups that are", said)
		t.say("          gone, what was not read, the store, the config, another moment)")
	}
	t.effect(d)
	for i, hint := range d.hints {
		label := "          "
		if i == 0 {
			label = "to change "
		}
		t.say("%s%s", label, hint)
	}
}
