package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// tellsEffect tells whether people are told the effect of a finding: where the rule is to be removed, now or later, or
// where the effect is why it is not. The effect of leaving a rule alone is of no interest.
func tellsEffect(f *decision.Finding) bool {
	if f.Effect == nil {
		return false
	}
	switch f.Decision.Action {
	case decision.Revoke, decision.Hold, decision.Pending:
		return f.Decision.Detail != f.Effect.Sentence() // where it is the reason it has been said
	case decision.Report:
		return f.Decision.Reason == decision.ReasonNoEffect && f.Decision.Detail != f.Effect.Sentence()
	case decision.Exempt, decision.Skip, decision.Candidate:
	}
	return false
}

// sentence is that of an effect without the note on sessions, which documents have once.
func sentence(e *reach.Effect) string {
	return strings.TrimSuffix(e.Sentence(), "; "+reach.SessionNote)
}

// batch is a group with rules that reached candidate.
type batch struct {
	rules   int           // in it
	revoked int           // of these, to be revoked
	effect  *reach.Effect // of removing all of them; nil if nobody computed it
	own     reach.Pairs   // what those to be revoked close, added up
}

// batchKey names a group of a sweep's account.
type batchKey struct{ region, group string }

func keyOf(g *sg.Group) batchKey { return batchKey{g.Region, g.ID} }

// batches gives the groups with rules that reached candidate.
func (s *Sweep) batches() map[batchKey]*batch {
	found := map[batchKey]*batch{}
	for i := range s.Findings {
		f := &s.Findings[i]
		if !f.Decision.Batch {
			continue
		}
		b := found[keyOf(f.Group)]
		if b == nil {
			b = &batch{}
			found[keyOf(f.Group)] = b
		}
		b.rules++
		if f.Decision.Action != decision.Revoke {
			continue
		}
		b.revoked++
		if f.Effect != nil {
			b.own.IPv4 += f.Effect.Closed.IPv4
			b.own.IPv6 += f.Effect.Closed.IPv6
		}
	}
	for i := range s.Batches {
		if b := found[keyOf(s.Batches[i].Group)]; b != nil {
			b.effect = s.Batches[i].Effect
		}
	}
	return found
}

// closed is what the rules to be revoked close together. Where others of the batch are held, what each of them closes by
// itself is added up, and what two of them close only together is in there twice; but never more than the batch closes.
func (b *batch) closed() reach.Pairs {
	switch {
	case b.effect == nil || b.revoked == 0:
		return reach.Pairs{}
	case b.revoked == b.rules:
		return b.effect.Closed
	}
	return reach.Pairs{IPv4: min(b.own.IPv4, b.effect.Closed.IPv4), IPv6: min(b.own.IPv6, b.effect.Closed.IPv6)}
}

// closing sums up over groups what is to be revoked. The same address counts for each of them.
func (s *Sweep) closing() reach.Pairs {
	var sum reach.Pairs
	for _, b := range s.batches() {
		closed := b.closed()
		sum.IPv4 += closed.IPv4
		sum.IPv6 += closed.IPv6
	}
	return sum
}

// class is that of the effect of a finding.
func class(f *decision.Finding) reach.Class {
	if f.Effect == nil {
		return reach.Unknown
	}
	return f.Effect.Class
}

// effectLines say in words what is removed with the rules to be revoked: a number of rules says nothing about it. Empty if
// there is nothing to say, or if nobody computed effects.
func (s *Sweep) effectLines(t *Totals) []string {
	var lines []string
	if rules := t.ByAction[string(decision.Revoke)]; rules > 0 && s.computed() {
		lines = append(lines, fmt.Sprintf("Of %s to be revoked, %s.", plural(rules, "rule", "rules"), classes(t.ByEffect, rules)))
		if closed := measure(t.Closed); closed != "" {
			lines = append(lines, fmt.Sprintf("What is closed comes to %s.", closed))
		}
	}
	if s.tellsOfClosing() {
		lines = append(lines, fmt.Sprintf("Where something is closed, %s.", reach.SessionNote))
	}
	return lines
}

// classes counts rules by the classes of their effects, in words.
func classes(counts map[string]int, rules int) string {
	var parts []string
	for _, part := range []struct {
		class     reach.Class
		one, many string
	}{
		{reach.Closes, "closes something", "close something"},
		{reach.Mixed, "closes something and OPENS something", "close something and OPEN something"},
		{reach.Opens, "OPENS something", "OPEN something"},
		{reach.None, "changes nothing", "change nothing"},
		{reach.Unknown, "does what cannot be told", "do what cannot be told"},
	} {
		switch n := counts[string(part.class)]; {
		case n > 1 && n == rules:
			parts = append(parts, "all "+part.many)
		case n > 0:
			parts = append(parts, plural(n, part.one, part.many))
		}
	}
	return strings.Join(parts, ", ")
}

// tellsOfClosing tells whether people are told of any finding that it closes something.
func (s *Sweep) tellsOfClosing() bool {
	for i := range s.Findings {
		if f := &s.Findings[i]; tellsEffect(f) && len(f.Effect.Closes) > 0 {
			return true
		}
	}
	return false
}

// computed tells whether anybody computed an effect.
func (s *Sweep) computed() bool {
	for i := range s.Findings {
		if s.Findings[i].Effect != nil {
			return true
		}
	}
	return false
}

// measure puts a number of (address, port) pairs in words; empty for none.
func measure(p reach.Pairs) string {
	var parts []string
	if p.IPv4 >= 1 {
		parts = append(parts, quantity(p.IPv4, "IPv4"))
	}
	if p.IPv6 >= 1 {
		parts = append(parts, quantity(p.IPv6, "IPv6"))
	}
	return strings.Join(parts, " and ")
}

func quantity(pairs float64, family string) string {
	const exactly = 1 << 14
	switch {
	case pairs == 1:
		return fmt.Sprintf("1 %s (address, port) pair", family)
	case pairs < exactly:
		return fmt.Sprintf("%.0f %s (address, port) pairs", pairs, family)
	}
	return fmt.Sprintf("about 2^%.0f %s (address, port) pairs", math.Round(math.Log2(pairs)), family)
}

// maxProposed is how many rules of a narrowing proposal people are shown.
const maxProposed = 5

// proposal says how a rule could be narrowed: a sentence, and the rules to add.
func proposal(n *reach.Narrowing) (text string, rules []string) {
	for i := range n.Rules {
		if i == maxProposed {
			rules = append(rules, fmt.Sprintf("%d more in the JSON report", len(n.Rules)-i))
			break
		}
		rules = append(rules, permissionText(&n.Rules[i]))
	}
	return n.Sentence, rules
}

// permissionText is a proposed rule in one line, as [ruleText] has those that are there.
func permissionText(p *reach.Permission) string {
	r := sg.NewRule(&sg.Fields{
		Protocol: p.IPProtocol, PortRange: p.PortRange, PortListID: p.PortRangeListID, SourcePorts: p.SourcePortRange,
		CIDR4: p.DestCidrIP, CIDR6: p.Ipv6DestCidrIP, GroupID: p.DestGroupID, GroupOwner: p.DestGroupOwnerID,
		PrefixListID: p.DestPrefixListID, SourceCIDR4: p.SourceCidrIP, SourceCIDR6: p.Ipv6SourceCidrIP,
		Policy: p.Policy, Priority: p.Priority, NICType: p.NicType,
	})
	return ruleText(&r)
}

// tellsNarrowing tells whether people are shown how a rule could be narrowed: where something objects to it that is more
// than a report.
func tellsNarrowing(f *decision.Finding) bool {
	switch f.Decision.Action {
	case decision.Revoke, decision.Hold, decision.Pending:
		return true
	case decision.Report, decision.Exempt, decision.Skip, decision.Candidate:
	}
	return false
}

// together says what removing all candidates of a group does, where there are several, and what must not be overlooked
// about that. Empty if there is nothing to say.
func (b *batch) together() (text, warning string) {
	if b == nil || b.rules < 2 || b.effect == nil {
		return "", ""
	}
	return fmt.Sprintf("the %d candidates of this group together: %s", b.rules, sentence(b.effect)), b.effect.Warning()
}

// hygieneTitle introduces what is odd about rules, and nothingOdd says that nothing is.
const (
	hygieneTitle = "What is odd about rules (nothing is done about it)"
	nothingOdd   = "Nothing was found."
)
