package main

import (
	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/policy"
)

func newPolicySchema(sys system) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema (draft-07) of policy files, for editors",
		Long: `Schema prints what editors and validators need to know of policy files: keys, forms, and what they mean. An editor
with the YAML language server takes it from the first line of a file:

  # yaml-language-server: $schema=./policy.schema.json

A schema sees less than "policy validate": not host bits, names that are not there, nor how a file ends, for instance.

Exit codes: 0 printed · 1 the output cannot be written · 64 usage.`,
		Example: `  egress-janitor policy schema > policies/policy.schema.json`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := policy.Schema()
			if err != nil {
				return err
			}
			return sys.print(schema)
		},
	}
}
