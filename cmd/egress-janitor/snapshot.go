package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/snapshot"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// accountPlace stands for the name of the account in the name of a snapshot.
const accountPlace = "{account}"

// checkSnapshot refuses a name that two accounts would have to share.
func checkSnapshot(name string, accounts int) error {
	if name == "" || accounts == 1 || strings.Contains(name, accountPlace) {
		return nil
	}
	return usageError{fmt.Errorf("a snapshot is of one account, and the config has %d: choose one with --account, or name the "+
		"snapshots by account, as in --snapshot %s.jsonl", accounts, accountPlace)}
}

// recordTo audits an account and writes what was read to a file, which takes its name only once it is whole.
func (w *worker) recordTo(ctx context.Context, name string, a *attempt) (result *sweep.Result, err error) {
	name = strings.ReplaceAll(name, accountPlace, w.account.Name)
	err = w.writeOutput(name, func(out io.Writer) error {
		if !strings.HasSuffix(name, ".gz") {
			result, err = w.record(ctx, out, a)
			return err
		}
		compressed := gzip.NewWriter(out)
		result, err = w.record(ctx, compressed, a)
		return errors.Join(err, compressed.Close())
	})
	if err != nil {
		return nil, fmt.Errorf("snapshot of account %s: %w", w.account.Name, err)
	}
	return result, nil
}

func (w *worker) record(ctx context.Context, out io.Writer, a *attempt) (*sweep.Result, error) {
	writer, err := snapshot.NewWriter(out, &snapshot.Header{
		Account: snapshot.Account{Name: w.account.Name, ID: w.account.ID}, Started: w.now(), Program: buildInfo().Version,
	})
	if err != nil {
		return nil, err
	}
	var scan *scanner.Result
	a.visited = func(g *scanner.Group) error {
		return writer.Visit(&snapshot.Visit{Group: g.Group, Rules: g.Rules, Incomplete: g.Incomplete})
	}
	a.combined = func(region string, combinations []scanner.Combination) {
		writer.Interfaces(interfacesForm(region, combinations))
	}
	a.scanned = func(s *scanner.Result) { scan = s }
	result, err := w.sweep(ctx, a)
	if err != nil {
		return nil, err
	}
	return result, writer.Close(scanForm(scan, result))
}

// scanForm is how far a scan came, as a snapshot has it.
func scanForm(scan *scanner.Result, result *sweep.Result) *snapshot.Scan {
	form := &snapshot.Scan{Finished: result.Finished, Complete: scan.Complete()}
	for _, r := range scan.Regions {
		form.Regions = append(form.Regions, snapshot.Region{
			ID: r.ID, Complete: r.Complete, Groups: r.Groups, Rules: r.Rules, Gone: r.Gone, Error: errorText(r.Err),
		})
	}
	for _, p := range scan.Problems {
		form.Problems = append(form.Problems, snapshot.Problem{
			Region: p.Region, Group: p.Group, List: p.List, Rule: p.Rule, Error: errorText(p.Err),
		})
	}
	return form
}

// scanOf is what a snapshot says of how far its scan came.
func scanOf(form *snapshot.Scan) *scanner.Result {
	scan := &scanner.Result{}
	for _, r := range form.Regions {
		scan.Regions = append(scan.Regions, scanner.Region{
			ID: r.ID, Complete: r.Complete, Groups: r.Groups, Rules: r.Rules, Gone: r.Gone, Err: errorOf(r.Error),
		})
	}
	for _, p := range form.Problems {
		scan.Problems = append(scan.Problems, scanner.Problem{
			Region: p.Region, Group: p.Group, List: p.List, Rule: p.Rule, Err: errorOf(p.Error),
		})
	}
	return scan
}

// interfacesForm is what the interfaces of a region have, as a snapshot has it.
func interfacesForm(region string, combinations []scanner.Combination) *snapshot.Interfaces {
	form := &snapshot.Interfaces{Region: region, Combinations: []snapshot.Combination{}}
	for _, c := range combinations {
		form.Combinations = append(form.Combinations, snapshot.Combination(c))
	}
	return form
}

// combinationsOf is what a snapshot says of the interfaces of a region.
func combinationsOf(form *snapshot.Interfaces) []scanner.Combination {
	list := make([]scanner.Combination, 0, len(form.Combinations))
	for _, c := range form.Combinations {
		list = append(list, scanner.Combination(c))
	}
	return list
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func errorOf(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// openSnapshot reads the header of a snapshot, so that the account is known before its groups are judged.
func openSnapshot(name string) (*snapshot.Header, error) {
	file, err := os.Open(name) //nolint:gosec // the name is the user's own, by flag
	if err != nil {
		return nil, fmt.Errorf("reading the snapshot: %w", err)
	}
	header, err := snapshot.ReadHeader(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("reading the snapshot %s: %w", name, err)
	}
	return header, nil
}

// replayed hands the groups of a snapshot to a sweep in the place of an account.
func replayed(
	name string,
) func(func(*scanner.Group) error, func(string, []scanner.Combination)) (*scanner.Result, error) {
	return func(
		visit func(*scanner.Group) error, combined func(string, []scanner.Combination),
	) (_ *scanner.Result, err error) {
		file, err := os.Open(name) //nolint:gosec // the name is the user's own, by flag
		if err != nil {
			return nil, fmt.Errorf("reading the snapshot: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		_, scan, err := snapshot.ReadWith(file, func(v *snapshot.Visit) error {
			return visit(&scanner.Group{Group: v.Group, Rules: v.Rules, Incomplete: v.Incomplete})
		}, func(i *snapshot.Interfaces) { combined(i.Region, combinationsOf(i)) })
		if err != nil {
			return nil, fmt.Errorf("reading the snapshot %s: %w", name, err)
		}
		return scanOf(scan), nil
	}
}
