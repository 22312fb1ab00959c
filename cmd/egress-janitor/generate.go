package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

// generateFlags say what estate is made up.
type generateFlags struct {
	estates.GenerateOptions

	even bool
}

// add adds the flags, and each under its older name as well, which is not shown.
func (g *generateFlags) add(f *pflag.FlagSet, groups int) {
	for _, old := range []string{"", "generate-"} {
		f.IntVar(&g.Groups, old+"groups", groups,
			"make up an estate of this many groups, which is the same for the same flags on any day")
		f.IntVar(&g.RulesPerGroup, old+"rules", 200, "egress rules in a made-up group, on average")
		f.Uint64Var(&g.Seed, old+"seed", 1, "seed of the made-up estate")
		f.StringSliceVar(&g.Regions, old+"regions", []string{"cn-hangzhou"}, "regions of the made-up estate")
		f.Float64Var(&g.FindingShare, old+"findings", 0.01,
			"share of made-up egress rules that are open to the world")
	}
	f.BoolVar(&g.even, "even", false, "make up as many rules in each group, instead of few in most and many in some")
	for _, name := range []string{"groups", "rules", "seed", "regions", "findings"} {
		// It is there, so this cannot fail.
		_ = f.MarkHidden("generate-" + name)
	}
}

func (g *generateFlags) validate() error {
	if g.Groups < 0 || g.RulesPerGroup < 0 || g.FindingShare < 0 || g.FindingShare > 1 {
		return usageError{fmt.Errorf("--groups %d, --rules %d and --findings %g: expected numbers from 0, and a share up to 1",
			g.Groups, g.RulesPerGroup, g.FindingShare)}
	}
	return nil
}

func (g *generateFlags) generate() *cloud.Estate {
	options := g.GenerateOptions
	options.Spread = !g.even
	return estates.Generate(options)
}
