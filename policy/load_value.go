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

// maxLimit bounds a limit that a file can spell: more is a slip of the pen.
const maxLimit = 1_000_000

func limits(m strictyaml.Map) Limits {
	v, ok := m.Get("limits")
	if !ok {
		return Limits{}
	}
	m, ok = v.Map(strictyaml.Keys{Optional: []string{"per-sweep", "per-group"}})
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
