package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// demoTour goes through what the product does, step by step.
type demoTour struct {
	*engine

	output string
	number int
}

// demoSteps are the steps of the demo.
func (s system) demoSteps(ctx context.Context, config, output string, access cloudAccess) error {
	e, err := s.openEngine(ctx, &reportFlags{config: config, output: output}, access)
	if err != nil {
		return err
	}
	defer e.shut()
	t := &demoTour{engine: e, output: output}
	for _, step := range []func(context.Context, *worker) error{t.audit, t.arm, t.enforce, t.restore, t.history} {
		if err := step(ctx, e.workers[0]); err != nil {
			return err
		}
	}
	return nil
}

// heading says what comes, in the table form only: a program that reads JSON gets the documents alone.
func (t *demoTour) heading(title, text string) {
	t.number++
	if t.output == "table" {
		_, _ = fmt.Fprintf(t.out, "\n%d. %s\n   %s\n", t.number, title, text)
	}
}

func (t *demoTour) audit(ctx context.Context, w *worker) error {
	t.heading("Audit", "Every egress rule of the sample company is read and held against the policies. Nothing is changed.")
	storeless := *t.engine
	storeless.store = nil
	auditor := &worker{engine: &storeless, account: w.account, client: w.client}
	result, err := auditor.sweep(ctx, &attempt{order: w.order(revoker.ByCommand, "demo", decision.DryRun)})
	if err != nil {
		return err
	}
	return t.render(t.out, auditDocument(result, t.policies), t.output)
}

func (t *demoTour) arm(ctx context.Context, w *worker) error {
	t.heading("Arm", "A new store revokes nothing until `egress-janitor resume` was said, and policies that are new to it go\n"+
		"   through one reporting sweep first. Most findings wait for their grace; what is due at once is acted on by the\n"+
		"   next sweep.")
	if err := t.store.Resume(ctx, "demo", "the demo shows an enforcing sweep"); err != nil {
		return err
	}
	result, err := w.sweep(ctx, &attempt{order: w.order(revoker.ByCommand, "demo", decision.DryRun)})
	if err != nil {
		return err
	}
	return t.sum(result)
}

func (t *demoTour) enforce(ctx context.Context, w *worker) error {
	t.heading("Enforce", "What is due is removed: announced in the store, read and decided again right before the call, and\n"+
		"   proven by reading after it.")
	result, err := w.sweep(ctx, &attempt{order: w.order(revoker.ByCommand, "demo", "")})
	if err != nil {
		return err
	}
	settled, err := w.settleAll(ctx)
	if err != nil {
		return err
	}
	note(result, settled)
	if t.output == "json" {
		return t.render(t.out, document(result, t.policies), t.output)
	}
	if err := t.sum(result); err != nil {
		return err
	}
	return t.list(ctx, store.RevocationFilter{Sweep: result.ID})
}

func (t *demoTour) restore(ctx context.Context, w *worker) error {
	if t.output == "json" {
		return nil
	}
	revoked, err := t.store.Revocations(ctx, store.RevocationFilter{Outcome: string(revoker.Confirmed), Limit: 1})
	if err != nil {
		return err
	}
	if len(revoked) == 0 {
		return errors.New("the demo revoked nothing: there is nothing to restore")
	}
	t.heading("Restore", fmt.Sprintf("Somebody needs the last one back: egress-janitor restore %s\n", revoked[0].Rule.ID))
	return t.restoreAll(ctx, revoked, defaultHold)
}

func (t *demoTour) history(ctx context.Context, _ *worker) error {
	if t.output == "json" {
		return nil
	}
	t.heading("History", "Everything above is on record, each entry chained to the one before:\n"+
		"   egress-janitor history list, show, verify\n")
	v, err := t.store.Verify(ctx)
	if err != nil {
		return err
	}
	if v.Broken != "" {
		return fmt.Errorf("verifying the audit log: %s", v.Broken)
	}
	_, err = fmt.Fprintf(t.out, "  audit log: %d entries, chain intact, head %.12s\n", v.Entries, v.Head)
	return err
}

// sum says in some lines what a sweep decided.
func (t *demoTour) sum(r *sweep.Result) error {
	if t.output == "json" {
		return nil
	}
	return report.Summary(t.out, document(r, t.policies), report.TableOptions{Color: t.colors(t.out)})
}

func (t *demoTour) list(ctx context.Context, filter store.RevocationFilter) error {
	records, err := t.store.Revocations(ctx, filter)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(t.out)
	return report.HistoryTable(t.out, historyItems(records), report.TableOptions{Color: t.colors(t.out)})
}
