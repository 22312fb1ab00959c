package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/revoker"
)

func newHistory(sys system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show what was revoked and restored, and check the audit log",
		Long: `History reads the store that the config names, and changes nothing in it: it works beside a running daemon, without
credentials, and whatever the policies say today.`,
		Example: `  egress-janitor history list --since 30d
  egress-janitor history show sgr-bp1example
  egress-janitor history verify`,
	}
	cmd.AddCommand(newHistoryList(sys), newHistoryShow(sys), newHistoryVerify(sys))
	return cmd
}

// historyFlags are what all commands on the history have.
type historyFlags struct {
	config     string
	output     string
	outputFile string
}

func (f *historyFlags) add(cmd *cobra.Command, forms ...string) {
	cmd.Flags().StringVarP(&f.config, "config", "c", defaultConfig, "config file, which names the store")
	cmd.Flags().StringVar(&f.outputFile, "output-file", "", "write to this file, once it is whole")
	addOutput(cmd, &f.output, forms...)
}

func (f *historyFlags) check(cmd *cobra.Command, forms ...string) error {
	for _, name := range []string{"config", "output-file"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usageError{fmt.Errorf("--%s is empty: leave it out, or name a file", name)}
		}
	}
	if !slices.Contains(forms, f.output) {
		return unknownOutput(f.output, forms...)
	}
	return nil
}

// openHistory opens the store for reading. The config is all that it needs: neither policies nor credentials.
func (s system) openHistory(ctx context.Context, file string) (*store.SQL, error) {
	c, err := s.readConfig(file)
	if err != nil {
		return nil, err
	}
	opened, err := store.Open(ctx, store.Options{Path: c.StorePath(), Now: s.now, ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no store %s yet: the first `run` or `sweep` makes it", c.StorePath())
	}
	return opened, err
}

// historyForms are the forms in which a list of revocations can be written.
func historyForms() []string { return []string{"table", "json", "markdown", "csv"} }

type historyListFlags struct {
	historyFlags

	filter       store.RevocationFilter
	since, until string
}

func newHistoryList(sys system) *cobra.Command {
	var flags historyListFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List revocations, newest first",
		Long: `List writes one line for each revocation: when it was decided on, what became of it, and which rule it was about.
Filters are exact and all of them apply. The outcomes are confirmed (removed, proven by re-reading), already_absent,
changed, withdrawn, failed and open.`,
		Example: `  egress-janitor history list                                   # the newest 100
  egress-janitor history list --since 30d --outcome confirmed   # what was removed within 30 days
  egress-janitor history list --policy no-open-world --output csv --output-file removed.csv --limit 0
  egress-janitor history list --since 2026-11-01 --until 2026-12-01 --output json | jq length`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(cmd, historyForms()...); err != nil {
				return err
			}
			if err := flags.period(sys.now()); err != nil {
				return err
			}
			return sys.historyList(cmd.Context(), &flags)
		},
	}
	flags.add(cmd, historyForms()...)
	cmd.Flags().StringVar(&flags.filter.Account, "account", "", "only of this account, by its name in the config")
	cmd.Flags().StringVar(&flags.filter.Region, "region", "", "only in this region")
	cmd.Flags().StringVar(&flags.filter.Group, "group", "", "only of the security group with this ID")
	cmd.Flags().StringVar(&flags.filter.Rule, "rule", "", "only of the rule with this ID")
	cmd.Flags().StringVar(&flags.filter.Policy, "policy", "", "only because of this policy")
	cmd.Flags().StringVar(&flags.filter.Outcome, "outcome", "", "only with this outcome: "+strings.Join(outcomes(), ", "))
	cmd.Flags().StringVar(&flags.since, "since", "", "only decided on since: 30d, 72h, 2026-11-01 or 2026-11-01T08:00:00Z")
	cmd.Flags().StringVar(&flags.until, "until", "", "only decided on before; as --since")
	cmd.Flags().IntVar(&flags.filter.Limit, "limit", 100, "how many at most; 0: all")
	must(cmd.RegisterFlagCompletionFunc("account", completeAccounts(&flags.config)))
	must(cmd.RegisterFlagCompletionFunc("outcome",
		cobra.FixedCompletions(outcomes(), cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// outcomes are what a revocation can be filtered by.
func outcomes() []string {
	names := []string{store.OutcomeOpen}
	for _, o := range revoker.Outcomes() {
		names = append(names, string(o))
	}
	return names
}

// period completes the filter by what makes sense only together.
func (f *historyListFlags) period(now time.Time) (err error) {
	if f.filter.Limit < 0 {
		return usageError{fmt.Errorf("--limit %d: expected a number from 0", f.filter.Limit)}
	}
	if f.filter.Outcome != "" && !slices.Contains(outcomes(), f.filter.Outcome) {
		return usageError{fmt.Errorf("--outcome %q is not known; use one of %s", f.filter.Outcome,
			strings.Join(outcomes(), ", "))}
	}
	if f.filter.Since, err = moment(f.since, now); err != nil {
		return usageError{fmt.Errorf("--since %w", err)}
	}
	if f.filter.Until, err = moment(f.until, now); err != nil {
		return usageError{fmt.Errorf("--until %w", err)}
	}
	if !f.filter.Until.IsZero() && !f.filter.Since.Before(f.filter.Until) {
		return usageError{fmt.Errorf("--since %s is not before --until %s: nothing could be listed",
			f.filter.Since.Format(time.RFC3339), f.filter.Until.Format(time.RFC3339))}
	}
	return nil
}

const day = 24 * time.Hour

// moment reads a time: how long ago it was, its date in UTC, or itself. An empty text is no time.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	ago, err := time.ParseDuration(text)
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		var n int
		n, err = strconv.Atoi(days)
		ago = time.Duration(n) * day
		if n > maxDays {
			err = strconv.ErrRange
		}
	}
	if err != nil || ago < 0 {
		return time.Time{}, fmt.Errorf(
			"%q is no time: expected a time ago such as 30d or 72h, a date such as 2026-11-01, or 2026-11-01T08:00:00Z", text)
	}
	return now.Add(-ago).UTC(), nil
}

// maxDays is more than any store holds, and less than a Duration can.
const maxDays = 100_000

func (s system) historyList(ctx context.Context, flags *historyListFlags) (err error) {
	opened, err := s.openHistory(ctx, flags.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	filter := flags.filter
	if filter.Limit > 0 {
		filter.Limit++ // to know whether there are more
	}
	records, err := opened.Revocations(ctx, filter)
	if err != nil {
		return err
	}
	items := historyItems(records)
	more := flags.filter.Limit > 0 && len(items) > flags.filter.Limit
	if more {
		items = items[:flags.filter.Limit]
	}
	err = s.writeOutput(flags.outputFile, func(w io.Writer) error { return s.renderHistory(w, items, flags.output) })
	if err != nil {
		return err
	}
	switch {
	case len(items) == 0 && flags.filter == (store.RevocationFilter{Limit: flags.filter.Limit}):
		s.say("egress-janitor: no revocation was ever recorded in this store")
	case len(items) == 0:
		s.say("egress-janitor: no revocation matches; leave a filter out to see more")
	case more:
		s.say("egress-janitor: these are the newest %d; there are more: see --limit", len(items))
	}
	return nil
}

func historyItems(records []store.RevocationRecord) []report.HistoryItem {
	items := make([]report.HistoryItem, len(records))
	for i := range records {
		r := &records[i]
		items[i] = report.HistoryItem{
			Revocation: r.Revocation, GroupName: r.GroupName, Calls: r.Calls, Restores: r.Restores,
		}
	}
	return items
}

func (s system) renderHistory(w io.Writer, items []report.HistoryItem, output string) error {
	switch output {
	case "json":
		return report.HistoryJSON(w, items)
	case "markdown":
		return report.HistoryMarkdown(w, items)
	case "csv":
		return report.HistoryCSV(w, items)
	}
	return report.HistoryTable(w, items, report.TableOptions{Color: s.colors(w)})
}
