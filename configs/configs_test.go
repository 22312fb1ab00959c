package configs_test

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/configs"
	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// read is an embedded file.
func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := fs.ReadFile(configs.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func loadConfig(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.Parse(configs.Config, read(t, configs.Config))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func loadPolicies(t *testing.T, paths ...string) *policy.Set {
	t.Helper()
	set, err := policy.Load(configs.FS(), paths)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]strictyaml.Problem(nil), set.Warnings); diff != "" {
		t.Errorf("warnings (-none +got):\n%s", diff)
	}
	return set
}

func loadEstate(t *testing.T) *ecsemu.Estate {
	t.Helper()
	estate, err := estates.Load(configs.Estate, read(t, configs.Estate))
	if err != nil {
		t.Fatal(err)
	}
	return estate
}

func policyFiles(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(configs.FS(), path.Join(configs.Policies, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTheConfigurationIsForTheAccountAndThePoliciesBesideIt(t *testing.T) {
	t.Parallel()
	got := loadConfig(t)
	want := &config.Config{
		Mode:     config.ModeAudit,
		Schedule: "CRON_TZ=Asia/Shanghai 0 */2 * * *",
		Policies: []string{configs.Policies + "/"},
		Accounts: []config.Account{{
			Name: "prod", ID: loadEstate(t).Account, Regions: []string{"*"},
			Quotas: map[string]float64{
				"DescribeSecurityGroups": 5, "DescribeSecurityGroupAttribute": 10, "DescribePrefixListAttributes": 5,
				"RevokeSecurityGroupEgress": 1,
			},
		}},
		Protected: config.Protected{
			Groups: []sg.Glob{"sg-bp1monitor"}, Tags: map[string]sg.Glob{"tier": "core"}, Names: []sg.Glob{"bastion-*"},
		},
		Limits: config.Limits{PerGroup: 10, PerSweep: 20, Percent: 10, PerWindow: 50},
		Store:  "sqlite:egress-janitor.db", PauseFile: "egress-janitor.pause",
		HTTP:  config.HTTP{Metrics: "127.0.0.1:9464"},
		Reach: config.Reach{Scope: config.ScopeGroup},
		Dir:   ".",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration differs (-want +got):\n%s", diff)
	}
}

// What the comments say to add must load as well.
func TestTheConfigurationLoadsWithTheKeysOfItsComments(t *testing.T) {
	t.Parallel()
	text := string(read(t, configs.Config))
	for _, key := range []string{"endpoint: http://127.0.0.1:8080", "ca-file: ca.pem"} {
		comment := "#   " + key + "\n"
		if strings.Count(text, comment) != 1 {
			t.Fatalf("%s: want one comment %q", configs.Config, comment)
		}
		text = strings.Replace(text, comment, key+"\n", 1)
	}
	got, err := config.Parse(configs.Config, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if a := got.Accounts[0]; a.Endpoint != "http://127.0.0.1:8080" || a.CAFile != "ca.pem" {
		t.Errorf("got endpoint %q and ca-file %q", a.Endpoint, a.CAFile)
	}
}

func TestEveryPolicyFileLoadsByItself(t *testing.T) {
	t.Parallel()
	files := policyFiles(t)
	if len(files) != 5 {
		t.Errorf("got %d policy files, want 5: %q", len(files), files)
	}
	for _, file := range files {
		t.Run(path.Base(file), func(t *testing.T) {
			t.Parallel()
			if set := loadPolicies(t, file); len(set.Policies) == 0 {
				t.Error("the file has no policy")
			}
		})
	}
}

func TestAllPolicyFilesLoadTogether(t *testing.T) {
	t.Parallel()
	set := loadPolicies(t, configs.Policies)
	var got []string
	for _, p := range set.Policies {
		got = append(got, p.Name)
	}
	want := []string{
		"expired-groups", "expired-rules", "incident-leftovers", "no-cleartext-outside", "no-databases-outside",
		"no-open-world", "no-threats", "too-wide", "undocumented",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policies differ (-want +got):\n%s", diff)
	}
}

// TestNoNameIsAWordOfThePolicyLanguage keeps set names and tag keys apart from the keys of the language, so that a
// reader, or a tool that knows no YAML, never takes one for the other.
func TestNoNameIsAWordOfThePolicyLanguage(t *testing.T) {
	t.Parallel()
	for where, name := range chosenNames(t) {
		if slices.Contains(policyWords(), name) {
			t.Errorf("%s is called %q, which is a key of policy files", where, name)
		}
	}
}

// chosenNames are the names of sets and the keys of tags, after where they stand.
func chosenNames(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	add := func(where string, keys []string) {
		for _, key := range keys {
			names[where+" "+key] = key
		}
	}
	var problems strictyaml.Problems
	for _, file := range policyFiles(t) {
		root, _ := strictyaml.Parse(&problems, file, read(t, file))
		add(file+", set", keysAt(root, "sets"))
		for _, key := range []string{"policies", "exceptions"} {
			list, there := root.Child(key)
			if !there {
				continue
			}
			for _, element := range list.Children() {
				add(file+", tag", keysAt(element, "groups", "tags"))
				add(file+", tag", keysAt(element, "groups", "without-tags"))
			}
		}
	}
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	for _, region := range loadEstate(t).Regions {
		for i := range region.Groups {
			add(region.Groups[i].ID+", tag", slices.Collect(maps.Keys(region.Groups[i].Tags)))
		}
	}
	add(configs.Config+", tag", slices.Collect(maps.Keys(loadConfig(t).Protected.Tags)))
	return names
}

// keysAt are the keys of a mapping inside mappings, none if it is not there.
func keysAt(v strictyaml.Value, path ...string) []string {
	for _, key := range path {
		if !v.HasKey(key) {
			return nil
		}
		v, _ = v.Child(key)
	}
	var keys []string
	m, _ := v.Map(strictyaml.Keys{})
	for key := range m.All() {
		keys = append(keys, key)
	}
	return keys
}

// policyWords are the keys of the policy language, those of later versions included.
func policyWords() []string {
	return strings.Fields(`
		version timezone sets policies exceptions
		cidrs file allow-wide max-age url sha256
		name description severity owner ticket groups match action collateral allow-opening only-if grace baseline limits
		approval reason expires
		accounts regions ids names vpcs types resource-groups tags without-tags expired-tag
		destination destination-kind destination-group prefix-list source source-ports protocol ports rule-action priority
		wider-than older-than expired every-rule any all not expression
		overlaps within outside covers equals
		ipv4 ipv6 matches empty per-sweep per-group`)
}
