package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/feeds"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
)

type replayFlags struct {
	config           string
	useConfig        bool // it was named
	snapshots        []string
	against          []string
	againstRunning   bool
	now              string
	output           string
	outputFile       string
	detailedExitcode bool
}

// replayForms are the forms that a replay has.
func replayForms() []string { return []string{"table", "json", "markdown"} }

func newPolicyReplay(sys system) *cobra.Command {
	var flags replayFlags
	cmd := &cobra.Command{
		Use:   "replay [PATH...]",
		Short: "Judge stored snapshots by policies, and show the difference to other policies",
		Long: `Replay judges what an audit has kept (audit --snapshot) by the named policy files and directories, or by those of
the config, at the moment of the snapshot, and takes decisions as an audit does: there is no store, so grace counts as over.
No call is made to the cloud.

With --against it shows what differs from other policies instead of all findings: first the rules that lost an exemption,
then those newly caught, those decided about in another way, and those no longer caught. With --against-running it compares
with the policies of the last sweep that the store of the config has on record: what the daemon goes by. The store is only
read.

With a config its guards and limits apply; without one nothing is protected and limits are the default ones.

Exit codes: 0 done · 1 a policy, a snapshot or the store cannot be used · 2 there is a difference, or, without --against, a
finding (only with --detailed-exitcode) · 3 a snapshot is of a scan that was not complete, or a set could not be read · 64
usage.`,
		Example: `  egress-janitor audit -c prod.yaml --snapshot prod.jsonl.gz
  egress-janitor policy replay policies/ --snapshot prod.jsonl.gz --against main/policies/
  egress-janitor policy replay policies/ --snapshot prod.jsonl.gz --against-running -c prod.yaml --detailed-exitcode`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.useConfig = cmd.Flags().Changed("config")
			if err := flags.check(); err != nil {
				return err
			}
			return sys.replay(cmd.Context(), args, &flags)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.config, "config", "c", defaultConfig, "config file")
	f.StringArrayVar(&flags.snapshots, "snapshot", nil, "snapshot of an account; repeatable")
	f.StringArrayVar(&flags.against, "against", nil, "policy file or directory to compare with; repeatable")
	f.BoolVar(&flags.againstRunning, "against-running", false, "compare with the policies of the last recorded sweep")
	f.StringVar(&flags.now, "now", "", "judge at this moment (RFC 3339) instead of that of the snapshot")
	f.StringVar(&flags.outputFile, "output-file", "", "write the report to this file, once it is whole")
	f.BoolVar(&flags.detailedExitcode, "detailed-exitcode", false, "exit with 2 if there is a difference, or a finding")
	addOutput(cmd, &flags.output, replayForms()...)
	cmd.MarkFlagsMutuallyExclusive("against", "against-running")
	must(cmd.MarkFlagRequired("snapshot"))
	return cmd
}

func (f *replayFlags) check() error {
	if slices.Contains(slices.Concat([]string{f.config}, f.snapshots, f.against), "") {
		return usageError{errors.New("an empty file name: leave the flag out, or name a file")}
	}
	if !slices.Contains(replayForms(), f.output) {
		return unknownOutput(f.output, replayForms()...)
	}
	return nil
}

// replay is the command. All input is read before the first snapshot is judged.
func (s system) replay(ctx context.Context, paths []string, flags *replayFlags) error {
	r, err := s.newReplay(ctx, paths, flags)
	if err != nil {
		return err
	}
	for _, name := range flags.snapshots {
		if err := r.judge(ctx, name); err != nil {
			return err
		}
	}
	err = s.writeOutput(flags.outputFile, func(w io.Writer) error {
		switch flags.output {
		case "json":
			return r.json(w)
		case "markdown":
			return r.markdown(w)
		}
		return r.table(w)
	})
	if err != nil {
		return err
	}
	for _, shot := range r.snapshots {
		if !shot.complete {
			s.say("egress-janitor: warning: %s: %s", shot.file, shot.problem)
		}
	}
	if code := r.code(flags.detailedExitcode); code != exitDone {
		return codeError(code)
	}
	return nil
}

// replay is one run of the command.
type replay struct {
	now      time.Time // zero: that of each snapshot
	config   *config.Config
	policies *policy.Set
	against  *policy.Set // nil: nothing is compared
	origin   string      // of against, for people

	snapshots []replayedSnapshot
}

// newReplay reads policies.
func (s system) newReplay(ctx context.Context, paths []string, flags *replayFlags) (*replay, error) {
	r := &replay{}
	if flags.now != "" {
		now, err := time.Parse(time.RFC3339, flags.now)
		if err != nil {
			return nil, usageError{fmt.Errorf("--now %q is no moment in the form of RFC 3339, as 2027-01-31T12:00:00Z", flags.now)}
		}
		r.now = now
	}
	fetcher := s.newFetcher(true)
	defer fetcher.Close()
	reader := s.newFeedReader(fetcher, &feeds.Memory{})
	if len(paths) == 0 {
		reading, err := reader.read(ctx, flags.config)
		if err != nil {
			return nil, err
		}
		r.config, r.policies = reading.config, reading.policies
	} else {
		if err := r.readPaths(ctx, reader, paths, flags); err != nil {
			return nil, err
		}
	}
	s.warn(r.policies)
	var err error
	switch {
	case len(flags.against) > 0:
		r.origin = "the other policies"
		if r.against, err = reader.readPaths(ctx, flags.against); err != nil {
			return nil, fmt.Errorf("policies to compare with: %w", err)
		}
	case flags.againstRunning:
		err = s.running(ctx, r)
	}
	return r, err
}

func (r *replay) readPaths(ctx context.Context, reader *feedReader, paths []string, flags *replayFlags) (err error) {
	if flags.useConfig || flags.againstRunning {
		if r.config, err = reader.readConfig(flags.config); err != nil {
			return err
		}
	}
	r.policies, err = reader.readPaths(ctx, paths)
	return err
}

// readPaths reads policy files with what the URLs of their sets hold.
func (f *feedReader) readPaths(ctx context.Context, paths []string) (*policy.Set, error) {
	for {
		set, _, err := readPoliciesWith(paths, f.options())
		if err != nil {
			return nil, err
		}
		missing := slices.DeleteFunc(wanted(set), func(w feeds.Wanted) bool {
			_, known := f.states[w.URL]
			return known
		})
		if len(missing) == 0 {
			return set, nil
		}
		if err := f.learn(ctx, missing); err != nil {
			return nil, err
		}
	}
}

// running reads the policies of the last recorded sweep from the store of the config.
func (s system) running(ctx context.Context, r *replay) (err error) {
	db, err := store.Open(ctx, store.Options{Path: r.config.StorePath(), Now: s.now, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	hash, files, at, ok, err := db.LatestPolicies(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("the store %s has no sweep with policies on record: run egress-janitor sweep or run first, or compare "+
			"with files by --against", r.config.StorePath())
	}
	if r.against, err = policiesOf(files, at); err != nil {
		return fmt.Errorf("policies %s on record: %w", hash, err)
	}
	r.origin = fmt.Sprintf("the policies of the sweep of %s", at.UTC().Format(time.RFC3339))
	return nil
}

// judge judges one snapshot.
func (r *replay) judge(ctx context.Context, name string) error {
	header, err := openSnapshot(name)
	if err != nil {
		return err
	}
	shot := replayedSnapshot{file: name, account: header.Account.Name, started: header.Started, now: header.Started}
	if !r.now.IsZero() {
		shot.now = r.now
	}
	after, err := r.sweep(ctx, &shot, r.policies)
	if err != nil {
		return err
	}
	var before *sweep.Result
	if r.against != nil {
		if before, err = r.sweep(ctx, &shot, r.against); err != nil {
			return err
		}
	}
	shot.fill(after, before)
	r.snapshots = append(r.snapshots, shot)
	return nil
}

// sweep is an audit of what a snapshot holds.
func (r *replay) sweep(ctx context.Context, shot *replayedSnapshot, policies *policy.Set) (*sweep.Result, error) {
	result, err := sweep.Run(ctx, sweep.Options{
		Order: sweep.Order{
			ID: "replay", Account: sweep.Account{Name: shot.account}, Origin: revoker.ByCommand, Actor: operator(),
			Mode: string(config.ModeAudit), NotExecuted: decision.AuditMode,
		},
		Policies: policies, Terms: r.terms(shot.account), Now: func() time.Time { return shot.now },
		Recorded: replayed(shot.file),
	})
	if err != nil {
		return nil, err
	}
	result.Problems = append(result.Problems, unreadSets(policies)...)
	return result, nil
}

// terms are those of the config, or the default ones.
func (r *replay) terms(account string) *decision.Terms {
	if r.config == nil {
		return &decision.Terms{Limits: decision.DefaultLimits(), MayAct: true}
	}
	w := &worker{engine: &engine{config: r.config}}
	for _, a := range r.config.Accounts {
		if a.Name == account {
			w.account = a
		}
	}
	return w.terms()
}

// code gives the gravest.
func (r *replay) code(detailed bool) int {
	code := exitDone
	for i := range r.snapshots {
		shot := &r.snapshots[i]
		switch {
		case !shot.complete:
			return exitIncomplete
		case detailed && len(shot.entries) > 0:
			code = cmp.Or(code, exitFindings)
		}
	}
	return code
}
