package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/feeds"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// explainFlags are those of `policy explain`.
type explainFlags struct {
	config   string
	policies []string // files and directories instead of the config's
	only     []string // policies to show
	now      string

	// Where the rule is.
	account  string
	region   string
	group    string
	ruleJSON string
	snapshot string

	output     string
	outputFile string
}

func newPolicyExplain(sys system) *cobra.Command {
	var flags explainFlags
	cmd := &cobra.Command{
		Use:   "explain {RULE_ID | --rule-json FILE}",
		Short: "Say of one rule what every policy makes of it, clause by clause, and why",
		Long: `Explain takes one rule and goes through all policies: whether the policy speaks of the rule's group and which key
decides that, the truth of every clause of its match (true, false or unknown) with the rule's value and what decided, what
the rule permits beyond what the policy objects to, and every exception. At the end stands the decision as audit would
take it, why, and what would have to change for another one. It changes nothing.

The rule is found in the cloud by its ID, which takes a scan unless --group names its group; in a snapshot that
audit --snapshot wrote; or it is given by --rule-json (- is standard input): a finding of a JSON report as it is, or one
Permission as the cloud's own tools print it. A finding may have "prefixLists" and "portLists" beside it: what the lists
hold, by ID. A list that is not there counts as not read.

Policies are those of the config; --policies names files instead, and then --rule-json and --snapshot need no config.
Sets with a URL are fetched, but those of --policies count as not read.
Without a store grace counts as over, and what only a store knows (limits, pauses, what was revoked before) is left out.

Exit codes: 0 explained, whatever the decision · 1 the config, a policy or the rule is wrong, or the rule was not found ·
64 usage · 130 interrupted.`,
		Example: `  egress-janitor policy explain sgr-bp1example --group sg-bp1example --region cn-hangzhou
  egress-janitor policy explain sgr-bp1example --account prod --policy no-open-world
  jq '.findings[0]' audit.json | egress-janitor policy explain --rule-json - --policies policies/`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(cmd, args); err != nil {
				return err
			}
			return sys.explainRule(cmd.Context(), &flags, strings.Join(args, ""))
		},
	}
	flags.add(cmd)
	return cmd
}

func (f *explainFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.config, "config", "c", defaultConfig, "config file")
	flags.StringArrayVar(&f.policies, "policies", nil, "policy file or directory to take instead of the config's; repeatable")
	flags.StringArrayVar(&f.only, "policy", nil, "show this policy only; repeatable (default all)")
	flags.StringVar(&f.now, "now", "", "the moment to judge at, as 2027-01-31T18:00:00+08:00 (default now)")
	flags.StringVar(&f.account, "account", "", "account of the rule (default: all of the config are searched)")
	flags.StringVar(&f.region, "region", "", "region of the rule (default: all of the account are searched)")
	flags.StringVar(&f.group, "group", "", "ID of the rule's group; with it nothing else is read")
	flags.StringVar(&f.ruleJSON, "rule-json", "", "file with the rule: a finding or a Permission; - is standard input")
	flags.StringVar(&f.snapshot, "snapshot", "", "find the rule in this snapshot instead of the cloud")
	flags.StringVar(&f.outputFile, "output-file", "", "write the output to this file, once it is whole")
	addOutput(cmd, &f.output, explainForms()...)
	must(cmd.RegisterFlagCompletionFunc("account", completeAccounts(&f.config)))
}

func explainForms() []string { return []string{"text", "json"} }

// check refuses what the command line alone shows to be wrong.
func (f *explainFlags) check(cmd *cobra.Command, args []string) error {
	for _, name := range []string{"config", "now", "account", "region", "group", "rule-json", "snapshot", "output-file"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usageError{fmt.Errorf("--%s is empty: leave it out, or give it a value", name)}
		}
	}
	switch {
	case !slices.Contains(explainForms(), f.output):
		return unknownOutput(f.output, explainForms()...)
	case f.ruleJSON == "" && len(args) == 0:
		return usageError{errors.New("which rule? Name it by its ID, or give it with --rule-json")}
	case f.ruleJSON != "" && len(args) > 0:
		return usageError{errors.New("a rule ID and --rule-json exclude one another: each names a rule")}
	case f.ruleJSON != "" && f.snapshot != "":
		return usageError{errors.New("--rule-json and --snapshot exclude one another: each says where the rule is")}
	case len(args) > 0 && args[0] == "":
		return usageError{errors.New("the rule ID is empty")}
	}
	return nil
}

// explainRule is the command.
func (s system) explainRule(ctx context.Context, flags *explainFlags, id string) error {
	if flags.now != "" {
		at, err := time.Parse(time.RFC3339, flags.now)
		if err != nil {
			return usageError{fmt.Errorf("--now %q is no time: write 2027-01-31T18:00:00+08:00", flags.now)}
		}
		s.now = func() time.Time { return at }
	}
	ground, err := s.explainGround(ctx, flags)
	if err != nil {
		return err
	}
	s.warn(ground.policies)
	if err := ground.checkNames(flags.only); err != nil {
		return err
	}
	subject, err := s.findRule(ctx, flags, ground, id)
	if err != nil {
		return err
	}
	doc := ground.explain(subject, s.now())
	doc.only = flags.only
	return s.writeOutput(flags.outputFile, func(w io.Writer) error {
		if flags.output == "json" {
			return doc.json(w)
		}
		return doc.text(w, s.colors(w))
	})
}

// explainGround is what a rule is judged by.
type explainGround struct {
	policies *policy.Set
	reading  *reading // nil without a config
	config   string   // its name
}

// explainGround reads policies and, where it is needed, the config. Sets with a URL are fetched as for an audit; those
// of policies that --policies names are not.
func (s system) explainGround(ctx context.Context, flags *explainFlags) (*explainGround, error) {
	ground := &explainGround{config: flags.config}
	given := flags.ruleJSON != "" || flags.snapshot != ""
	if len(flags.policies) > 0 {
		set, err := readPolicies(flags.policies)
		if err != nil {
			return nil, err
		}
		ground.policies = set
		if given && flags.config == defaultConfig {
			return ground, nil
		}
	}
	fetcher := s.newFetcher(true)
	defer fetcher.Close()
	read, err := s.newFeedReader(fetcher, &feeds.Memory{}).read(ctx, flags.config)
	if err != nil {
		return nil, err
	}
	ground.reading = read
	if ground.policies == nil {
		ground.policies = read.policies
	}
	return ground, nil
}

// checkNames refuses policies to show that are not there.
func (g *explainGround) checkNames(names []string) error {
	known := make([]string, len(g.policies.Policies))
	for i, p := range g.policies.Policies {
		known[i] = p.Name
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return usageError{fmt.Errorf("--policy: there is no policy %q%s; there are %s",
				name, strictyaml.Suggest(name, known), strings.Join(known, ", "))}
		}
	}
	return nil
}

// explained is everything that is said of a rule.
type explained struct {
	subject     *ruleSubject
	now         time.Time
	only        []string // policies to show; none are all
	explanation *policy.Explanation
	decision    decision.Decision // zero if no policy objects
	hints       []string
	interfaces  bool // sweeps of the config speak of interfaces
}

// explain judges a rule. Its decision is that of an audit of this rule alone.
func (g *explainGround) explain(subject *ruleSubject, now time.Time) *explained {
	result := &explained{
		subject: subject, now: now,
		explanation: g.policies.Evaluator(subject.account, now).Explain(&subject.group, &subject.rule),
	}
	if result.explanation.Finding != nil {
		findings := []decision.Finding{{
			Group: &subject.group, Rule: subject.rule, Violations: result.explanation.Finding.Violations,
			Incomplete: subject.incomplete, PeerGone: subject.peerGone,
		}}
		about := &decision.Subject{Findings: findings, Complete: true, Now: now, Reach: subject.reach()}
		g.terms(subject.account).Decide(about, nil)
		result.decision = findings[0].Decision
		subject.recorded.explain(&result.decision)
		result.interfaces = g.scope() == reach.ScopeInterface
	}
	result.hints = result.advise()
	return result
}

// saidOtherwise is what the report said that the rule was taken from, if that is not what comes out here.
func (d *explained) saidOtherwise() string {
	if said := d.subject.reported; said.Action != "" && said.String() != d.decision.String() {
		return said.String()
	}
	return ""
}

// scope is what effects of the config's sweeps speak of.
func (g *explainGround) scope() reach.Scope {
	if g.reading == nil {
		return reach.ScopeGroup
	}
	return reach.Scope(g.reading.config.Reach.Scope)
}

// terms are what decisions about an account go by; those of no config are the defaults.
func (g *explainGround) terms(account string) *decision.Terms {
	if g.reading == nil {
		return &decision.Terms{Limits: decision.DefaultLimits()}
	}
	e := &engine{config: g.reading.config, policies: g.policies}
	w := &worker{engine: e}
	for _, a := range g.reading.config.Accounts {
		if a.Name == account {
			w.account = a
		}
	}
	terms := w.terms()
	// A limit is about how many rules go together. This is one.
	terms.Limits = decision.DefaultLimits()
	return terms
}

// objecting tells whether a policy's part is shown.
func (d *explained) shows(p *policy.Judgement) bool {
	return len(d.only) == 0 || slices.Contains(d.only, p.Policy.Name)
}

// verdict is what the decision says of a policy; empty if the policy does not object.
func (d *explained) verdict(p *policy.Judgement) decision.Verdict {
	if d.explanation.Finding == nil {
		return decision.Verdict{}
	}
	for i := range d.explanation.Finding.Violations {
		if d.explanation.Finding.Violations[i].Policy == p.Policy {
			return d.decision.Policies[i]
		}
	}
	return decision.Verdict{}
}
