package main

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/policytest"
)

// policyTestFlags are those of `policy test`.
type policyTestFlags struct {
	run           string
	verbose       bool
	failUntouched bool
	output        string
	outputFile    string
}

// policyTestForms are the forms that a report of policy tests has.
func policyTestForms() []string { return []string{"text", "json", "junit"} }

func newPolicyTest(sys system) *cobra.Command {
	var flags policyTestFlags
	cmd := &cobra.Command{
		Use:   "test [PATH...]",
		Short: "Run the tests of policies and say which policies and exceptions no test touches",
		Long: `Test runs the policy tests in the named files, and in every *_test.yaml of the named directories and those in them;
without a path, of the current one. A test gives a rule, its group and the time, and says what is to be decided. It needs
no config, no account and no store: grace counts as over, and there are no limits. docs/first-policy.md shows how to write
one, and configs/cookbook has many.

Printed are the tests that failed, each with what was decided instead and why; the policies that objected in no test and
the exceptions that exempted in none; and how many tests there were.

Exit codes: 0 all tests passed · 1 a test failed, or something could not be read; with --fail-untouched also if no test
touches a policy or an exception · 64 usage.`,
		Example: `  egress-janitor policy test policies/
  egress-janitor policy test -v --run 'IPv6'
  egress-janitor policy test policies/ --fail-untouched --output junit --output-file policies.xml`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if flag := cmd.Flags().Lookup("output-file"); flag.Changed && flags.outputFile == "" {
				return usageError{fmt.Errorf("--output-file is empty: leave it out, or name a file")}
			}
			return sys.policyTest(args, &flags)
		},
	}
	cmd.Flags().StringVar(&flags.run, "run", "", "run only the tests whose name the regular expression matches")
	cmd.Flags().BoolVarP(&flags.verbose, "verbose", "v", false, "print the tests that passed, too")
	cmd.Flags().BoolVar(&flags.failUntouched, "fail-untouched", false, "fail if no test touches a policy or an exception")
	cmd.Flags().StringVar(&flags.outputFile, "output-file", "", "write the report to this file, once it is whole")
	addOutput(cmd, &flags.output, policyTestForms()...)
	cmd.MarkFlagsMutuallyExclusive("run", "fail-untouched")
	return cmd
}

func (s system) policyTest(paths []string, flags *policyTestFlags) error {
	if !slices.Contains(policyTestForms(), flags.output) {
		return unknownOutput(flags.output, policyTestForms()...)
	}
	pattern, err := regexp.Compile(flags.run)
	if err != nil {
		return usageError{fmt.Errorf("--run is no RE2 expression: %w", err)}
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	slashed := make([]string, len(paths))
	for i, path := range paths {
		slashed[i] = filepath.ToSlash(filepath.Clean(path))
	}
	suite, err := policytest.Load(osFS{}, slashed)
	if err != nil {
		return fmt.Errorf("loading policy tests: %w", err)
	}
	var wanted func(string) bool
	if flags.run != "" {
		wanted = pattern.MatchString
	}
	report := suite.Run(wanted)
	if len(report.Results) == 0 {
		return fmt.Errorf("no test has a name that --run %q matches", flags.run)
	}
	if err := s.writeOutput(flags.outputFile, func(w io.Writer) error {
		switch flags.output {
		case "json":
			return report.WriteJSON(w)
		case "junit":
			return report.WriteJUnit(w, flags.failUntouched)
		}
		return report.WriteText(w, flags.verbose)
	}); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if report.Failed() > 0 || flags.failUntouched && len(report.Untouched) > 0 {
		return codeError(exitError)
	}
	return nil
}
