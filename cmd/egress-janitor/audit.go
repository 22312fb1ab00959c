package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// reportFlags are those of commands that write reports of accounts.
type reportFlags struct {
	config           string
	accounts         []string
	output           string
	outputFile       string
	detailedExitcode bool
}

// add adds the flags to a command.
func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.config, "config", "c", defaultConfig, "config file")
	cmd.Flags().StringArrayVar(&f.accounts, "account", nil, "account of the config; repeatable (default all)")
	cmd.Flags().StringVar(&f.outputFile, "output-file", "", "write the report to this file, once it is whole")
	cmd.Flags().BoolVar(&f.detailedExitcode, "detailed-exitcode", false, "exit with 2 if there are findings")
	addOutput(cmd, &f.output, reportForms()...)
	must(cmd.RegisterFlagCompletionFunc("account", completeAccounts(&f.config)))
}

// check refuses what the flags alone show to be wrong.
func (f *reportFlags) check(cmd *cobra.Command) error {
	for _, name := range []string{"config", "output-file", "snapshot"} {
		if flag := cmd.Flags().Lookup(name); flag != nil && flag.Changed && flag.Value.String() == "" {
			return usageError{fmt.Errorf("--%s is empty: leave it out, or name a file", name)}
		}
	}
	if !slices.Contains(reportForms(), f.output) {
		return unknownOutput(f.output, reportForms()...)
	}
	return nil
}

// defaultConfig is what -c is without being given.
const defaultConfig = "egress-janitor.yaml"

// reportForms are the forms that a report of a sweep has.
func reportForms() []string { return []string{"table", "json", "markdown", "csv"} }

// auditFlags are those of an audit.
type auditFlags struct {
	reportFlags

	snapshot string
}

func newAudit(sys system) *cobra.Command {
	var flags auditFlags
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Read all egress rules once and report what violates the policies",
		Long: `Audit reads every egress rule of the accounts in the config, evaluates the policies and reports each violation with
its reasons and with the decision that an enforcing run would take. It changes nothing and needs no store; so grace
periods, the limit per window and recurring rules are unknown to it, and the report says so.

Credentials come from the environment: ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for temporary
ones, ALIBABA_CLOUD_SECURITY_TOKEN. What they must be allowed to do is in deploy/ram/scan.json. They are of one account: with
several accounts in the config, run once for each, with --account and its own key.

Exit codes: 0 done · 1 the config or a policy is wrong, no call was made · 2 there are findings (only with
--detailed-exitcode; exempted ones count too) · 3 something in scope was not read whole · 64 usage · 130 interrupted.`,
		Example: `  egress-janitor audit
  egress-janitor audit -c prod.yaml --account prod --output json --output-file audit.json
  egress-janitor audit --detailed-exitcode || echo "findings, or not complete"
  egress-janitor audit --snapshot '{account}.jsonl.gz'      # for egress-janitor policy replay`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(cmd); err != nil {
				return err
			}
			return sys.audit(cmd.Context(), &flags, sys.fromEnv())
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.snapshot, "snapshot", "",
		"also write what was read to this file, for policy replay; {account} stands for the account, .gz compresses")
	return cmd
}

// completeAccounts offers the accounts of the config.
func completeAccounts(file *string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		c, err := config.Load(*file)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, a := range c.Accounts {
			names = append(names, a.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// cloudAccess is how the accounts are reached.
type cloudAccess struct {
	credentials func() (ecsapi.Credentials, error)
	observer    ecsapi.Observer // nil if nobody counts
}

// fromEnv takes credentials from the environment.
func (s system) fromEnv() cloudAccess {
	return cloudAccess{credentials: func() (ecsapi.Credentials, error) { return ecsapi.CredentialsFromEnv(s.getenv) }}
}

// audit is the command. Everything that can be wrong with the input is found before the first call.
func (s system) audit(ctx context.Context, flags *auditFlags, access cloudAccess) error {
	e, err := s.loadEngine(ctx, &flags.reportFlags, access)
	if err != nil {
		return err
	}
	defer e.close()
	if err := checkSnapshot(flags.snapshot, len(e.workers)); err != nil {
		return err
	}
	// The exit code of a report says what is in it, so a report with a bad one is as much a report as any other.
	code := exitDone
	err = s.writeOutput(flags.outputFile, func(w io.Writer) (err error) {
		code, err = e.auditAll(ctx, w, flags)
		return err
	})
	if err == nil && code != exitDone {
		return codeError(code)
	}
	return err
}

// auditAll audits one account after another and writes a document for each. It gives the exit code that the worst of
// them came to; the error is for reports that could not be made.
func (e *engine) auditAll(ctx context.Context, w io.Writer, flags *auditFlags) (int, error) {
	t := tally{complete: true}
	for _, worker := range e.workers {
		progress := newProgress(e.err, worker.account.Name)
		result, err := worker.auditOnce(ctx, flags.snapshot, &attempt{
			order: worker.order(revoker.ByCommand, operator(), decision.AuditMode), progress: progress.show,
		})
		progress.clear()
		if err != nil {
			return exitError, err
		}
		t.add(result)
		if err := e.render(w, auditDocument(result, e.policies), flags.output); err != nil {
			return exitError, err
		}
		e.warnIncomplete(result)
	}
	return t.code(flags.detailedExitcode), nil
}

// auditOnce audits the account, and keeps what was read if a snapshot is named.
func (w *worker) auditOnce(ctx context.Context, snapshot string, a *attempt) (*sweep.Result, error) {
	if snapshot == "" {
		return w.sweep(ctx, a)
	}
	return w.recordTo(ctx, snapshot, a)
}

// warnIncomplete says on standard error what a program that reads only the report's totals would miss.
func (e *engine) warnIncomplete(result *sweep.Result) {
	if result.Complete() {
		return
	}
	first := "no region was read"
	if len(result.Problems) > 0 {
		p := result.Problems[0]
		first = strings.Join(slices.DeleteFunc([]string{p.Region, p.Group, p.List, p.Err.Error()},
			func(s string) bool { return s == "" }), " ")
	}
	e.say("egress-janitor: warning: account %s was not read whole: %s; the report lists them all; the first: %s",
		result.Account.Name, count(len(result.Problems), "problem", "problems"), report.Clean(first))
}

func (e *engine) render(w io.Writer, doc *report.Sweep, output string) error {
	e.documents++
	switch output {
	case "json":
		return report.JSON(w, doc)
	case "markdown":
		return report.Markdown(w, doc)
	case "csv":
		return report.CSV(w, doc, report.CSVOptions{Continued: e.documents > 1})
	}
	return report.Table(w, doc, report.TableOptions{Color: e.colors(w)})
}

// auditDocument is the report of an audit, which has no store to know some things from.
func auditDocument(r *sweep.Result, policies *policy.Set) *report.Sweep {
	doc := document(r, policies)
	doc.Unknown = []string{"grace", "window", "recurrence"}
	return doc
}

// document turns what a sweep found into what is reported of it.
func document(r *sweep.Result, policies *policy.Set) *report.Sweep {
	doc := &report.Sweep{
		ID: r.ID, Account: r.Account.Name, Mode: r.Mode, PolicyHash: r.PolicyHash,
		Started: r.Started, Finished: r.Finished, Complete: r.Complete(),
		Acting: r.Acting(), NotExecuted: r.NotExecuted, Revocations: r.Revocations,
		Unreadable: r.UnreadableCount,
		Findings:   r.Findings,
		Batches:    r.Batches,
		Hygiene:    hygiene(r),
		Change:     r.Change,
	}
	for _, region := range r.Regions {
		text := ""
		if region.Err != nil {
			text = region.Err.Error()
		}
		doc.Regions = append(doc.Regions, report.Region{
			ID: region.ID, Complete: region.Complete, Groups: region.Groups, Rules: region.Rules,
			Gone: region.Gone, Error: text,
		})
	}
	for i, x := range policies.Exceptions {
		doc.Exceptions = append(doc.Exceptions, report.Exception{Exception: x, Use: r.Uses[i]})
	}
	doc.Errors = append(reportErrors(r.Problems, false), reportErrors(r.Unreadable, true)...)
	return doc
}

// hygiene is what is odd about rules, one by one. Nil says that nobody asked.
func hygiene(r *sweep.Result) []report.Hygiene {
	if r.Hygiene == nil {
		return nil
	}
	list := []report.Hygiene{}
	for i := range r.Hygiene {
		for k := range r.Hygiene[i].Anomalies {
			a := &r.Hygiene[i].Anomalies[k]
			list = append(list, report.Hygiene{Group: r.Hygiene[i].Group, Rule: a.Rule, Anomaly: a.Anomaly})
		}
	}
	return list
}

func reportErrors(problems []scanner.Problem, unreadable bool) []report.Error {
	list := make([]report.Error, len(problems))
	for i, p := range problems {
		list[i] = report.Error{
			Region: p.Region, Group: p.Group, List: p.List, Rule: p.Rule, Text: p.Err.Error(), Unreadable: unreadable,
		}
	}
	return list
}
