package main

import (
	"errors"
	"fmt"
	"io"
)

// promise is a ratio that the design promises: how many times the time of one engine goes into that of another.
type promise struct {
	what        string
	slow, quick string // setting and engine
	slowEngine  string
	quickEngine string
	most, least float64 // of the design; 0 is no bound
	slack       float64 // how far a busy machine may be off
}

func promises() []promise {
	const ours, fifty, many = "egress-janitor", "plain 50", "plain 100000"
	return []promise{
		{what: "against a hand-tight loop", slow: fifty, slowEngine: ours, quick: fifty, quickEngine: "hand-tight loop", most: 1.3, slack: 4},
		{what: "against CEL with native sets", slow: fifty, slowEngine: "CEL, native sets", quick: fifty, quickEngine: ours, least: 100, slack: 3},
		{what: "against OPA", slow: fifty, slowEngine: "OPA, parsed input", quick: fifty, quickEngine: ours, least: 1000, slack: 3},
		{what: "100,000 prefixes against 50", slow: many, slowEngine: ours, quick: fifty, quickEngine: ours, most: 2, slack: 3},
	}
}

// check holds the ratios against the design, and is an error only where one is off by more than its slack.
func check(best map[string]map[string]float64, out io.Writer) error {
	var missed []error
	fmt.Fprintln(out)
	for _, p := range promises() {
		ratio := best[p.slow][p.slowEngine] / best[p.quick][p.quickEngine]
		bound, word, off := p.most, "at most", ratio/p.most
		if p.least > 0 {
			bound, word, off = p.least, "at least", p.least/ratio
		}
		mark := "kept"
		if off > 1 {
			mark = "missed"
		}
		if off > p.slack {
			missed = append(missed, fmt.Errorf("%s: %.2f x, promised %s %g x", p.what, ratio, word, bound))
		}
		fmt.Fprintf(out, "%s: %.2f x, promised %s %g x: %s\n", p.what, ratio, word, bound, mark)
	}
	return errors.Join(missed...)
}
