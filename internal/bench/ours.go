package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing/fstest"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// engine judges rules by their numbers in the workload.
type engine struct {
	name string
	// step is how many rules a slow engine judges between two looks at the clock.
	step int
	// judge gives the verdicts on the rules from..to-1; nil into asks for the work only, on rules that violate nothing,
	// and gives how many do all the same.
	judge func(from, to int, into []verdict) (violating int)
}

// ours is this program's evaluator.
func ours(w *workload) (*engine, error) {
	text, sets := w.file()
	files := fstest.MapFS{"p.yaml": {Data: []byte(text)}}
	for name, lines := range sets {
		files[name] = &fstest.MapFile{Data: []byte(lines)}
	}
	set, err := policy.Load(files, []string{"p.yaml"})
	if err != nil {
		return nil, fmt.Errorf("loading the policies: %w", err)
	}
	evaluator, group := set.Evaluator("prod", time.Time{}), &sg.Group{ID: "sg-1"}
	return &engine{name: "egress-janitor", judge: func(from, to int, into []verdict) int {
		findings := evaluator.Evaluate(group, w.rules[from:to])
		for i := range findings {
			if into == nil {
				break
			}
			rule, _ := strconv.Atoi(strings.TrimPrefix(findings[i].Rule.ID, "sgr-"))
			for _, v := range findings[i].Violations {
				number, _ := strconv.Atoi(strings.TrimPrefix(v.Policy.Name, "p"))
				into[rule] |= 1 << number
			}
		}
		return len(findings)
	}}, nil
}
