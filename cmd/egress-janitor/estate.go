package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

func newEstate(sys system) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "estate",
		Short: "Check, make and export estate files, which say what the emulator holds",
		Long: `Estate files say what the accounts of the emulator hold to begin with: groups, rules, lists, keys, users and roles.
Their format is in docs/estates.md. Editors take it from the schema that ` + "`egress-janitor estate schema`" + ` prints.`,
		Example: `  egress-janitor estate generate --groups 50 --rules 20 > estate.yaml
  egress-janitor estate check estate.yaml
  egress-janitor emulator --listen 127.0.0.1:8080 --estate estate.yaml
  egress-janitor estate export --endpoint http://127.0.0.1:8080 > now.yaml`,
	}
	cmd.AddCommand(newEstateCheck(sys), newEstateExport(sys), newEstateGenerate(sys), newEstateSchema(sys))
	return cmd
}

func newEstateCheck(sys system) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Check estate files: the emulator would start with each of them",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			for _, file := range files {
				estate, err := loadEstate(file)
				if err != nil {
					return err
				}
				if _, err := cloud.New(cloud.Options{Estate: estate, Clock: sys.now}); err != nil {
					return fmt.Errorf("checking %s: %w", file, err)
				}
			}
			return nil
		},
	}
}

func loadEstate(file string) (*cloud.Estate, error) {
	data, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("reading the estate: %w", err)
	}
	estate, err := estates.Load(file, data)
	if err != nil {
		return nil, fmt.Errorf("loading the estate: %w", err)
	}
	return estate, nil
}

func newEstateSchema(sys system) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema (draft-07) of estate files, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := estates.Schema()
			if err != nil {
				return err
			}
			return sys.print(schema)
		},
	}
}

func (s system) print(data []byte) error {
	if _, err := s.out.Write(data); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

func newEstateGenerate(sys system) *cobra.Command {
	var flags generateFlags
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Print a made-up estate that is the same for the same flags",
		Long: `Generate prints an estate of any size, such as accounts of that size have. Every rule in it is one that the API
takes. It follows from the flags alone, on any machine and on any day; see docs/estates.md for what is in it.`,
		Example: `  egress-janitor estate generate --groups 50 --rules 20 --seed 7 > estate.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := flags.validate(); err != nil {
				return err
			}
			return estates.Export(sys.out, flags.generate())
		},
	}
	flags.add(cmd.Flags(), 10)
	return cmd
}

type exportFlags struct {
	endpoint string
	secrets  bool
	timeout  time.Duration
}

func newEstateExport(sys system) *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export --endpoint URL",
		Short: "Print what a running emulator holds now, as an estate file",
		Long: `Export prints what all accounts of a running emulator hold at this moment, as an estate file that an emulator can be
started with. Access keys are in it only with --secrets; without them, that emulator takes the default key.`,
		Example: `  egress-janitor estate export --endpoint http://127.0.0.1:8080 > now.yaml`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return sys.exportEstate(cmd.Context(), flags) },
	}
	cmd.Flags().StringVar(&flags.endpoint, "endpoint", "", "address of the emulator, as http://127.0.0.1:8080")
	cmd.Flags().BoolVar(&flags.secrets, "secrets", false, "print access keys with their secrets")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", 30*time.Second, "how long to wait for the emulator")
	return cmd
}

// maxExport bounds what is taken for an estate.
const maxExport = 1 << 30

func (s system) exportEstate(ctx context.Context, flags exportFlags) error {
	address, err := url.Parse(flags.endpoint)
	if err != nil || address.Host == "" || (address.Scheme != "http" && address.Scheme != "https") {
		return usageError{fmt.Errorf("--endpoint %q: expected an address, as http://127.0.0.1:8080", flags.endpoint)}
	}
	address = address.JoinPath("/_emulator/estate")
	if flags.secrets {
		address.RawQuery = "secrets=true"
	}
	ctx, cancel := context.WithTimeout(ctx, flags.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return fmt.Errorf("asking the emulator: %w", err)
	}
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		return fmt.Errorf("asking the emulator: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxExport+1))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("reading the estate: %w", err)
	}
	switch {
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("asking the emulator: %s answers %s; is it an emulator?", address.Redacted(), response.Status)
	case len(data) > maxExport:
		return fmt.Errorf("reading the estate: it has more than %d bytes", maxExport)
	}
	return s.print(data)
}
