package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/egress-janitor/egress-janitor/configs"
	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/metrics"
)

type demoFlags struct {
	once   bool
	listen string
	audit  auditFlags
}

func newDemo(sys system) *cobra.Command {
	var flags demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Audit a sample estate in the emulator: no account, no questions",
		Long: `Demo starts the emulator on loopback with a sample estate, writes the sample config and policies to a temporary
directory, and audits the estate over HTTP just as a real account would be. Without --once it then serves its metrics
and the emulator until it is interrupted, and prints what to try. Nothing is left behind.`,
		Example: `  egress-janitor demo --once
  egress-janitor demo --once --output json | jq .totals
  egress-janitor demo                         # then look at the metrics it serves`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return sys.demo(cmd.Context(), flags) },
	}
	cmd.Flags().BoolVar(&flags.once, "once", false, "end after the report instead of serving metrics")
	cmd.Flags().StringVar(&flags.listen, "listen", "127.0.0.1:0", "address to serve metrics on; port 0 takes a free one")
	addOutput(cmd, &flags.audit.output, "table", "json")
	return cmd
}

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
	if err := writeDemoFiles(dir, "http://"+address.Addr().String()); err != nil {
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
	estate, err := ecsemu.LoadEstate(configs.Estate, data)
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

// endpointSample is where the sample config shows, in a comment, how to name an endpoint.
const endpointSample = "#   endpoint: http://127.0.0.1:8080"

// writeDemoFiles writes the sample config and policies, with the config pointing at the emulator.
func writeDemoFiles(dir, endpoint string) error {
	if err := os.CopyFS(dir, configs.FS()); err != nil {
		return fmt.Errorf("writing the sample files: %w", err)
	}
	file := filepath.Join(dir, configs.Config)
	data, err := os.ReadFile(file) //nolint:gosec // written just before
	if err != nil {
		return fmt.Errorf("reading the sample config: %w", err)
	}
	before, after, found := strings.Cut(string(data), endpointSample)
	if !found {
		return errors.New("the sample config does not show where an endpoint goes")
	}
	text := []byte(before + "endpoint: " + endpoint + after)
	if err := os.WriteFile(file, text, 0o600); err != nil { //nolint:gosec // in a directory of our own
		return fmt.Errorf("writing the sample config: %w", err)
	}
	return nil
}

// demoRun audits the emulator and, unless it is to end then, serves metrics until it is interrupted.
func (s system) demoRun(ctx context.Context, dir string, flags demoFlags) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	flags.audit.config = filepath.Join(dir, configs.Config)
	access := cloudAccess{
		credentials: func() (ecsapi.Credentials, error) {
			return ecsapi.Credentials{KeyID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret}, nil
		},
		observer: apiMetrics{metrics.New(registry, buildInfo())},
	}
	if flags.once {
		return s.audit(ctx, flags.audit, access)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", flags.listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	if err := s.audit(ctx, flags.audit, access); err != nil {
		return errors.Join(err, listener.Close())
	}
	return s.serveDemo(ctx, flags.audit.config, listener, registry)
}

func (s system) serveDemo(ctx context.Context, config string, listener net.Listener, registry *prometheus.Registry) error {
	log := s.logger()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	log.Info("serving until interrupted", zap.String("metrics", fmt.Sprintf("http://%s/metrics", listener.Addr())),
		zap.String("config", config))
	if _, err := fmt.Fprintf(s.err, "Try, in another terminal:\n  curl -s http://%s/metrics | grep egress_janitor_\n"+
		"  ALIBABA_CLOUD_ACCESS_KEY_ID=%s ALIBABA_CLOUD_ACCESS_KEY_SECRET=%s \\\n    egress-janitor audit -c %s\n",
		listener.Addr(), ecsemu.DefaultKeyID, ecsemu.DefaultKeySecret, config); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving metrics: %w", err)
	}
	log.Info("stopped")
	return nil
}

// apiMetrics counts calls of the cloud.
type apiMetrics struct{ metrics *metrics.Metrics }

func (m apiMetrics) Call(action string, class ecsapi.Class, latency time.Duration) {
	m.metrics.Call(action, string(class), latency)
}

func (m apiMetrics) Wait(action string, d time.Duration) { m.metrics.Wait(action, d) }
