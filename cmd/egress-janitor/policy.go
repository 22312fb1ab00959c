package main

import (
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
	cmd.AddCommand(newPolicyExplain(sys))
	cmd.AddCommand(newPolicyTest(sys))
	cmd.AddCommand(newPolicyReplay(sys))
	cmd.AddCommand(newPolicyAcceptSet(sys))
	cmd.AddCommand(newPolicyAcceptChange(sys))
	cmd.AddCommand(newPolicySchema(sys))
	return cmd
}
