// Command bench compares this program's evaluator with a loop written by hand, CEL and OPA on the same policies and
// rules, in one run, and prints a table. What counts are the ratios: the times depend on the machine and on what else it
// does.
//
//	go run . [-short]
//
// All engines must first agree on the verdicts. The exit code is 1 if they do not, and if a ratio misses what design.md
// promises, with slack, since a machine that does other work is no place to measure.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	short := flags.Bool("short", false, "fewer rules and rounds")
	if flags.Parse(args) != nil {
		return 64
	}
	plan := plan{rules: 1_000_000, rounds: 5, slow: time.Second}
	if *short {
		plan = planShort()
	}
	if err := plan.run(ctx, stdout); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// plan says how much is measured.
type plan struct {
	rules  int           // for the fast engines; all distinct
	rounds int           // the best one counts
	slow   time.Duration // for each round of a slow engine
}

func planShort() plan { return plan{rules: 100_000, rounds: 3, slow: 100 * time.Millisecond} }

// setting is a workload with the engines that judge it.
type setting struct {
	name     string
	prefixes int
	nested   bool
	slow     bool // with CEL and OPA
}

func (p plan) run(ctx context.Context, out io.Writer) error {
	all := drawRules(2 * p.rules)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "policies\tprefixes\tengine\trules\tns/rule\tof egress-janitor's")
	best := map[string]map[string]float64{}
	for _, s := range []setting{
		{name: "plain", prefixes: 50, slow: true},
		{name: "nested", prefixes: 50, nested: true},
		{name: "plain", prefixes: 100_000, slow: true},
	} {
		key := fmt.Sprintf("%s %d", s.name, s.prefixes)
		results, err := p.measure(ctx, s, all)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		best[key] = map[string]float64{}
		for _, r := range results {
			best[key][r.engine.name] = r.nanoseconds
			fmt.Fprintf(table, "%s\t%d\t%s\t%d\t%.1f\t%.2f x\n", s.name, s.prefixes, r.engine.name, r.rules, r.nanoseconds,
				r.nanoseconds/results[0].nanoseconds)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return check(best, out)
}

// result is the time of an engine in its best round.
type result struct {
	engine      *engine
	rules       int
	nanoseconds float64 // a rule
}

// measure times the engines of a setting, turn by turn, so that a disturbance hits all of them.
func (p plan) measure(ctx context.Context, s setting, all []sg.Rule) ([]result, error) {
	w := &workload{nested: s.nested, sets: drawSets(s.prefixes), rules: all}
	compared := 100
	if s.prefixes > 1000 {
		compared = 10 // a rule takes the slow engines a tenth of a second
	}
	engines, err := p.engines(ctx, s, w, compared)
	if err != nil {
		return nil, err
	}
	if err := agree(engines, len(all), compared); err != nil {
		return nil, err
	}
	// Findings cost what they allocate, which is not measured here: the rules that are timed violate nothing.
	w.rules = quiet(engines[1], all, p.rules)
	if engines, err = p.engines(ctx, s, w, p.rules); err != nil {
		return nil, err
	}
	results := make([]result, len(engines))
	for range p.rounds {
		for i, e := range engines {
			r, err := p.round(e, i >= fast, len(w.rules))
			if err != nil {
				return nil, err
			}
			if results[i].engine == nil || r.nanoseconds < results[i].nanoseconds {
				results[i] = r
			}
		}
	}
	return results, nil
}

// fast is how many engines, the first ones, judge all rules in a round.
const fast = 2

// mostOPA bounds how many inputs are parsed for OPA.
const mostOPA = 20_000

func (p plan) engines(ctx context.Context, s setting, w *workload, rules int) ([]*engine, error) {
	first, err := ours(w)
	if err != nil || !s.slow {
		return []*engine{first, tight(w)}, err
	}
	native, err := celNative(w)
	if err != nil {
		return nil, err
	}
	pure, err := celPure(w)
	if err != nil {
		return nil, err
	}
	rego, err := opa(ctx, w, min(rules, mostOPA, len(w.rules)))
	if err != nil {
		return nil, err
	}
	return []*engine{first, tight(w), native, pure, rego}, nil
}

// agree compares the verdicts of the engines: the fast ones on all rules, the slow ones on a few.
func agree(engines []*engine, rules, compared int) error {
	want := make([]verdict, rules)
	violating := engines[0].judge(0, rules, want)
	if violating == 0 || violating == rules {
		return fmt.Errorf("%d of %d rules violate a policy", violating, rules)
	}
	for i, e := range engines[1:] {
		count := rules
		if i+1 >= fast {
			count = compared
		}
		got := make([]verdict, count)
		e.judge(0, count, got)
		for r := range got {
			if got[r] != want[r] {
				return fmt.Errorf("%s says %b of rule %d, %s %b", engines[0].name, want[r], r, e.name, got[r])
			}
		}
	}
	return nil
}

// quiet keeps the first rules that violate nothing.
func quiet(e *engine, all []sg.Rule, most int) []sg.Rule {
	verdicts := make([]verdict, len(all))
	e.judge(0, len(all), verdicts)
	var kept []sg.Rule
	for i := range all {
		if verdicts[i] == 0 && len(kept) < most {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// round times one engine: a fast one on all rules, a slow one on distinct rules until its time is over.
func (p plan) round(e *engine, slow bool, rules int) (result, error) {
	most, step := rules, rules
	if slow {
		most, step = min(rules, mostOPA), e.step
	}
	began, err := cpuTime()
	if err != nil {
		return result{}, err
	}
	done, used := 0, time.Duration(0)
	for done < most && (done == 0 || used < p.slow) {
		to := min(done+step, most)
		if violating := e.judge(done, to, nil); violating != 0 {
			return result{}, fmt.Errorf("%s finds %d violations where there are none", e.name, violating)
		}
		now, err := cpuTime()
		if err != nil {
			return result{}, err
		}
		done, used = to, now-began
	}
	return result{engine: e, rules: done, nanoseconds: float64(used) / float64(done)}, nil
}
