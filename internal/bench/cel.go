package main

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// spans are the addresses of a set in one family, merged and sorted.
type spans struct{ first, last []number }

func spansOf(set []netip.Prefix, four bool) spans {
	var s spans
	blocks := slices.Clone(set)
	slices.SortFunc(blocks, netip.Prefix.Compare)
	for _, p := range blocks {
		if p.Addr().Is4() != four {
			continue
		}
		first, last := ends(p)
		if n := len(s.last); n > 0 && !s.last[n-1].next().less(first) && s.last[n-1] != (number{}) {
			if s.last[n-1].less(last) {
				s.last[n-1] = last
			}
			continue
		}
		s.first, s.last = append(s.first, first), append(s.last, last)
	}
	return s
}

// at finds the first span that does not end before a number.
func (s *spans) at(n number) int {
	return sort.Search(len(s.last), func(i int) bool { return !s.last[i].less(n) })
}

func (s *spans) overlaps(first, last number) bool {
	i := s.at(first)
	return i < len(s.first) && !last.less(s.first[i])
}

func (s *spans) holds(first, last number) bool {
	i := s.at(first)
	return i < len(s.first) && !first.less(s.first[i]) && !s.last[i].less(last)
}

// celRule is a rule as the expressions see it: its fields are parsed.
type celRule struct {
	rule *sg.Rule
	sets map[string]ref.Val // by the names of their variables
}

func (c *celRule) Parent() cel.Activation { return nil }

func (c *celRule) ResolveName(name string) (any, bool) {
	switch name {
	case "cidr":
		return ext.CIDR{Prefix: c.rule.Destination.CIDR}, true
	case "action":
		return types.String(c.rule.Action), true
	case "protocol":
		return types.String(c.rule.Protocol.String()), true
	case "low":
		return types.Int(c.rule.Ports.Low), true
	case "high":
		return types.Int(c.rule.Ports.High), true
	}
	set, ok := c.sets[name]
	return set, ok
}

const celPorts = ` && protocol in ['tcp', 'all'] && (low <= 22 && 22 <= high || low <= 3306 && 3306 <= high || low <= 9000 && 8000 <= high)`

// celNative is CEL with functions in Go for the sets, which are merged and searched.
func celNative(w *workload) (*engine, error) {
	four, six := make([]spans, policies), make([]spans, policies)
	for i, set := range w.sets {
		four[i], six[i] = spansOf(set, true), spansOf(set, false)
	}
	ask := func(question func(s *spans, first, last number) bool) cel.OverloadOpt {
		return cel.BinaryBinding(func(block, index ref.Val) ref.Val {
			p := block.(ext.CIDR).Prefix
			family := six
			if p.Addr().Is4() {
				family = four
			}
			first, last := ends(p)
			return types.Bool(question(&family[index.(types.Int)], first, last))
		})
	}
	arguments := []*cel.Type{ext.CIDRType, cel.IntType}
	return celEngine("CEL, native sets", 100, w, nil, map[form]string{
		forbids:    "action == 'accept' && overlaps(cidr, %d)",
		withPorts:  "action == 'accept' && overlaps(cidr, %d)" + celPorts,
		allowsOnly: "action == 'accept' && !within(cidr, %d)",
	},
		cel.Function("overlaps", cel.Overload("cidr_overlaps", arguments, cel.BoolType, ask((*spans).overlaps))),
		cel.Function("within", cel.Overload("cidr_within", arguments, cel.BoolType, ask((*spans).holds))),
	)
}

// celPure is CEL as its user writes it: exists() over a list of blocks.
func celPure(w *workload) (*engine, error) {
	var options []cel.EnvOption
	sets := make(map[string]ref.Val, policies)
	for i, set := range w.sets {
		blocks := make([]ref.Val, len(set))
		for j, p := range set {
			blocks[j] = ext.CIDR{Prefix: p}
		}
		name := fmt.Sprintf("set%d", i)
		sets[name] = types.NewRefValList(types.DefaultTypeAdapter, blocks)
		options = append(options, cel.Variable(name, cel.ListType(ext.CIDRType)))
	}
	const overlaps = "action == 'accept' && set%d.exists(c, c.containsCIDR(cidr) || cidr.containsCIDR(c))"
	return celEngine("CEL, pure", 1, w, sets, map[form]string{
		forbids:    overlaps,
		withPorts:  overlaps + celPorts,
		allowsOnly: "action == 'accept' && !set%d.exists(c, c.containsCIDR(cidr))",
	}, options...)
}

func celEngine(name string, step int, w *workload, sets map[string]ref.Val, texts map[form]string,
	options ...cel.EnvOption,
) (*engine, error) {
	options = append(options, ext.Network(), cel.Variable("cidr", ext.CIDRType), cel.Variable("action", cel.StringType),
		cel.Variable("protocol", cel.StringType), cel.Variable("low", cel.IntType), cel.Variable("high", cel.IntType))
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("setting up %s: %w", name, err)
	}
	programs := make([]cel.Program, policies)
	for i := range programs {
		ast, issues := env.Compile(fmt.Sprintf(texts[formOf(i)], i))
		if issues.Err() != nil {
			return nil, fmt.Errorf("compiling for %s: %w", name, issues.Err())
		}
		if programs[i], err = env.Program(ast, cel.EvalOptions(cel.OptOptimize)); err != nil {
			return nil, fmt.Errorf("compiling for %s: %w", name, err)
		}
	}
	return &engine{name: name, step: step, judge: func(from, to int, into []verdict) int {
		violating := 0
		for i := from; i < to; i++ {
			input, v := &celRule{rule: &w.rules[i], sets: sets}, verdict(0)
			for p, program := range programs {
				if result, _, err := program.Eval(input); err == nil && result == types.True {
					v |= 1 << p
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
