package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/egress-janitor/egress-janitor/configs"
	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

type demoFlags struct {
	once   bool
	listen string
	output string
}

func newDemo(sys system) *cobra.Command {
	var flags demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Audit, revoke and restore in a sample estate: no account, no questions",
		Long: `Demo starts the emulator on loopback with a sample estate, writes the sample config and policies to a temporary
directory, and works on the estate over HTTP just as on a real account:

  1. audit      what violates the policies, why, and what would be done about it
  2. arm        a new store revokes nothing until somebody says so, and new policies first go through a reporting sweep
  3. enforce    what is due is revoked, and each removal is proven by reading
  4. restore    one of the rules is created again
  5. history    the record of it, verified

Without --once it then runs the daemon on the same estate until it is interrupted, and prints what to try. Nothing is left
behind.`,
		Example: `  egress-janitor demo --once
  egress-janitor demo --once --output json | jq .totals     # two documents: the audit, and the enforcing sweep
  egress-janitor demo                         # then look at the metrics it serves`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(demoForms(), flags.output) {
				return unknownOutput(flags.output, demoForms()...)
			}
			return sys.demo(cmd.Context(), flags)
		},
	}
	cmd.Flags().BoolVar(&flags.once, "once", false, "end after the last step instead of running the daemon")
	cmd.Flags().StringVar(&flags.listen, "listen", "127.0.0.1:0", "address to serve metrics on; port 0 takes a free one")
	addOutput(cmd, &flags.output, demoForms()...)
	return cmd
}

func demoForms() []string { return []string{"table", "json"} }

func (s system) demo(ctx context.Context, flags demoFlags) (err error) {
	emulator, address, err := s.demoEmulator(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "egress-janitor-demo-")
	if err != nil {
		return errors.Join(fmt.Errorf("making a temporary directory: %w", err), address.Close())
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := writeDemoFiles(dir, "http://"+address.Addr().String(), flags.listen); err != nil {
		return errors.Join(err, address.Close())
	}
	// The emulator serves until this function returns, whatever ends it.
	serving, stop := context.WithCancel(ctx)
	group, serving := errgroup.WithContext(serving)
	group.Go(func() error { return emulator.Serve(serving, address) })
	group.Go(func() error {
		defer stop()
		return s.demoRun(serving, dir, flags)
	})
	return group.Wait()
}

// demoEmulator makes the emulator with the sample estate and opens its port.
func (s system) demoEmulator(ctx context.Context) (*ecsemu.Server, net.Listener, error) {
	data, err := fs.ReadFile(configs.FS(), configs.Estate)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the sample estate: %w", err)
	}
	estate, err := estates.Load(configs.Estate, data)
	if err != nil {
		return nil, nil, fmt.Errorf("loading the sample estate: %w", err)
	}
	server, err := ecsemu.New(ecsemu.Options{Estate: estate, Clock: s.now})
	if err != nil {
		return nil, nil, fmt.Errorf("starting the emulator: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listening: %w", err)
	}
	return server, listener, nil
}

// demoEdits are what the demo changes in the sample config. Each must be found, or the demo would not be of the sample.
func demoEdits(endpoint, listen string) [][2]string {
	return [][2]string{
		{"#   endpoint: http://127.0.0.1:8080", "endpoint: " + endpoint},
		{"mode: audit", "mode: enforce"},
		{"CRON_TZ=Asia/Shanghai 0 */2 * * *", "* * * * *"},
		{`metrics: "127.0.0.1:9464"`, fmt.Sprintf("metrics: %q", listen)},
		{"RevokeSecurityGroupEgress: 1", "RevokeSecurityGroupEgress: 50"},
		{"DescribeSecurityGroupAttribute: 10", "DescribeSecurityGroupAttribute: 100"},
		{"DescribeSecurityGroups: 5", "DescribeSecurityGroups: 50"},
	}
}

// writeDemoFiles writes the sample config and policies, with the config pointing at the emulator and enforcing.
func writeDemoFiles(dir, endpoint, listen string) error {
	if err := os.CopyFS(dir, configs.FS()); err != nil {
		return fmt.Errorf("writing the sample files: %w", err)
	}
	file := filepath.Join(dir, configs.Config)
	data, err := os.ReadFile(file) //nolint:gosec // written just before
	if err != nil {
		return fmt.Errorf("reading the sample config: %w", err)
	}
	text := string(data)
	for _, edit := range demoEdits(endpoint, listen) {
		if strings.Count(text, edit[0]) != 1 {
			return fmt.Errorf("the sample config does not say %q once", edit[0])
		}
		text = strings.Replace(text, edit[0], edit[1], 1)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil { //nolint:gosec // in a directory of our own
		return fmt.Errorf("writing the sample config: %w", err)
	}
	return nil
}

// demoRun goes through the steps and, unless it is to end then, runs the daemon.
func (s system) demoRun(ctx context.Context, dir string, flags demoFlags) error {
	access := cloudAccess{credentials: func() (ecsapi.Credentials, error) {
		return ecsapi.Credentials{KeyID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret}, nil
	}}
	config := filepath.Join(dir, configs.Config)
	if err := s.demoSteps(ctx, config, flags.output, access); err != nil || flags.once {
		return err
	}
	s.say("\nThe daemon runs now, until it is interrupted. Try, in another terminal:\n"+
		"  curl -s http://ADDRESS/metrics | grep egress_janitor_       # the ADDRESS is the one in the log below\n"+
		"  egress-janitor history list -c %[1]s\n"+
		"  egress-janitor pause --reason test -c %[1]s\n"+
		"  ALIBABA_CLOUD_ACCESS_KEY_ID=%[2]s ALIBABA_CLOUD_ACCESS_KEY_SECRET=%[3]s \\\n"+
		"    egress-janitor sweep -c %[1]s\n", config, ecsemu.DefaultKeyID, ecsemu.DefaultKeySecret)
	return s.daemon(ctx, daemonFlags{config: config}, access)
}
