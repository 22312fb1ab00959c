package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/policy"
)

func newPolicyAcceptChange(sys system) *cobra.Command {
	var flags acceptFlags
	cmd := &cobra.Command{
		Use:   "accept-change",
		Short: "Confirm that exceptions which vanished from the policies are meant to be gone",
		Long: `Accept-change shows the exceptions that earlier sweeps went by, that have not expired, and that the policies of the
config have lost, asks, and records that a person means it. Until then what such an exception exempted has the decision
hold: new-policy, since a policy file that was cut looks just like one from which somebody has removed an exception.

It is not needed where an exception is ended by a date in the past, and removed from the file after the next sweep. A running
daemon goes by it from its next sweep on.

Exit codes: 0 accepted, or there was nothing to accept · 1 the config, a policy or the store is wrong · 64 usage · 130
interrupted.`,
		Example: `  egress-janitor policy accept-change
  egress-janitor policy accept-change --reason "partner X has moved, NET-1234" --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return sys.acceptChange(cmd.Context(), &flags) },
	}
	cmd.Flags().StringVarP(&flags.config, "config", "c", defaultConfig, "config file")
	cmd.Flags().StringVar(&flags.reason, "reason", "", "why, for the record")
	cmd.Flags().BoolVarP(&flags.yes, "yes", "y", false, "do not ask")
	return cmd
}

// acceptChange is the command.
func (s system) acceptChange(ctx context.Context, flags *acceptFlags) (err error) {
	first, err := s.read(flags.config)
	if err != nil {
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
	if err := s.showKept(ctx, db, now.policies); err != nil {
		return err
	}
	if !flags.yes {
		if !s.asksOnTerminal() {
			return usageError{errors.New("accept-change asks before it accepts, and there is no terminal to ask on: add --yes")}
		}
		if !s.ask(ctx, "Accept the policies as they are now?") {
			return ctx.Err()
		}
	}
	if err := db.RecordPolicies(ctx, now.policies.Hash(), now.files); err != nil {
		return err
	}
	actor := operator()
	accepted := (&lineage{}).use(now.policies, actor)
	if err := db.AcceptSets(ctx, []store.SetUse{accepted}, actor, flags.reason); err != nil {
		return err
	}
	s.say("Accepted: the policies stand as they are, from the next sweep on.")
	return nil
}

// showKept shows the exceptions that still count. If earlier policies cannot be read any more there is nothing to show, and
// accepting is the way out.
func (s system) showKept(ctx context.Context, db *store.SQL, policies *policy.Set) error {
	e := &engine{system: s, policies: policies, store: db, ancestors: &ancestors{}}
	l, err := e.lineage(ctx)
	if err != nil {
		s.say("egress-janitor: warning: %v", err)
		return ctx.Err()
	}
	kept := l.kept(policies, s.now())
	if len(kept) == 0 {
		s.say("No exception has been lost that had not ended.")
	}
	for _, x := range kept {
		s.say("exception %s, until %s, owner %s: %s", x.Name, x.Expires.UTC().Format(time.RFC3339), report.Clean(x.Owner),
			report.Clean(x.Reason))
	}
	return nil
}
