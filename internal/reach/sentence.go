package reach

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// SessionNote says that established sessions outlive the change. It belongs to every text that says that something is
// closed.
// Source: the ECS user guide, "Security group rules": a session may last up to 910 seconds.
const SessionNote = "established sessions may live on for up to 910 s"

// Bounds of a sentence, in characters. The parts are bounded such that they fit; the last one is for what the cloud can
// send that nobody foresaw.
const (
	maxSentence = 399
	maxReason   = 160
	maxRuleName = 64
)

// Sentence says in one line what an effect is, for a person who has to decide: what is closed, within which scope, and
// what stays as it is through which rule. It claims no more than its scope:
//
//	closes tcp/443 to 203.0.113.0/24 and 2 more within this group; tcp/22 to 10.0.0.0/8 stays open here through sgr-x at
//	priority 5; established sessions may live on for up to 910 s
//
// The widest spaces come first, and the rule that decides most. It is under 400 characters, and has what the cloud sent in
// it as it is.
func (e *Effect) Sentence() string {
	if e.said != nil {
		return e.said.sentence
	}
	if e.Scope == ScopeInterface {
		return clip(e.onInterfaces(), maxSentence)
	}
	return clip(e.inGroup(), maxSentence)
}

const withinGroup = " within this group"

func (e *Effect) inGroup() string {
	switch e.Class {
	case None:
		return e.nothing(withinGroup)
	case Closes, Opens, Mixed:
		parts := append([]string{e.change() + withinGroup}, e.rest("here")...)
		return strings.Join(append(parts, e.sessions()...), "; ")
	case Unknown:
	}
	parts := []string{"cannot tell what it closes" + withinGroup + reason(e.Why)}
	if change := e.change(); change != "" {
		parts = append(append(parts, "certain is: "+change), e.sessions()...)
	}
	return strings.Join(parts, "; ")
}

// change says what is closed and opened; empty if nothing certainly is. What is opened is loud.
func (e *Effect) change() string {
	var parts []string
	if closed := sumUp(told(e.closes, e.Closes, e.MoreCloses)); closed != "" {
		parts = append(parts, "closes "+closed)
	}
	if opened := sumUp(told(e.opens, e.Opens, e.MoreOpens)); opened != "" {
		parts = append(parts, "OPENS "+opened)
	}
	return strings.Join(parts, " and ")
}

func (e *Effect) sessions() []string {
	if len(e.Closes) == 0 {
		return nil
	}
	return []string{SessionNote}
}

// rest says what of the removed rules' traffic stays as it is, and through what; where is the word for the scope.
func (e *Effect) rest(where string) []string {
	var parts []string
	if len(e.StillPermittedBy) > 0 {
		parts = append(parts, stays(e.StillPermittedBy, "open "+where))
	}
	if len(e.StillDroppedBy) > 0 {
		parts = append(parts, stays(e.StillDroppedBy, "closed "+where))
	}
	return parts
}

// stays names the first of some deciders together with what it decides, and counts the others.
func stays(by []By, how string) string {
	what := "some of it"
	if space := shortly(by[0]); space != "" {
		what = space
	}
	text := what + " stays " + how + " through " + through(by[0])
	switch len(by) {
	case 1:
		return text
	case 2:
		return text + ", more through " + through(by[1])
	default:
		return fmt.Sprintf("%s, more through %d others", text, len(by)-1)
	}
}

// nothing says why nothing changes, and what would close what stays open.
func (e *Effect) nothing(scope string) string {
	head := "closes nothing"
	if len(e.StillDroppedBy) > 0 {
		head = "opens nothing"
		if len(e.StillPermittedBy) > 0 {
			head = "closes nothing and opens nothing"
		}
	}
	head += scope
	if why := e.whyNothing(); why != "" {
		return head + ": " + why
	}
	return head
}

// whyNothing is empty if there is nobody to name: the rule matches no traffic, or what decides in its place depends on
// what is not known, and is the same for all of that.
func (e *Effect) whyNothing() string {
	switch {
	case len(e.ShadowedBy) > 0:
		verb := " already decides all of it"
		if len(e.ShadowedBy) > 1 {
			verb = " already decide all of it"
		}
		return deciders(e.ShadowedBy, decider) + verb
	case len(e.StillPermittedBy) > 0 && len(e.StillDroppedBy) > 0:
		return "what is permitted stays open through " + deciders(e.StillPermittedBy, through) +
			", what is dropped stays closed through " + deciders(e.StillDroppedBy, through)
	case len(e.StillDroppedBy) > 0:
		return "all of it stays closed through " + deciders(e.StillDroppedBy, through)
	case len(e.StillPermittedBy) > 0:
		return "all of it stays open through " + deciders(e.StillPermittedBy, through) + "; " + e.remedy()
	case e.idle:
		return "it speaks of no traffic"
	default:
		return ""
	}
}

// remedy says what would close what stays open. Without the rules in the way the default of a basic group is next, so
// that removing them is of no use there.
func (e *Effect) remedy() string {
	byDefault := slices.ContainsFunc(e.StillPermittedBy, func(b By) bool { return b.Default })
	these := "these"
	if len(e.StillPermittedBy) == 1 {
		these = "this one"
	}
	switch {
	case byDefault && len(e.StillPermittedBy) == 1:
		return "to close it, add a drop rule"
	case byDefault || e.Default == sg.Accept:
		return "to close it, add a drop rule before " + these
	case e.Default == sg.Drop:
		return "to close it, remove " + these + " too"
	default:
		return "to close it, remove " + these + " too or add a drop rule"
	}
}

// deciders names up to two of some rules and counts the others.
func deciders(by []By, name func(By) string) string {
	if len(by) <= 2 {
		names := make([]string, len(by))
		for i := range by {
			names[i] = name(by[i])
		}
		return strings.Join(names, " and ")
	}
	return fmt.Sprintf("%s and %d more", name(by[0]), len(by)-1)
}

// through names a decider of which the verb already says what it does.
func through(by By) string {
	if by.Default {
		return by.name()
	}
	return fmt.Sprintf("%s at priority %d", by.name(), by.Priority)
}

// decider names a decider and says what it does.
func decider(by By) string {
	if by.Default {
		return by.name()
	}
	return fmt.Sprintf("%s (%s, priority %d)", by.name(), by.Action, by.Priority)
}

func (by *By) name() string {
	switch {
	case by.Default && by.Action == sg.Drop:
		return "the default of an advanced group"
	case by.Default:
		return "the default of a basic group"
	case by.Group != "":
		return clip(by.Rule, maxRuleName) + " of " + clip(by.Group, maxRuleName)
	default:
		return clip(by.Rule, maxRuleName)
	}
}

func reason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + clip(why, maxReason)
}

// clip cuts a text to at most n characters.
func clip(text string, n int) string {
	if len(text) <= n || utf8.RuneCountInString(text) <= n {
		return text
	}
	at, left := 0, n-1
	for at = range text {
		if left == 0 {
			break
		}
		left--
	}
	return text[:at] + "…"
}
