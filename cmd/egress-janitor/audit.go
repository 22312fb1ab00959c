package main

import (
	"context"
	"crypto/rand"
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
	"github.com/egress-janitor/egress-janitor/scanner"
)

type auditFlags struct {
	config           string
	accounts         []string
	output           string
	outputFile       string
	detailedExitcode bool
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
  egress-janitor audit --detailed-exitcode || echo "findings, or not complete"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range []string{"config", "output-file"} {
				if f := cmd.Flags().Lookup(name); f.Changed && f.Value.String() == "" {
					return usageError{fmt.Errorf("--%s is empty: leave it out, or name a file", name)}
				}
			}
			return sys.audit(cmd.Context(), flags, sys.fromEnv())
		},
	}
	cmd.Flags().StringVarP(&flags.config, "config", "c", "egress-janitor.yaml", "config file")
	cmd.Flags().StringArrayVar(&flags.accounts, "account", nil, "account of the config to audit; repeatable (default all)")
	cmd.Flags().StringVar(&flags.outputFile, "output-file", "", "write the report to this file, once it is whole")
	cmd.Flags().BoolVar(&flags.detailedExitcode, "detailed-exitcode", false, "exit with 2 if there are findings")
	addOutput(cmd, &flags.output, "table", "json")
	must(cmd.RegisterFlagCompletionFunc("account", completeAccounts(&flags)))
	return cmd
}

// completeAccounts offers the accounts of the config.
func completeAccounts(flags *auditFlags) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		c, err := config.Load(flags.config)
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
func (s system) audit(ctx context.Context, flags auditFlags, access cloudAccess) error {
	if flags.output != "table" && flags.output != "json" {
		return unknownOutput(flags.output, "table", "json")
	}
	c, policies, err := s.loadConfig(flags.config)
	if err != nil {
		return err
	}
	accounts, err := selectAccounts(c, flags.accounts)
	if err != nil {
		return err
	}
	credentials, err := access.credentials()
	if err != nil {
		return err
	}
	run := auditRun{system: s, config: c, policies: policies, credentials: credentials, observer: access.observer}
	if err := run.connectAll(accounts); err != nil {
		return err
	}
	defer run.close()
	// The exit code of a report says what is in it, so a report with a bad one is as much a report as any other.
	code := exitDone
	err = s.writeOutput(flags.outputFile, func(w io.Writer) (err error) {
		code, err = run.accounts(ctx, w, flags)
		return err
	})
	if err == nil && code != exitDone {
		return codeError(code)
	}
	return err
}

// auditRun is one audit of several accounts.
type auditRun struct {
	system

	config      *config.Config
	policies    *policy.Set
	credentials ecsapi.Credentials
	observer    ecsapi.Observer

	clients []accountClient
}

type accountClient struct {
	account config.Account
	client  *ecsapi.Client
}

func (r *auditRun) connectAll(accounts []config.Account) error {
	for _, a := range accounts {
		client, err := r.connect(&a)
		if err != nil {
			r.close()
			return err
		}
		r.clients = append(r.clients, accountClient{account: a, client: client})
	}
	return nil
}

// connect makes the client of an account.
func (r *auditRun) connect(a *config.Account) (*ecsapi.Client, error) {
	cas, err := readCAs(r.config, a)
	if err != nil {
		return nil, err
	}
	client, err := ecsapi.New(ecsapi.Options{
		Endpoint: a.Endpoint, CAs: cas, Credentials: r.credentials,
		Quotas: a.Quotas, Observer: r.observer, Now: r.now,
	})
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", a.Name, err)
	}
	return client, nil
}

func (r *auditRun) close() {
	for _, c := range r.clients {
		c.client.Close()
	}
}

// accounts audits one account after another and writes a document for each. It gives the exit code that the worst of
// them came to; the error is for reports that could not be made.
func (r *auditRun) accounts(ctx context.Context, w io.Writer, flags auditFlags) (int, error) {
	complete, findings := true, 0
	for _, c := range r.clients {
		result, err := r.one(ctx, &c)
		if err != nil {
			return exitError, err
		}
		complete = complete && result.Complete()
		findings += len(result.Findings)
		if err := r.render(w, result, flags.output); err != nil {
			return exitError, err
		}
		r.warnIncomplete(result)
	}
	return verdict(complete, findings, flags.detailedExitcode), nil
}

// warnIncomplete says on standard error what a program that reads only the report's totals would miss.
func (r *auditRun) warnIncomplete(result *sweep.Result) {
	if result.Complete() {
		return
	}
	first := "no region was read"
	if len(result.Problems) > 0 {
		p := result.Problems[0]
		first = strings.Join(slices.DeleteFunc([]string{p.Region, p.Group, p.List, p.Err.Error()},
			func(s string) bool { return s == "" }), " ")
	}
	r.say("egress-janitor: warning: account %s was not read whole: %s; the report lists them all; the first: %s",
		result.Account.Name, count(len(result.Problems), "problem", "problems"), report.Clean(first))
}

// verdict is the exit code of a reporting run, the gravest first.
func verdict(complete bool, findings int, detailed bool) int {
	switch {
	case !complete:
		return exitIncomplete
	case detailed && findings > 0:
		return exitFindings
	}
	return exitDone
}

func (r *auditRun) one(ctx context.Context, c *accountClient) (*sweep.Result, error) {
	progress := newProgress(r.err, c.account.Name)
	defer progress.clear()
	return sweep.Run(ctx, sweep.Options{
		ID:       rand.Text(),
		Account:  sweep.Account{Name: c.account.Name, ID: c.account.ID, Regions: c.account.Regions},
		Identity: c.client,
		Groups:   c.client,
		Rules:    c.client,
		Policies: r.policies,
		Guards:   guards(&r.config.Protected),
		Now:      r.now,
		Progress: progress.show,
	})
}

func (r *auditRun) render(w io.Writer, result *sweep.Result, output string) error {
	doc := document(result, r.policies)
	if output == "json" {
		return report.JSON(w, doc)
	}
	return report.Table(w, doc, report.TableOptions{Color: r.colors(w)})
}

// document turns what a sweep found into what is reported of it.
func document(r *sweep.Result, policies *policy.Set) *report.Sweep {
	doc := &report.Sweep{
		ID: r.ID, Account: r.Account.Name, Mode: string(config.ModeAudit), PolicyHash: policies.Hash(),
		Started: r.Started, Finished: r.Finished, Complete: r.Complete(),
		Unknown:     []string{"grace", "window", "recurrence"},
		NotExecuted: decision.AuditMode,
		Unreadable:  r.UnreadableCount,
		Findings:    r.Findings,
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

func reportErrors(problems []scanner.Problem, unreadable bool) []report.Error {
	list := make([]report.Error, len(problems))
	for i, p := range problems {
		list[i] = report.Error{
			Region: p.Region, Group: p.Group, List: p.List, Rule: p.Rule, Text: p.Err.Error(), Unreadable: unreadable,
		}
	}
	return list
}
