package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/metrics"
)

// version is set when a release is built; see the Makefile.
var version = ""

// buildInfo is what the binary was made from, as far as it knows.
func buildInfo() metrics.Build {
	build := metrics.Build{Version: version, Revision: "unknown", GoVersion: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build
	}
	if build.Version == "" {
		build.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			build.Revision = s.Value
		}
	}
	return build
}

func newVersion(sys system) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print what this binary was built from",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			build := buildInfo()
			switch output {
			case "json":
				encoder := json.NewEncoder(sys.out)
				return encoder.Encode(map[string]string{
					"version": build.Version, "revision": build.Revision, "goVersion": build.GoVersion,
				})
			case "table":
				_, err := fmt.Fprintf(sys.out, "egress-janitor %s (revision %s, %s)\n", build.Version, build.Revision, build.GoVersion)
				return err
			}
			return unknownOutput(output, "table", "json")
		},
	}
	addOutput(cmd, &output, "table", "json")
	return cmd
}
