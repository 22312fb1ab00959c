package reach

import (
	"fmt"
	"slices"
	"strings"
)

// onInterfaces says what an effect is on the interfaces that are in the group now.
func (e *Effect) onInterfaces() string {
	if len(e.Interfaces) == 0 {
		return e.onNone()
	}
	c := e.count()
	if c.all == c.none {
		scope := " on " + c.all.String()
		if len(e.Interfaces) > 1 {
			scope = " on any of " + c.all.String()
		}
		return e.nothing(scope)
	}
	var parts []string
	if c.changed.interfaces > 0 {
		parts = append(parts, e.change()+" on "+c.changed.String()+e.unequal())
		parts = append(parts, e.unmoved().rest("on some of these")...)
	}
	parts = append(parts, e.unchanged(c)...)
	if c.unknown.interfaces > 0 {
		parts = append(parts, "cannot tell what it closes on "+c.unknown.String()+reason(e.Why))
	}
	return strings.Join(append(parts, e.sessions()...), "; ")
}

// onNone is the sentence where no interface is known.
func (e *Effect) onNone() string {
	if e.Class == None {
		return "closes nothing at present: no interface is in this group"
	}
	return "cannot tell what it closes on the interfaces of this group" + reason(e.Why)
}

// tally counts interfaces.
type tally struct {
	interfaces, instances int
	several               bool // combinations: an instance may have an interface in each
}

func (t *tally) add(on *OnInterfaces) {
	t.several = t.interfaces > 0
	t.interfaces += on.Interfaces
	t.instances += on.Instances
}

func (t *tally) String() string {
	text := plural(t.interfaces, "interface")
	switch {
	case t.instances == 0:
		return text
	case t.several && t.instances > 1:
		return text + " of up to " + plural(t.instances, "instance")
	default:
		return text + " of " + plural(t.instances, "instance")
	}
}

// unmoved has the witnesses of the interfaces on which something changes.
func (e *Effect) unmoved() *Effect {
	var u Effect
	for i := range e.Interfaces {
		switch one := e.Interfaces[i].Effect; one.Class {
		case Closes, Opens, Mixed:
			u.StillPermittedBy = withNew(u.StillPermittedBy, one.StillPermittedBy)
			u.StillDroppedBy = withNew(u.StillDroppedBy, one.StillDroppedBy)
		case None, Unknown:
		}
	}
	return &u
}

// counts are the interfaces by what happens on them.
type counts struct{ all, changed, none, unknown tally }

func (e *Effect) count() counts {
	var c counts
	for i := range e.Interfaces {
		on := &e.Interfaces[i]
		c.all.add(on)
		switch on.Effect.Class {
		case Closes, Opens, Mixed:
			c.changed.add(on)
		case None:
			c.none.add(on)
		case Unknown:
			c.unknown.add(on)
		}
	}
	return c
}

// unequal qualifies what is said of several combinations at once, where it is not true of each.
func (e *Effect) unequal() string {
	var first *Effect
	for i := range e.Interfaces {
		one := e.Interfaces[i].Effect
		switch {
		case one.Class == None || one.Class == Unknown:
		case first == nil:
			first = one
		case !slices.EqualFunc(first.Closes, one.Closes, equalSpaces), !slices.EqualFunc(first.Opens, one.Opens, equalSpaces):
			return " (not all of it on each)"
		}
	}
	return ""
}

func equalSpaces(s, o Space) bool {
	return slices.Equal(s.Except, o.Except) && s.Protocol == o.Protocol && s.CIDR == o.CIDR && s.Group == o.Group &&
		s.Family == o.Family && s.Ports == o.Ports && s.Source == o.Source && s.SourcePorts == o.SourcePorts && s.NIC == o.NIC
}

// unchanged says why nothing changes on the other interfaces.
func (e *Effect) unchanged(c counts) []string {
	if c.none.interfaces == 0 {
		return nil
	}
	var open, closed, shadowed []By
	for i := range e.Interfaces {
		if one := e.Interfaces[i].Effect; one.Class == None {
			open = withNew(open, one.StillPermittedBy)
			closed = withNew(closed, one.StillDroppedBy)
			shadowed = withNew(shadowed, one.ShadowedBy)
		}
	}
	var why []string
	if len(open) > 0 {
		why = append(why, "stays open through "+deciders(open, through))
	}
	if len(closed) > 0 {
		why = append(why, "stays closed through "+deciders(closed, through))
	}
	if len(shadowed) > 0 {
		why = append(why, "is already decided by "+deciders(shadowed, decider))
	}
	if len(why) == 0 {
		return []string{"nothing changes on " + c.none.String()}
	}
	return []string{"on " + c.none.String() + " it " + strings.Join(why, ", or ")}
}

// withNew adds deciders that are not there yet.
func withNew(by, more []By) []By {
	for _, m := range more {
		if !slices.ContainsFunc(by, func(b By) bool {
			return b.Default == m.Default && b.Rule == m.Rule && b.Group == m.Group
		}) {
			by = append(by, m)
		}
	}
	return by
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
