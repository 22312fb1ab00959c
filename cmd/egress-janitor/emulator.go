package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

type emulatorFlags struct {
	listen   string
	estate   string
	keys     []string
	caFile   string
	latency  time.Duration
	quota    float64
	generate estates.GenerateOptions

	missingRule string
	noRuleIDs   bool
}

func newEmulator(sys system) *cobra.Command {
	var flags emulatorFlags
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Serve an emulation of the cloud's ECS and STS APIs on this machine",
		Long: `Emulator serves the part of the ECS and STS APIs that egress-janitor and its tests use, for any client that signs
its requests: plain HTTP and TLS on one port, all regions on one address. It prints one line of JSON once it serves, and
serves until it is interrupted; calls that are being answered then have 5 seconds to end. What it holds is lost.

GET /_emulator/requests shows what it was asked; POST /_emulator/faults makes it misbehave; see docs/emulator.md.`,
		Example: `  egress-janitor emulator --listen 127.0.0.1:8080 --estate configs/estate.yaml
  egress-janitor emulator --access-key LTAIexample:secret --ca-file ca.pem
  egress-janitor emulator --generate-groups 5000 --generate-rules 200`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return sys.emulator(cmd.Context(), flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.listen, "listen", "127.0.0.1:0", "address to serve on; port 0 takes a free one")
	f.StringVar(&flags.estate, "estate", "", "file with the groups, rules and lists to begin with (default: an empty account)")
	f.StringArrayVar(&flags.keys, "access-key", nil, "access key to take, as ID:SECRET[:ACCOUNT]; repeatable; without "+
		"ACCOUNT it is of the estate's account (default "+ecsemu.DefaultKeyID+":"+ecsemu.DefaultKeySecret+")")
	f.StringVar(&flags.caFile, "ca-file", "", "write the generated CA certificate to this file, in PEM")
	f.DurationVar(&flags.latency, "latency", 0, "hold every answer back for this long")
	f.Float64Var(&flags.quota, "quota", 0, "calls per second of one action in one region before throttling (default: no limit)")
	f.IntVar(&flags.generate.Groups, "generate-groups", 0, "make an estate of this many groups instead of reading one")
	f.IntVar(&flags.generate.RulesPerGroup, "generate-rules", 200, "egress rules in each generated group")
	f.Uint64Var(&flags.generate.Seed, "generate-seed", 1, "seed of the generated estate, which is the same on any day")
	f.StringSliceVar(&flags.generate.Regions, "generate-regions", []string{"cn-hangzhou"}, "regions of the generated estate")
	f.Float64Var(&flags.generate.FindingShare, "generate-findings", 0.01, "share of generated rules that are open to the world")
	f.StringVar(&flags.missingRule, "missing-rule", string(cloud.MissingRuleError), "what revoking a rule that is not there "+
		"is: error, as today, or succeed, as before July 2024")
	f.BoolVar(&flags.noRuleIDs, "no-rule-ids", false, "be of the time before rules had IDs")
	cmd.MarkFlagsMutuallyExclusive("estate", "generate-groups")
	return cmd
}

func (s system) emulator(ctx context.Context, flags emulatorFlags) error {
	estate, err := s.estate(flags)
	if err != nil {
		return err
	}
	keys, err := accessKeys(flags.keys)
	if err != nil {
		return err
	}
	server, err := ecsemu.New(ecsemu.Options{
		Estate: estate, Keys: keys, Clock: s.now, Latency: flags.latency, QuotaPerSecond: flags.quota,
		Era: cloud.Era{MissingRule: cloud.MissingRule(flags.missingRule), NoRuleIDs: flags.noRuleIDs},
	})
	if err != nil {
		return fmt.Errorf("starting the emulator: %w", err)
	}
	if flags.caFile != "" {
		if err := os.WriteFile(flags.caFile, server.CA(), 0o644); err != nil { //nolint:gosec // a certificate is public
			return fmt.Errorf("writing the CA certificate: %w", err)
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", flags.listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	ready := map[string]string{"address": listener.Addr().String(), "accountId": server.Account()}
	if flags.caFile != "" {
		ready["caFile"] = flags.caFile
	}
	if err := json.NewEncoder(s.out).Encode(ready); err != nil {
		return errors.Join(fmt.Errorf("announcing the address: %w", err), listener.Close())
	}
	return server.Serve(ctx, listener)
}

func (s system) estate(flags emulatorFlags) (*ecsemu.Estate, error) {
	if g := &flags.generate; g.Groups < 0 || g.RulesPerGroup < 0 || g.FindingShare < 0 || g.FindingShare > 1 {
		return nil, usageError{fmt.Errorf("--generate-groups %d, --generate-rules %d and --generate-findings %g: expected "+
			"numbers from 0, and a share up to 1", g.Groups, g.RulesPerGroup, g.FindingShare)}
	}
	if flags.generate.Groups > 0 {
		return estates.Generate(flags.generate), nil
	}
	if flags.estate == "" {
		return nil, nil //nolint:nilnil // no estate is an empty account
	}
	data, err := os.ReadFile(flags.estate)
	if err != nil {
		return nil, fmt.Errorf("reading the estate: %w", err)
	}
	estate, err := estates.Load(flags.estate, data)
	if err != nil {
		return nil, fmt.Errorf("loading the estate: %w", err)
	}
	return estate, nil
}

func accessKeys(texts []string) ([]ecsemu.AccessKey, error) {
	var keys []ecsemu.AccessKey
	for _, text := range texts {
		key, err := cloud.ParseAccessKey(text)
		if err != nil {
			return nil, usageError{fmt.Errorf("--access-key: %w", err)}
		}
		keys = append(keys, key)
	}
	return keys, nil
}
