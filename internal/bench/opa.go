package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// opa is OPA with a prepared query and inputs that were parsed before. Blocks are given as their first and last address
// in hexadecimal, which compares faster than net.cidr_intersects does.
func opa(ctx context.Context, w *workload, rules int) (*engine, error) {
	sets := make([]any, policies)
	for i, set := range w.sets {
		blocks := make([]any, len(set))
		for j, p := range set {
			first, last := hex(p)
			blocks[j] = map[string]any{"first": first, "last": last}
		}
		sets[i] = blocks
	}
	query, err := rego.New(
		rego.Query("data.bench.violations"),
		rego.Module("bench.rego", regoModule()),
		rego.Store(inmem.NewFromObject(map[string]any{"sets": sets})),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing OPA: %w", err)
	}
	inputs := make([]ast.Value, rules)
	for i := range inputs {
		if inputs[i], err = ast.InterfaceToValue(regoInput(&w.rules[i])); err != nil {
			return nil, fmt.Errorf("parsing an input for OPA: %w", err)
		}
	}
	return &engine{name: "OPA, parsed input", step: 1, judge: func(from, to int, into []verdict) int {
		violating := 0
		for i := from; i < to; i++ {
			var v verdict
			results, err := query.Eval(ctx, rego.EvalParsedInput(inputs[i]))
			if err == nil && len(results) == 1 {
				violations, _ := results[0].Expressions[0].Value.([]any)
				for _, number := range violations {
					if n, ok := number.(json.Number); ok {
						p, _ := n.Int64()
						v |= 1 << p
					}
				}
			}
			if v != 0 {
				violating++
			}
			if into != nil {
				into[i] = v
			}
		}
		return violating
	}}, nil
}

func regoInput(r *sg.Rule) map[string]any {
	first, last := hex(r.Destination.CIDR)
	return map[string]any{
		"action": string(r.Action), "protocol": r.Protocol.String(), "first": first, "last": last,
		"low": int(r.Ports.Low), "high": int(r.Ports.High),
	}
}

// hex writes a block so that texts compare like addresses, and never across families.
func hex(p netip.Prefix) (first, last string) {
	family := "6"
	if p.Addr().Is4() {
		family = "4"
	}
	low, high := ends(p)
	return fmt.Sprintf("%s%016x%016x", family, low.high, low.low), fmt.Sprintf("%s%016x%016x", family, high.high, high.low)
}

// regoModule writes the policies in Rego. Where the allow-lists hold everything, as they do here, each IPv4 rule lies in
// one half.
func regoModule() string {
	var b strings.Builder
	b.WriteString(`package bench

forbidden_port if { input.low <= 22; input.high >= 22 }
forbidden_port if { input.low <= 3306; input.high >= 3306 }
forbidden_port if { input.low <= 9000; input.high >= 8000 }

overlaps(n) if {
	some c in data.sets[n]
	c.first <= input.last
	input.first <= c.last
}

within(n) if {
	some c in data.sets[n]
	c.first <= input.first
	input.last <= c.last
}
`)
	for i := range policies {
		body := map[form]string{
			forbids:    "overlaps(%[1]d)",
			withPorts:  "input.protocol in {\"tcp\", \"all\"}; forbidden_port; overlaps(%[1]d)",
			allowsOnly: "not within(%[1]d)",
		}[formOf(i)]
		fmt.Fprintf(&b, "\nviolations contains %[1]d if { input.action == \"accept\"; "+body+" }\n", i)
	}
	return b.String()
}
