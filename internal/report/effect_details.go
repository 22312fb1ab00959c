package report

import (
	"fmt"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Bounds of [EffectDetails].
const (
	maxDetails       = 20 // spaces that are closed, or opened, and rules that decide
	maxDetailsSpaces = 5  // of one rule that decides
)

// EffectDetails gives what the sentence of an effect sums up, line by line: each space that is closed or opened, and each
// rule by which something stays as it is, with what it decides. Long lists are cut, and say so.
func EffectDetails(e *reach.Effect) []string {
	var lines []string
	for _, part := range []struct {
		what   string
		spaces []reach.Space
		more   int
	}{{"closes", e.Closes, e.MoreCloses}, {"OPENS", e.Opens, e.MoreOpens}} {
		for i := range part.spaces {
			if i == maxDetails {
				part.more += len(part.spaces) - i
				break
			}
			lines = append(lines, part.what+" "+spaceText(&part.spaces[i]))
		}
		if part.more > 0 {
			lines = append(lines, fmt.Sprintf("%s %d more", part.what, part.more))
		}
	}
	lines = append(lines, deciderLines("decided before by", e.ShadowedBy)...)
	lines = append(lines, deciderLines("stays open through", e.StillPermittedBy)...)
	return append(lines, deciderLines("stays closed through", e.StillDroppedBy)...)
}

func deciderLines(verb string, list []reach.By) []string {
	var lines []string
	for i := range list {
		if i == maxDetails {
			return append(lines, fmt.Sprintf("%s %d more", verb, len(list)-i))
		}
		by := &list[i]
		line := verb + " the default of the group"
		if !by.Default {
			line = fmt.Sprintf("%s %s (%s, priority %d)", verb, by.Rule, by.Action, by.Priority)
		}
		var spaces []string
		for k := range by.Space {
			if k == maxDetailsSpaces {
				spaces = append(spaces, "and more")
				break
			}
			spaces = append(spaces, spaceText(&by.Space[k]))
		}
		if len(spaces) > 0 {
			line += ": " + strings.Join(spaces, ", ")
		}
		lines = append(lines, line)
	}
	return lines
}

// spaceText is a space in one line, with every field that it has.
func spaceText(s *reach.Space) string {
	form := jsonSpaces([]reach.Space{*s})[0]
	text := form.Protocol
	switch {
	case s.Ports == sg.AllPorts():
		text += " on all ports"
	case form.Ports != "":
		text += "/" + form.Ports
	}
	if len(form.Except) > 0 {
		text += fmt.Sprintf(" protocols but %s", strings.Trim(fmt.Sprint(form.Except), "[]"))
	}
	if form.Source != "" {
		text += " from " + form.Source
	}
	if form.SourcePorts != "" {
		text += " from ports " + form.SourcePorts
	}
	if form.Group != "" {
		text += " to " + strings.TrimSpace(form.Family+" members of "+form.Group)
	} else {
		text += " to " + form.CIDR
	}
	if form.NICType != "" {
		text += ", " + form.NICType + " NIC"
	}
	return text
}
