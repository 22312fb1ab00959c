package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

type emulatorFlags struct {
	listen    string
	estate    string
	keys      []string
	caFile    string
	latency   time.Duration
	lag       time.Duration
	quotas    []string
	quotaCode string
	stsTLS    bool
	generated generateFlags
	era       cloud.Era
	assume    []string
}

func newEmulator(sys system) *cobra.Command {
	var flags emulatorFlags
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Serve an emulation of the cloud's ECS and STS APIs on this machine",
		Long: `Emulator serves the part of the ECS and STS APIs that is about security groups, for any client that signs its
requests: plain HTTP and TLS on one port, all regions on one address. It prints one line of JSON once it serves, and
serves until it is interrupted; calls that are being answered then have 5 seconds to end. What it holds is lost, unless
` + "`egress-janitor estate export`" + ` fetched it.

GET /_emulator/requests shows what it was asked; POST /_emulator/faults makes it misbehave; see docs/emulator.md.`,
		Example: `  egress-janitor emulator --listen 127.0.0.1:8080 --estate configs/estate.yaml
  egress-janitor emulator --access-key LTAIexample:secret --ca-file ca.pem
  egress-janitor emulator --groups 200 --rules 30 --seed 7       # an estate that nobody had to write
  egress-janitor emulator --groups 5000 --rules 200 --even       # one of exactly a million egress rules
  egress-janitor emulator --read-lag 2s --quota DescribeSecurityGroups=100/m
  egress-janitor emulator --assume revoke-batch=partial --assume client-token-lifetime=10m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asksWhatToAssume(flags.assume) {
				return explainAssumptions(sys.out)
			}
			return sys.emulator(cmd.Context(), flags)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.listen, "listen", "127.0.0.1:0", "address to serve on; port 0 takes a free one")
	f.StringVar(&flags.estate, "estate", "",
		"file with what the accounts hold to begin with, see docs/estates.md (default: an empty account)")
	f.StringArrayVar(&flags.keys, "access-key", nil,
		"access key to take, as ID:SECRET[:ACCOUNT]; repeatable; without "+
			"ACCOUNT it is of the estate's account (default "+ecsemu.DefaultKeyID+":"+ecsemu.DefaultKeySecret+")")
	f.StringVar(&flags.caFile, "ca-file", "", "write the generated CA certificate to this file, in PEM")
	f.DurationVar(&flags.latency, "latency", 0, "hold every answer back for this long")
	f.DurationVar(&flags.lag, "read-lag", 0, "answer reading calls from the state of this long ago")
	f.StringArrayVar(&flags.quotas, "quota", nil,
		"calls of an account in one region before throttling, as ACTION=N/s or ACTION=N/m; "+
			"repeatable; N alone is N/s of every action, and *=N/m of all actions together (default: no limit)")
	f.StringVar(&flags.quotaCode, "quota-code", "Throttling.User",
		"code of calls over a quota: Throttling, Throttling.User or Throttling.Api")
	f.BoolVar(&flags.stsTLS, "sts-needs-tls", false, "refuse calls of STS over plain HTTP, as the cloud does")
	addEra(f, &flags.era)
	f.StringArrayVar(&flags.assume, "assume", nil,
		"NAME=VALUE of what the documents of the API leave open, see docs/emulator-assumptions.md; "+
			"repeatable, and wins over the flags about the same; help lists them")
	flags.generated.add(f, 0)
	cmd.MarkFlagsMutuallyExclusive("estate", "groups")
	cmd.MarkFlagsMutuallyExclusive("estate", "generate-groups")
	return cmd
}

// addEra adds the flags that say what state of the API is emulated.
func addEra(f *pflag.FlagSet, era *cloud.Era) {
	f.StringVar((*string)(&era.MissingRule), "missing-rule", string(cloud.MissingRuleError),
		"what revoking a rule that is not there "+
			"by its ID is: error, as today, or succeed, as before July 2024")
	f.StringVar((*string)(&era.MissingParts), "missing-parts", string(cloud.MissingRuleSucceed),
		"what revoking a rule that is not "+
			"there by its parts is: succeed, as documented, or error")
	f.BoolVar(&era.NoRuleIDs, "no-rule-ids", false, "be of the time before rules had IDs")
	f.BoolVar(&era.NoPageNumbers, "no-page-numbers", false,
		"refuse listings by page numbers, which are being withdrawn")
	f.BoolVar(&era.VPCOnly, "vpc-only", false, "be an account without the classic network")
}

// emulatorOptions gives what the server is made with.
func (s system) emulatorOptions(flags emulatorFlags) (ecsemu.Options, error) {
	o := ecsemu.Options{
		Clock: s.now, Latency: flags.latency, ReadLag: flags.lag, QuotaCode: flags.quotaCode, STSNeedsTLS: flags.stsTLS,
		Era: flags.era,
	}
	if err := flags.generated.validate(); err != nil {
		return o, err
	}
	if err := assume(&o.Era, flags.assume); err != nil {
		return o, err
	}
	var err error
	switch {
	case flags.generated.Groups > 0:
		o.Estate = flags.generated.generate()
	case flags.estate != "":
		if o.Estate, err = loadEstate(flags.estate); err != nil {
			return o, err
		}
	}
	if o.Keys, err = accessKeys(flags.keys); err != nil {
		return o, err
	}
	o.Quotas, err = parseQuotas(flags.quotas)
	return o, err
}

func (s system) emulator(ctx context.Context, flags emulatorFlags) error {
	options, err := s.emulatorOptions(flags)
	if err != nil {
		return err
	}
	server, err := ecsemu.New(options)
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

// parseQuotas reads what --quota says.
func parseQuotas(texts []string) (map[string]ecsemu.Quota, error) {
	quotas := map[string]ecsemu.Quota{}
	for _, text := range texts {
		action, rate, named := strings.Cut(text, "=")
		if !named {
			action, rate = ecsemu.QuotaDefault, text
		}
		number, unit, _ := strings.Cut(rate, "/")
		quota := ecsemu.Quota{Per: time.Second}
		if unit == "m" {
			quota.Per = time.Minute
		}
		calls, err := strconv.Atoi(number)
		if err != nil || calls < 1 || (unit != "" && unit != "s" && unit != "m") || (named && action == "") {
			return nil, usageError{fmt.Errorf("--quota %q: expected N, ACTION=N/s or ACTION=N/m, with N from 1", text)}
		}
		if _, twice := quotas[action]; twice {
			return nil, usageError{fmt.Errorf("--quota %q: the same is limited twice", text)}
		}
		quota.Calls = calls
		quotas[action] = quota
	}
	return quotas, nil
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
