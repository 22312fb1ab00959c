package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// acceptFlags are those of `policy accept-set`.
type acceptFlags struct {
	config string
	reason string
	yes    bool
}

func newPolicyAcceptSet(sys system) *cobra.Command {
	var flags acceptFlags
	cmd := &cobra.Command{
		Use:   "accept-set NAME",
		Short: "Trust a set again that has grown or shrunk by more than half",
		Long: `Accept-set shows how large a set from a file or URL is now and was when it was last used, asks, and records that
a person trusts what it holds now. Until then everything that depends on the set has the decision hold: stale-set. A running
daemon goes by it from its next sweep on.

What is accepted is what the daemon uses: of a URL the last good copy in the store. No server is asked, and no credentials
are needed. Sets that are older than their max-age are not helped by this: fetch them, or mend their URL. If several policy
files have a set of that name, all of these that are in doubt are shown and accepted together.

Exit codes: 0 accepted, or there was nothing to accept · 1 the config, a policy or the store is wrong, or the set has no
contents · 64 usage, also a set that no policy file has · 130 interrupted.`,
		Example: `  egress-janitor policy accept-set threats
  egress-janitor policy accept-set threats --reason "the provider added the new ranges of NET-1234" --yes`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sys.acceptSet(cmd.Context(), &flags, args[0])
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return sys.sourceNames(flags.config), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringVarP(&flags.config, "config", "c", defaultConfig, "config file")
	cmd.Flags().StringVar(&flags.reason, "reason", "", "why, for the record")
	cmd.Flags().BoolVarP(&flags.yes, "yes", "y", false, "do not ask")
	return cmd
}

// sourceNames are the names of the sets from files and URLs, for completion.
func (s system) sourceNames(file string) []string {
	now, err := s.read(file)
	if err != nil {
		return nil
	}
	return namesOf(now.policies.Sources())
}

func namesOf(sources []*policy.Source) []string {
	names := make([]string, len(sources))
	for i, source := range sources {
		names[i] = source.Set
	}
	return slices.Compact(names)
}

// acceptSet is the command.
func (s system) acceptSet(ctx context.Context, flags *acceptFlags, name string) (err error) {
	first, err := s.read(flags.config)
	if err != nil {
		return err
	}
	if err := hasSource(first.policies, name); err != nil {
		return err
	}
	db, err := s.openStore(ctx, first.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	now, err := s.newFeedReader(nil, storedCopies{db}).read(ctx, flags.config)
	if err != nil {
		return err
	}
	used, err := db.UsedSets(ctx)
	if err != nil {
		return err
	}
	doubted, err := s.doubted(now.policies, used, name)
	if err != nil || len(doubted) == 0 {
		return err
	}
	if !flags.yes {
		if !s.asksOnTerminal() {
			return usageError{errors.New("accept-set asks before it accepts, and there is no terminal to ask on: add --yes")}
		}
		if !s.ask(ctx, fmt.Sprintf("Accept what the set %s holds now?", name)) {
			return ctx.Err()
		}
	}
	actor := operator()
	uses := make([]store.SetUse, len(doubted))
	for i, source := range doubted {
		uses[i] = setUse(source, actor)
	}
	if err := db.AcceptSets(ctx, uses, actor, flags.reason); err != nil {
		return err
	}
	s.say("Accepted: the set %s is trusted from the next sweep on.", name)
	return nil
}

// hasSource refuses a name that no set from a file or URL has.
func hasSource(policies *policy.Set, name string) error {
	known := namesOf(policies.Sources())
	switch {
	case slices.Contains(known, name):
		return nil
	case len(known) == 0:
		return usageError{errors.New("no policy file has a set from a file or URL: there is nothing to accept")}
	}
	return usageError{fmt.Errorf("no policy file has a set %q from a file or URL (there are: %s)%s", name,
		strings.Join(known, ", "), strictyaml.Suggest(name, known))}
}

// doubted shows the sets of a name and gives those that are in doubt.
func (s system) doubted(
	policies *policy.Set, used map[string]store.SetUse, name string,
) (doubted []*policy.Source, err error) {
	for _, source := range policies.Sources() {
		if source.Set != name {
			continue
		}
		if source.Problem != "" {
			return nil, fmt.Errorf("%s has no contents to accept: %s", source, source.Problem)
		}
		last, known := used[setKey(source)]
		switch {
		case doubt(used, source) != "":
			doubted = append(doubted, source)
			s.say("%s of %s", source, report.Clean(source.File))
			s.say("  last used: %s, sha256 %s, at %s by %s", sizeText(last.Elements, last.Addresses), last.SHA256,
				last.At.UTC().Format("2006-01-02 15:04 UTC"), report.Clean(last.Actor))
			s.say("  now:       %s, sha256 %s", sizeText(source.Elements, source.Addresses), source.SHA256)
		case !known:
			s.say("%s of %s has not been used yet: what its first sweep finds in it is trusted.", source, report.Clean(source.File))
		default:
			s.say("%s of %s is not in doubt: it holds %s, as %s when it was last used.", source, report.Clean(source.File),
				sizeText(source.Elements, source.Addresses), sizeText(last.Elements, last.Addresses))
		}
		if why := source.Stale(s.now()); why != "" {
			s.say("egress-janitor: warning: %s is held for another reason, which accepting does not change: %s", source, why)
		}
	}
	return doubted, nil
}

// sizeText says how large a set is.
func sizeText(elements int, addresses [2]float64) string {
	return fmt.Sprintf("%s (%s IPv4 and %s IPv6 addresses)", count(elements, "element", "elements"),
		humanAddresses(addresses[0]), humanAddresses(addresses[1]))
}

// humanAddresses is a count of addresses, which of IPv6 are too many for all their digits.
func humanAddresses(n float64) string {
	const most = 1e12
	if n < most {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.3g", n)
}
