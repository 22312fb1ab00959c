package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newPolicy(sys system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Work with policy files",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyValidate(sys))
	return cmd
}

func newPolicyValidate(sys system) *cobra.Command {
	return &cobra.Command{
		Use:   "validate PATH...",
		Short: "Check policy files and print every mistake with its place",
		Long: `Validate reads policy files, or all *.yaml of directories, just as the other commands do, and prints every mistake
as file:line:column: message [code]. Files that are named together are checked together: names must be unique over
all of them, and exceptions may name policies of any.

Exit codes: 0 the policies can be used · 1 they cannot · 64 usage.`,
		Example: `  egress-janitor policy validate policies/
  egress-janitor policy validate policies/open-world.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := sys.loadPolicies(args)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(sys.out, "%s and %s are valid; policy hash %s\n",
				count(len(set.Policies), "policy", "policies"), count(len(set.Exceptions), "exception", "exceptions"), set.Hash())
			return err
		},
	}
}
