package estates_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// comparedRules lets estates be compared.
var comparedRules = cmp.AllowUnexported(cloud.Rule{})

func load(t *testing.T, file string) (*cloud.Estate, error) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return estates.Load(filepath.Base(file), data)
}

// corpus names the estate files of a directory of testdata.
func corpus(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/" + dir + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

var update = flag.Bool("update", false, "write the expected texts and the generated pages anew")

// page compares a text that was generated with the file that holds it.
func page(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s has drifted; write it anew with `go test ./internal/ecsemu/estates -update` (-file +code):\n%s", file, diff)
	}
}

func TestLoadEstateKeepsWhatIsWritten(t *testing.T) {
	got, err := load(t, "good/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := &cloud.Estate{Account: "42", Regions: []cloud.Region{
		{
			ID: "cn-hangzhou",
			PrefixLists: []cloud.PrefixList{
				{
					ID: "pl-bp1x", Name: "saas", Family: "IPv4", MaxEntries: 20, Entries: []cloud.Entry{{CIDR: "203.0.113.0/24"}},
					Created: "2025-02-20T07:11Z",
				},
				{ID: "pl-bp1y", Name: "six", Family: "IPv6", Entries: []cloud.Entry{{CIDR: "2001:db8::/32", Description: "lab"}}},
			},
			Groups: []cloud.Group{
				{
					ID: "sg-bp1web", Name: "web-prod", Type: "enterprise", VPC: "vpc-bp1", Managed: true, ResourceGroup: "rg-x",
					Created: "2025-01-02T03:04:05Z", Tags: map[string]string{"env": "prod", "empty": "", "number": "010"},
					InnerAccess: "Accept",
					Egress: []cloud.Rule{
						{
							ID: "sgr-bp1", Protocol: "tcp", Ports: "443/443", Peer: "0.0.0.0/0", Policy: "accept", Priority: 1, NIC: "intranet",
							Description: "x", Created: "2025-01-02T03:04:05Z", Own: "10.0.0.0/8", SourcePorts: "1/65535",
						},
						{NoID: true, Protocol: "udp", Ports: "65535/1", Peer: "sg-other", PeerAccount: "7", Policy: "accept", Priority: 110},
						{Protocol: "tcp", PortList: "prl-1", Peer: "pl-bp1x", Policy: "accept", Priority: 1},
						{Protocol: "all", Peer: "::ffff:10.0.0.1/104", Policy: "drop", Priority: 1},
					},
				},
				{ID: "sg-bp2", Name: "classic", Type: "normal"},
			},
		},
		{ID: "cn-empty"},
	}}
	if diff := cmp.Diff(want, got, comparedRules); diff != "" {
		t.Errorf("estate (-want +got):\n%s", diff)
	}
	if _, err := cloud.New(cloud.Options{Estate: got, Clock: time.Now}); err != nil {
		t.Errorf("serving it: %v", err)
	}
}

// TestLoadReportsEveryProblemAtItsPlace compares what is said of each bad file with the text beside it.
func TestLoadReportsEveryProblemAtItsPlace(t *testing.T) {
	for _, file := range corpus(t, "bad") {
		t.Run(file, func(t *testing.T) {
			estate, err := load(t, "bad/"+file)
			found, ok := errors.AsType[*strictyaml.Error](err)
			if !ok || estate != nil {
				t.Fatalf("got estate %v and error %v, want none and a *strictyaml.Error", estate, err)
			}
			page(t, "testdata/bad/"+strings.TrimSuffix(file, ".yaml")+".err", found.Error()+"\n")
		})
	}
}

// TestGoodFilesCanBeServed loads every good file and starts a cloud with it.
func TestGoodFilesCanBeServed(t *testing.T) {
	for _, file := range corpus(t, "good") {
		t.Run(file, func(t *testing.T) {
			estate, err := load(t, "good/"+file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := cloud.New(cloud.Options{Estate: estate, Clock: time.Now}); err != nil {
				t.Error(err)
			}
		})
	}
}
