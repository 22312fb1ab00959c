package policy

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// text reads a required text; what is missing was already reported.
func text(m strictyaml.Map, key string) string {
	v, ok := m.Get(key)
	if !ok {
		return ""
	}
	s, _ := v.String()
	return s
}

func oneOf(m strictyaml.Map, key string, words ...string) string {
	v, ok := m.Get(key)
	if !ok {
		return ""
	}
	word, _ := v.OneOf(words...)
	return word
}

// grace reads a policy's grace. A file that is mistaken about it does not load, so what is given then does not matter.
func grace(m strictyaml.Map) time.Duration {
	v, ok := m.Get("grace")
	if !ok {
		return DefaultGrace
	}
	written, ok := v.Text()
	if !ok {
		return DefaultGrace
	}
	d, err := parseDuration(written)
	if err != nil {
		v.Problem(CodeDuration, "%s; for no grace write 0s", err)
		return DefaultGrace
	}
	return d
}

// supported reads a key of which this version can do one word only and refuses the others.
func supported(m strictyaml.Map, key, only string, later ...string) {
	v, ok := m.Get(key)
	if !ok {
		return
	}
	if word, ok := v.OneOf(append([]string{only}, later...)...); ok && word != only {
		v.Problem(strictyaml.CodeNotYet, "`%s: %s` is not supported yet; leave the key out, or write %s", key, word, only)
	}
}

// baseline reads the moment before which a rule must have been seen to be left alone. A date is the first moment of that
// day, unlike an expiry: what is first seen on the day itself is new.
func (f *policyFile) baseline(m strictyaml.Map) time.Time {
	v, ok := m.Get("baseline")
	if !ok {
		return time.Time{}
	}
	written, ok := v.Text()
	if !ok {
		return time.Time{}
	}
	moment, err := parseStart(written, f.zone)
	if err != nil {
		v.Problem(CodeBaseline, "%s", err)
	}
	return moment
}

// maxLimit bounds a limit that a file can spell: more is a slip of the pen.
const maxLimit = 1_000_000

func (f *policyFile) limits(m strictyaml.Map) Limits {
	v, ok := m.Get("limits")
	if !ok {
		return Limits{}
	}
	m, ok = v.Map(f.grammar.limits.strict())
	if !ok {
		return Limits{}
	}
	var l Limits
	for key, limit := range map[string]*int{"per-sweep": &l.PerSweep, "per-group": &l.PerGroup} {
		if v, ok := m.Get(key); ok {
			*limit, _ = v.Int(1, maxLimit)
		}
	}
	return l
}
