package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/revoker"
)

type restoreFlags struct {
	config string
	sweep  string
	hold   time.Duration
	yes    bool
}

// defaultHold is how long a restored rule is left alone.
const defaultHold = 24 * time.Hour

func newRestore(sys system) *cobra.Command {
	var flags restoreFlags
	cmd := &cobra.Command{
		Use:   "restore {RULE_ID | REVOCATION_ID | --sweep ID}",
		Short: "Create revoked rules again",
		Long: `Restore creates a revoked rule again, exactly as it was recorded, or all rules that a sweep revoked. It shows them
first, proves by reading that they are there, and records the IDs that the cloud gives them. A rule whose content is there
already is left as it is, so restoring twice does no harm. Restored rules are not revoked again for the time of --hold.

It works in every mode, and when revoking is paused. What the credentials must be allowed to do is in
deploy/ram/restore.json.

Exit codes: 0 all of them are there · 1 one is not, or nothing was found to restore · 64 usage · 130 interrupted.`,
		Example: `  egress-janitor restore sgr-bp1example
  egress-janitor restore --sweep 3XQ7… --yes
  egress-janitor restore sgr-bp1example --hold 168h`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return errors.New("name one rule by its ID, or a sweep with --sweep")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			filter := store.RevocationFilter{Sweep: flags.sweep, Outcome: string(revoker.Confirmed)}
			if len(args) == 1 {
				filter.Rule = args[0]
			}
			switch {
			case (filter.Rule == "") == (filter.Sweep == ""):
				return usageError{errors.New("name one rule by its ID, or a sweep with --sweep")}
			case flags.hold < 0:
				return usageError{fmt.Errorf("--hold %s: it must not be negative", flags.hold)}
			case !flags.yes && !sys.asksOnTerminal():
				return usageError{errors.New("restore asks before it acts, and there is no terminal to ask on: add --yes")}
			}
			return sys.restore(cmd.Context(), &flags, filter, sys.fromEnv())
		},
	}
	cmd.Flags().StringVarP(&flags.config, "config", "c", defaultConfig, "config file")
	cmd.Flags().StringVar(&flags.sweep, "sweep", "", "restore all that this sweep revoked")
	cmd.Flags().DurationVar(&flags.hold, "hold", defaultHold, "leave restored rules alone for this long")
	cmd.Flags().BoolVarP(&flags.yes, "yes", "y", false, "do not ask before restoring")
	return cmd
}

// restore is the command.
func (s system) restore(ctx context.Context, flags *restoreFlags, filter store.RevocationFilter, access cloudAccess) error {
	e, err := s.openToRestore(ctx, flags.config, access)
	if err != nil {
		return err
	}
	defer e.shut()
	revoked, err := e.store.Revocations(ctx, filter)
	if err != nil {
		return err
	}
	if len(revoked) == 0 && filter.Rule != "" { // a rule without an ID has that of its revocation only
		revoked, err = e.store.Revocations(ctx, store.RevocationFilter{ID: filter.Rule, Outcome: filter.Outcome})
		if err != nil {
			return err
		}
	}
	if filter.Rule != "" && len(revoked) > 1 {
		revoked = revoked[:1] // the newest
	}
	if len(revoked) == 0 {
		return fmt.Errorf("no confirmed revocation of %s%s is on record in %s: `egress-janitor history list` shows what is",
			filter.Rule, filter.Sweep, e.config.StorePath())
	}
	s.preview(revoked)
	if !flags.yes && !s.ask(ctx, fmt.Sprintf("Create %s again?", count(len(revoked), "rule", "rules"))) {
		return nil
	}
	return e.restoreAll(ctx, revoked, flags.hold)
}

// preview shows what would be restored.
func (s system) preview(revoked []store.RevocationRecord) {
	for i := range revoked {
		r := &revoked[i]
		s.say("  %s %s %s %s: %s, revoked %s", r.Ref.Account, r.Ref.Region, r.Ref.Group, cmp.Or(r.Rule.ID, "-"),
			ruleText(&r.Rule), r.Ended.UTC().Format(time.RFC3339))
	}
}

// ruleText says in one line what a rule allows.
func ruleText(r *sg.Rule) string { return report.RuleText(r) }

// restoreAll restores account by account.
func (e *engine) restoreAll(ctx context.Context, revoked []store.RevocationRecord, hold time.Duration) error {
	missing := len(revoked)
	for _, w := range e.workers {
		var mine []revoker.Restore
		for i := range revoked {
			if r := &revoked[i]; r.Ref.Account == w.account.Name {
				mine = append(mine, revoker.Restore{
					ID: rand.Text(), Revocation: r.ID, Ref: r.Ref, Rule: r.Rule, HoldUntil: e.now().Add(hold),
					Actor: operator(), Created: e.now(),
				})
			}
		}
		there, err := w.restoreMine(ctx, mine)
		if err != nil {
			return err
		}
		missing -= there
	}
	if missing > 0 {
		e.say("egress-janitor: error: %s not restored", count(missing, "rule was", "rules were"))
		return codeError(exitError)
	}
	return nil
}

// restoreMine restores rules of one account. It gives how many of them are there.
func (w *worker) restoreMine(ctx context.Context, restores []revoker.Restore) (there int, err error) {
	if len(restores) == 0 {
		return 0, nil
	}
	release, err := w.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, release()) }()
	// What an earlier command was killed over is gone on with, and not recorded twice.
	open, err := w.store.OpenRestores(ctx, w.account.Name)
	if err != nil {
		return 0, err
	}
	wanted := map[string]bool{} // by revocation
	for i := range restores {
		wanted[restores[i].Revocation] = true
	}
	restores = slices.DeleteFunc(restores, func(r revoker.Restore) bool {
		return slices.ContainsFunc(open, func(o revoker.RestoreWork) bool { return o.Restore.Revocation == r.Revocation })
	})
	if err := w.store.AddRestores(ctx, restores); err != nil {
		return 0, err
	}
	// What others have left open is not this person's to decide: a daemon goes on with it, or who began it.
	done, err := w.restore(ctx, func(r *revoker.Restore) bool { return wanted[r.Revocation] })
	for i := range done {
		r := &done[i]
		if r.Outcome == revoker.Restored || r.Outcome == revoker.AlreadyThere {
			there++
		}
		if err := printRestore(w.out, r); err != nil {
			return there, err
		}
	}
	return there, err
}

// printRestore says what became of one restore.
func printRestore(out io.Writer, r *revoker.Restore) error {
	// From the time before rules had IDs there is only what they say.
	rule, as := cmp.Or(r.Rule.ID, ruleText(&r.Rule)), cmp.Or(r.RuleID, "a rule without an ID")
	var err error
	switch r.Outcome {
	case revoker.Restored:
		_, err = fmt.Fprintf(out, "restored %s as %s in %s, proven by reading; left alone until %s\n", rule, as,
			r.Ref.Group, r.HoldUntil.UTC().Format(time.RFC3339))
	case revoker.AlreadyThere:
		_, err = fmt.Fprintf(out, "%s was there already as %s in %s\n", rule, as, r.Ref.Group)
	case "":
		_, err = fmt.Fprintf(out, "%s is not there yet in %s: a running daemon goes on with it, or the same command again\n",
			rule, r.Ref.Group)
	case revoker.RestoreFailed:
		_, err = fmt.Fprintf(out, "%s was not restored in %s: %s\n", rule, r.Ref.Group, report.Clean(r.Detail))
	}
	return err
}
