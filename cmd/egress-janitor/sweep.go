package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

type sweepFlags struct {
	reportFlags

	enforce bool
	yes     bool
}

func newSweep(sys system) *cobra.Command {
	var flags sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Sweep once and record it; with --enforce, revoke what is decided",
		Long: `Sweep reads every egress rule of the accounts in the config, evaluates the policies, decides with all that the store
knows (grace periods, limits, what was revoked before), and records it. Without --enforce it changes nothing in the
cloud.

With --enforce it revokes what it decided to: each rule is announced in the store, read and decided about again right
before the call, and proven to be gone by reading after it. It needs the mode manual or enforce, a store that was armed
(egress-janitor resume), and a reporting sweep under the same policies before. What it removed,
egress-janitor restore creates again.

Credentials are as for audit. What they must be allowed to do is in deploy/ram/scan.json and deploy/ram/revoke.json.

Exit codes: 0 done · 1 the config, a policy or the store is wrong, or a revocation failed or is still open · 2 there are
findings (only with --detailed-exitcode) · 3 something in scope was not read whole · 4 with --enforce: the mode refused,
or a rule was held back · 64 usage · 130 interrupted.`,
		Example: `  egress-janitor sweep                      # report, and let clocks of grace run
  egress-janitor sweep --enforce --yes      # revoke
  egress-janitor sweep --enforce --account prod --output json --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(cmd); err != nil {
				return err
			}
			return sys.sweep(cmd.Context(), &flags, sys.fromEnv())
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&flags.enforce, "enforce", false, "revoke what is decided, and prove it")
	cmd.Flags().BoolVarP(&flags.yes, "yes", "y", false, "do not ask before revoking")
	return cmd
}

// sweep is the command.
func (s system) sweep(ctx context.Context, flags *sweepFlags, access cloudAccess) error {
	e, err := s.openEngine(ctx, &flags.reportFlags, access)
	if err != nil {
		return err
	}
	defer e.shut()
	if flags.enforce {
		if e.config.Mode == config.ModeAudit {
			s.say("egress-janitor: refused: the mode of %s is audit, in which nothing is ever revoked; "+
				"set mode: manual or mode: enforce", flags.config)
			return codeError(exitWithheld)
		}
		if !flags.yes && !s.asksOnTerminal() {
			return usageError{errors.New("--enforce asks before it revokes, and there is no terminal to ask on: add --yes")}
		}
	}
	why, err := held(ctx, e.config, e.store)
	if err != nil {
		return err
	}
	if why != "" {
		s.say("egress-janitor: warning: nothing is revoked now: %s", why)
	}
	code := exitDone
	err = s.writeOutput(flags.outputFile, func(w io.Writer) (err error) {
		code, err = e.sweepAll(ctx, w, flags)
		return err
	})
	if err == nil && code != exitDone {
		return codeError(code)
	}
	return err
}

// sweepAll sweeps one account after another and writes a document for each. It gives the exit code that the worst of
// them came to.
func (e *engine) sweepAll(ctx context.Context, w io.Writer, flags *sweepFlags) (int, error) {
	t := tally{complete: true, acting: flags.enforce}
	for _, worker := range e.workers {
		result, err := worker.sweepOnce(ctx, flags)
		if ctx.Err() != nil {
			return exitError, err
		}
		if err != nil { // the other accounts are swept, and reported, all the same
			e.say("egress-janitor: error: account %s: %v", worker.account.Name, err)
			t.failed = true
			continue
		}
		t.add(result)
		if err := e.render(w, document(result, e.policies), flags.output); err != nil {
			return exitError, err
		}
		e.warnIncomplete(result)
	}
	return t.code(flags.detailedExitcode), nil
}

// sweepOnce sweeps an account. A person who is asked and says no gets the report of what was shown.
func (w *worker) sweepOnce(ctx context.Context, flags *sweepFlags) (*sweep.Result, error) {
	switch {
	case !flags.enforce:
		return w.reportOnce(ctx)
	case flags.yes:
		return w.enforceOnce(ctx, nil)
	}
	preview, err := w.reportOnce(ctx)
	if err != nil {
		return nil, err
	}
	// The account is not locked while the person thinks, so that a restore elsewhere need not wait for that.
	shown := due(preview)
	agreed, err := w.confirm(ctx, preview, len(shown))
	switch {
	case err != nil:
		return nil, err
	case !agreed:
		return preview, ctx.Err()
	}
	return w.enforceOnce(ctx, shown)
}

// locked does work on the account under its lock.
func (w *worker) locked(ctx context.Context, work func() error) (err error) {
	release, err := w.lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if _, err := w.store.Interrupted(ctx, w.account.Name); err != nil {
		return err
	}
	return work()
}

// reportOnce sweeps, and changes nothing in the cloud.
func (w *worker) reportOnce(ctx context.Context) (result *sweep.Result, err error) {
	notExecuted := decision.DryRun
	if w.config.Mode == config.ModeAudit {
		notExecuted = decision.AuditMode
	}
	err = w.locked(ctx, func() (err error) {
		progress := newProgress(w.err, w.account.Name)
		defer progress.clear()
		result, err = w.sweep(ctx, &attempt{
			order: w.order(revoker.ByCommand, operator(), notExecuted), progress: progress.show,
		})
		return err
	})
	return result, err
}

// enforceOnce sweeps, revokes what may be revoked, and proves it. Shown are the rules that a person agreed to; nil if
// nobody was asked. The preview may have been what made the policies known, or the last sweep that a grace needed, so
// more can be due by now than was shown.
func (w *worker) enforceOnce(ctx context.Context, shown map[decision.RuleRef]bool) (result *sweep.Result, err error) {
	err = w.locked(ctx, func() error {
		// What an earlier process left open comes first: it was decided first, and its answers may still be missing.
		earlier, err := w.settleAll(ctx)
		w.tellEarlier(earlier)
		if err != nil {
			return err
		}
		now := &attempt{order: w.order(revoker.ByCommand, operator(), "")}
		if shown != nil {
			now.only = func(f *decision.Finding) bool { return shown[contents(f)] }
		}
		progress := newProgress(w.err, w.account.Name)
		now.progress = progress.show
		result, err = w.sweep(ctx, now)
		progress.clear()
		if err != nil {
			return err
		}
		settled, err := w.settleAll(ctx)
		note(result, settled)
		w.explainSettled(settled, err)
		return ctx.Err()
	})
	return result, err
}

// due gives the rules that a sweep would revoke.
func due(r *sweep.Result) map[decision.RuleRef]bool {
	rules := map[decision.RuleRef]bool{}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Decision.Action == decision.Revoke && !f.Decision.Open {
			rules[contents(f)] = true
		}
	}
	return rules
}

// contents name a rule by all that it says: one that was edited since is not the one that was shown.
func contents(f *decision.Finding) decision.RuleRef {
	return decision.RuleRef{Region: f.Group.Region, Group: f.Group.ID, Key: f.Rule.Fingerprint()}
}

// note writes what became of a sweep's revocations into its result.
func note(result *sweep.Result, settled *sweep.Settled) {
	endings := map[string]*revoker.Ending{}
	for i := range settled.Endings {
		endings[settled.Endings[i].Revocation] = &settled.Endings[i]
	}
	for i := range result.Revocations {
		r := &result.Revocations[i]
		if e := endings[r.ID]; e != nil {
			r.Outcome, r.Attribution, r.Detail, r.Ended = e.Outcome, e.Attribution, e.Detail, e.At
		}
	}
}

// tellEarlier says on standard error what became of revocations of earlier sweeps, which the report does not have.
func (w *worker) tellEarlier(settled *sweep.Settled) {
	for i := range settled.Endings {
		e := &settled.Endings[i]
		w.say("egress-janitor: account %s: revocation %s, left open by an earlier sweep: %s %s", w.account.Name, e.Revocation,
			e.Outcome, report.Clean(e.Detail))
	}
}

// explainSettled says on standard error what was not settled, and what to do.
func (w *worker) explainSettled(settled *sweep.Settled, err error) {
	if err != nil {
		w.say("egress-janitor: error: account %s: %v", w.account.Name, err)
	}
	if settled.Stop != "" {
		w.say("egress-janitor: error: account %s: stopped: %s", w.account.Name, settled.Stop)
	}
	if settled.Open > 0 {
		w.say("egress-janitor: warning: account %s: %s still open: a running daemon, or the next `sweep --enforce`, goes on with "+
			"them; see `egress-janitor history list --outcome open`", w.account.Name,
			count(settled.Open, "revocation is", "revocations are"))
	}
}

// confirm shows what would be done and asks: what is due now, and what an earlier process has left open.
func (w *worker) confirm(ctx context.Context, preview *sweep.Result, n int) (bool, error) {
	open, err := w.store.Open(ctx, w.account.Name)
	if err != nil {
		return false, err
	}
	left := 0
	for i := range open {
		for j := range open[i].Revocations {
			r := &open[i].Revocations[j]
			w.say("  %s %s %s: %s (left open by sweep %s)", r.Ref.Region, r.Ref.Group, cmp.Or(r.Rule.ID, "-"),
				ruleText(&r.Rule), r.Sweep)
			left++
		}
	}
	if n+left == 0 {
		w.say("Account %s: nothing to revoke now.", w.account.Name)
		return false, nil
	}
	for i := range preview.Findings {
		if f := &preview.Findings[i]; f.Decision.Action == decision.Revoke && !f.Decision.Open {
			w.say("  %s %s %s: %s", f.Group.Region, f.Group.ID, cmp.Or(f.Rule.ID, "-"), ruleText(&f.Rule))
		}
	}
	return w.ask(ctx, fmt.Sprintf("Revoke %s in account %s?", count(n+left, "rule", "rules"), w.account.Name)), nil
}

// ask asks a question that only yes answers with yes. The end of ctx answers it with no.
func (s system) ask(ctx context.Context, question string) bool {
	_, _ = fmt.Fprintf(s.err, "%s Type yes to go on: ", question)
	answer := make(chan string, 1)
	// A read of a terminal cannot be ended. Where ctx ends first the goroutine lasts as long as the process, which ends.
	go func() {
		line, _ := bufio.NewReader(s.in).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		if line == "yes" {
			return true
		}
	case <-ctx.Done():
	}
	s.say("Nothing was done.")
	return false
}

// asksOnTerminal tells whether there is a person to ask.
func (s system) asksOnTerminal() bool {
	file, ok := s.in.(*os.File)
	return ok && isTerminal(file) && isTerminal(s.err)
}

// lockWait is how long a command waits for an account that somebody else works on.
const lockWait = 60 * time.Second

// lock takes the account's lock.
func (w *worker) lock(ctx context.Context) (func() error, error) {
	release, err := w.store.LockAccount(ctx, w.account.Name, 0)
	if held, ok := errors.AsType[*store.HeldError](err); ok {
		w.say("egress-janitor: account %s is being worked on by %s: waiting for it, %s at most", w.account.Name, held.Holder,
			lockWait)
		release, err = w.store.LockAccount(ctx, w.account.Name, lockWait)
	}
	if held, ok := errors.AsType[*store.HeldError](err); ok {
		return nil, fmt.Errorf("account %s is being worked on by %s: waited %s for it; try again later", w.account.Name,
			held.Holder, lockWait)
	}
	return release, err
}

// tally is what the exit code of sweeps is made of.
type tally struct {
	acting, complete, withheld, failed bool
	findings                           int
}

func (t *tally) add(r *sweep.Result) {
	t.complete = t.complete && r.Complete()
	t.findings += len(r.Findings)
	for i := range r.Findings {
		d := &r.Findings[i].Decision
		t.withheld = t.withheld || d.Batch && d.Action == decision.Hold
	}
	for i := range r.Revocations {
		outcome := r.Revocations[i].Outcome
		t.failed = t.failed || outcome == "" || outcome == revoker.Failed
	}
}

// code gives the gravest.
func (t *tally) code(detailed bool) int {
	switch {
	case t.failed:
		return exitError
	case !t.complete:
		return exitIncomplete
	case t.acting && t.withheld:
		return exitWithheld
	case detailed && t.findings > 0:
		return exitFindings
	}
	return exitDone
}
