package cloud

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Assumption is a question about the API that the published documents leave open or that changed over time, with the
// answers that can be emulated.
type Assumption struct {
	// Name is that of [Era.Assume]. It is empty if nothing there switches it.
	Name     string
	Question string
	// Values are the answers. The first one is assumed if nothing else is said.
	Values []Value
	// Duration tells that any duration is an answer too, and what it means. It is empty if none is.
	Duration string
	// Elsewhere is what switches it, if not Assume.
	Elsewhere string

	// One of these is the field of an Era that holds the answer. The second value of a flag is true.
	flag func(*Era) *bool
	word func(*Era) *string
	span func(*Era) *time.Duration
}

// Value is one answer.
type Value struct{ Name, Meaning string }

// Assume sets what is assumed, from a text NAME=VALUE of [Assumptions]. Its errors list what there is.
func (e *Era) Assume(text string) error {
	name, value, found := strings.Cut(text, "=")
	for _, a := range Assumptions() {
		if a.Name == "" || a.Name != name {
			continue
		}
		if !found || !a.set(e, value) {
			return fmt.Errorf("the assumption %q is not %s", text, a.choices())
		}
		return nil
	}
	var known []string
	for _, a := range Assumptions() {
		if a.Name != "" {
			known = append(known, a.Synopsis())
		}
	}
	return fmt.Errorf("the assumption %q is none of %s", text, strings.Join(known, ", "))
}

// Synopsis gives the name with the values that it takes, the assumed one first.
func (a *Assumption) Synopsis() string {
	names := make([]string, 0, len(a.Values)+1)
	for _, v := range a.Values {
		names = append(names, v.Name)
	}
	if a.Duration != "" {
		names = append(names, "DURATION")
	}
	return a.Name + "=" + strings.Join(names, "|")
}

func (a *Assumption) choices() string { return "one of " + a.Synopsis() }

func (a *Assumption) takes(value string) bool {
	return slices.ContainsFunc(a.Values, func(v Value) bool { return v.Name == value })
}

// set is false if it takes no such value.
func (a *Assumption) set(e *Era, value string) bool {
	known := a.takes(value)
	switch {
	case a.span != nil:
		span, err := time.ParseDuration(value)
		switch {
		case known:
			span = 0
		case err != nil || span <= 0:
			return false
		}
		*a.span(e) = span
	case !known:
		return false
	case a.flag != nil:
		*a.flag(e) = value != a.Values[0].Name
	default:
		*a.word(e) = value
	}
	return true
}
