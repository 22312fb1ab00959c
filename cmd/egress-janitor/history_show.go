package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/store"
)

func newHistoryShow(sys system) *cobra.Command {
	var flags historyFlags
	forms := []string{"table", "json"}
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show everything that is known of a revocation, a rule or a sweep",
		Long: `Show takes the ID of a revocation, of a rule, or of a sweep. Of a revocation, and of each revocation of a rule, it
tells what was decided, every call with its token, answer and request ID, how the end was proven, and what was restored
since. Of a sweep it tells the findings with their decisions, and then its revocations.`,
		Example: `  egress-janitor history show sgr-bp1example
  egress-janitor history show sgr-bp1example --output json | jq '.revocations[0].calls'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(cmd, forms...); err != nil {
				return err
			}
			if args[0] == "" {
				return usageError{errors.New("the ID is empty")}
			}
			return sys.historyShow(cmd.Context(), &flags, args[0])
		},
	}
	flags.add(cmd, forms...)
	return cmd
}

func (s system) historyShow(ctx context.Context, flags *historyFlags, id string) (err error) {
	opened, err := s.openHistory(ctx, flags.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	shown, err := findShown(ctx, opened, id)
	if err != nil {
		return err
	}
	if shown == nil {
		return fmt.Errorf("nothing in the store has the ID %q: neither a revocation nor a revoked rule nor a sweep; "+
			"`history list` names what there is", id)
	}
	return s.writeOutput(flags.outputFile, func(w io.Writer) error {
		if flags.output == "json" {
			return report.ShowJSON(w, shown)
		}
		return report.ShowTable(w, shown, report.TableOptions{Color: s.colors(w)})
	})
}

// findShown looks for the ID as that of a revocation, a sweep and a rule. It gives nil if there is nothing.
func findShown(ctx context.Context, opened *store.SQL, id string) (*report.Shown, error) {
	sweeps, err := opened.Sweeps(ctx, store.SweepFilter{ID: id, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(sweeps) == 1 {
		return showSweep(ctx, opened, &sweeps[0])
	}
	for _, filter := range []store.RevocationFilter{{ID: id}, {Rule: id}} {
		records, err := opened.Revocations(ctx, filter)
		if err != nil {
			return nil, err
		}
		if len(records) > 0 {
			return &report.Shown{Revocations: historyItems(records)}, nil
		}
	}
	return nil, nil //nolint:nilnil // nothing is what was found
}

func showSweep(ctx context.Context, opened *store.SQL, s *store.SweepRecord) (*report.Shown, error) {
	findings, err := opened.Findings(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	revocations, err := opened.Revocations(ctx, store.RevocationFilter{Sweep: s.ID})
	if err != nil {
		return nil, err
	}
	past := &report.PastSweep{
		ID: s.ID, Account: s.Account, Mode: s.Mode, Origin: s.Origin, Actor: s.Actor, Acting: s.Acting,
		PolicyHash: s.PolicyHash, Started: s.Started, Finished: s.Finished, Complete: s.Complete,
		Interrupted: s.Interrupted, Groups: s.Groups, Rules: s.Rules, Problems: s.Problems,
		Findings: make([]report.PastFinding, len(findings)),
	}
	for i := range findings {
		past.Findings[i] = pastFinding(&findings[i])
	}
	return &report.Shown{Sweep: past, Revocations: historyItems(revocations)}, nil
}

func pastFinding(f *store.FindingRecord) report.PastFinding {
	finding := report.PastFinding{
		Region: f.Region, Group: f.Group, GroupName: f.GroupName, Rule: f.Rule,
		Action: f.Action, Reason: f.Reason, Detail: f.Detail, Policies: make([]report.PastViolation, len(f.Policies)),
	}
	for i, p := range f.Policies {
		finding.Policies[i] = report.PastViolation{Name: p.Name, Severity: p.Severity, Verdict: p.Verdict, Because: p.Because}
	}
	return finding
}

func newHistoryVerify(sys system) *cobra.Command {
	var flags historyFlags
	forms := []string{"table", "json"}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Recompute the chain of the audit log and say whether it is as it was written",
		Long: `Verify reads the audit log from its first entry to its last, recomputes the hash of each from the entry and the hash
before it, and compares the log with the checkpoint file beside the store, and sweeps, revocations, calls and restores on
record with what the log says of them. It writes how many entries there are and the
hash of the last one, the head; a head that was kept elsewhere must be found again.

Exit codes: 0 intact · 1 the store cannot be read · 5 the log is broken.`,
		Example: `  egress-janitor history verify
  egress-janitor history verify --output json | jq -r .head`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(cmd, forms...); err != nil {
				return err
			}
			return sys.historyVerify(cmd.Context(), &flags)
		},
	}
	flags.add(cmd, forms...)
	return cmd
}

func (s system) historyVerify(ctx context.Context, flags *historyFlags) (err error) {
	opened, err := s.openHistory(ctx, flags.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	v, err := opened.Verify(ctx)
	if err != nil {
		return err
	}
	err = s.writeOutput(flags.outputFile, func(w io.Writer) error { return renderVerification(w, v, flags.output) })
	if v.Broken == "" {
		return err
	}
	if err != nil {
		s.say("egress-janitor: error: %v", err)
	}
	s.say("egress-janitor: error: the audit log, or a record that it vouches for, is not as it was written; keep the store " +
		"and its checkpoint as they are, and compare them with a copy; if you have put a copy back on purpose, " +
		"`egress-janitor resume --reason ...` accepts it")
	return codeError(exitBroken)
}

// verificationJSON is the JSON form. Absent means not applicable.
type verificationJSON struct {
	Intact   bool   `json:"intact"`
	Entries  int64  `json:"entries"`
	Head     string `json:"head,omitempty"`
	BrokenAt int64  `json:"brokenAt,omitempty"`
	Broken   string `json:"broken,omitempty"`
}

func renderVerification(w io.Writer, v *store.Verification, output string) error {
	var text string
	switch {
	case output == "json":
		data, err := json.MarshalIndent(verificationJSON{
			Intact: v.Broken == "", Entries: v.Entries, Head: v.Head, BrokenAt: v.BrokenSeq, Broken: v.Broken,
		}, "", "  ")
		if err != nil {
			return fmt.Errorf("writing the verification: %w", err)
		}
		text = string(data) + "\n"
	case v.Broken != "":
		at := ""
		if v.BrokenSeq > 0 {
			at = fmt.Sprintf("at entry %d: ", v.BrokenSeq)
		}
		text = fmt.Sprintf("entries  %d\nhead     %s\nBROKEN   %s%s\n", v.Entries, v.Head, at, report.Clean(v.Broken))
	default:
		text = fmt.Sprintf("entries  %d\nhead     %s\nThe audit log is as it was written.\n", v.Entries, v.Head)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("writing the verification: %w", err)
	}
	return nil
}
