package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/policy"
)

// tornPolicy objects to every rule of the estate, and has an exception for each in all the ways of writing one.
const tornPolicy = `version: 1
policies:
  - name: no-open-world
    description: Nothing reaches the whole Internet.
    severity: critical
    owner: netsec@example.com
    groups: all
    match:
      destination: {covers: [0.0.0.0/0]}
    action: revoke
    grace: 0s

  - name: no-partners
    description: Partners are excepted one by one.
    severity: high
    owner: netsec@example.com
    groups: all
    action: revoke
    grace: 0s
    match:
      destination: {within: [203.0.113.0/24]}

exceptions:
  - name: mail
    policies: ["*"]
    groups: all
    match: {ports: {within: [25]}}
    reason: The relay.
    owner: mail@example.com
    expires: 2099-01-31

  - name: web
    policies: [no-open-world]
    groups: all
    match: {ports: {within: [443]}}
    reason: The shop.
    owner: web@example.com
    expires: 2099-01-31

  # The last key is a list in lines of its own: a cut within it leaves a legal exception that exempts less.
  - name: partners
    policies: [no-partners]
    groups: all
    reason: SFTP to partners.
    owner: sftp@example.com
    expires: 2099-01-31
    match:
      destination:
        within:
          - 203.0.113.1/32
          - 203.0.113.2/32
          - 203.0.113.3/32
`

// tornEstate has a rule for each exception, and for each line of the last one.
func tornEstate() *ecsemu.Estate {
	rules := []ecsemu.Rule{
		{Protocol: "tcp", Ports: "25/25", Peer: "0.0.0.0/0"},
		{Protocol: "tcp", Ports: "443/443", Peer: "0.0.0.0/0"},
		{Protocol: "tcp", Ports: "22/22", Peer: "203.0.113.1/32"},
		{Protocol: "tcp", Ports: "22/22", Peer: "203.0.113.2/32"},
		{Protocol: "tcp", Ports: "22/22", Peer: "203.0.113.3/32"},
	}
	return &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "eu-west-1", Groups: []ecsemu.Group{
		{ID: "sg-bp1web", Name: "web", VPC: "vpc-1", Egress: rules},
	}}}}
}

// tornStory is a store, an account and a policy file, on which commands are run.
type tornStory struct {
	t      *testing.T
	config string
	policy string
	out    bytes.Buffer
	err    bytes.Buffer
}

func newTornStory(t *testing.T, endpoint string) *tornStory {
	t.Helper()
	dir := t.TempDir()
	s := &tornStory{t: t, config: filepath.Join(dir, "janitor.yaml")}
	put(t, strings.Replace(assumedConfig, "ENDPOINT", endpoint, 1), s.config)
	s.policy = put(t, tornPolicy, dir, "policies", "torn.yaml")
	return s
}

// run runs a command and gives its exit code.
func (s *tornStory) run(args ...string) int {
	s.t.Helper()
	s.out.Reset()
	s.err.Reset()
	keys := map[string]string{
		"ALIBABA_CLOUD_ACCESS_KEY_ID": ecsemu.DefaultKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ecsemu.DefaultKeySecret,
	}
	return run(s.t.Context(), append(args, "-c", s.config), system{
		in: strings.NewReader(""), out: &s.out, err: &s.err, now: time.Now, getenv: func(name string) string { return keys[name] },
	})
}

// enforce runs an enforcing sweep and gives its decisions by number, and the exceptions that its report says vanished.
func (s *tornStory) enforce() (decisions map[string]int, vanished []string) {
	s.t.Helper()
	if code := s.run("sweep", "--enforce", "--yes", "-o", "json"); code != exitDone && code != exitWithheld {
		s.t.Fatalf("exit code %d: %s", code, s.err.String())
	}
	var report struct {
		Findings []struct {
			Decision struct{ Action, Reason string }
		}
		PolicyChange struct {
			ExceptionsRemoved []struct{ Name string }
		}
	}
	if err := json.Unmarshal(s.out.Bytes(), &report); err != nil {
		s.t.Fatal(err)
	}
	decisions = map[string]int{}
	for _, f := range report.Findings {
		decisions[strings.TrimSpace(f.Decision.Action+" "+f.Decision.Reason)]++
	}
	for _, x := range report.PolicyChange.ExceptionsRemoved {
		vanished = append(vanished, x.Name)
	}
	return decisions, vanished
}

func (s *tornStory) write(text string) {
	s.t.Helper()
	put(s.t, text, s.policy)
}

// A policy file that was cut is refused, or has all of its exceptions, or has fewer: then nothing that an exception of the
// whole file exempts is revoked, however many enforcing sweeps go by, and the report names what vanished.
func TestNoCutOfAPolicyFileLetsASweepEnforceWithFewerExceptions(t *testing.T) {
	t.Parallel()
	r := ecsemu.Start(t, tornEstate())
	s := newTornStory(t, r.URL)
	if code := s.run("resume", "--reason", "a test"); code != exitDone {
		t.Fatal(s.err.String())
	}
	s.enforce()
	if got, _ := s.enforce(); got["exempt mail"]+got["exempt web"]+got["exempt partners"] != 5 {
		t.Fatalf("under the whole file: got %v, want 5 exemptions", got)
	}
	refused, fewer := 0, 0
	for n := range len(tornPolicy) {
		s.write(tornPolicy[:n])
		set, err := readPolicies([]string{s.policy})
		if err != nil {
			refused++
			continue
		}
		names := exceptionNames(set)
		for sweep := range 3 {
			decisions, vanished := s.enforce()
			if sweep == 0 && !slices.Equal(missing(names), vanished) {
				t.Errorf("cut to %d bytes: the report names %q, want %q", n, vanished, missing(names))
			}
			if left := len(r.Server.Rules("eu-west-1", "sg-bp1web")); left != 5 || decisions["revoke"] > 0 {
				t.Fatalf("cut to %d bytes, with the exceptions %q: sweep %d left %d of 5 rules: %v", n, names, sweep+1, left, decisions)
			}
		}
		fewer++
		s.write(tornPolicy)
		s.enforce()
	}
	t.Logf("%d cuts refused, %d swept", refused, fewer)
	if fewer < 5 || refused < 500 {
		t.Errorf("%d cuts were refused and %d swept: the test has lost its sense", refused, fewer)
	}
}

func exceptionNames(set *policy.Set) []string {
	var names []string
	for _, x := range set.Exceptions {
		names = append(names, x.Name)
	}
	return names
}

// missing are the exceptions of the whole file that are not among the names.
func missing(names []string) []string {
	var list []string
	for _, name := range []string{"mail", "partners", "web"} {
		if !slices.Contains(names, name) {
			list = append(list, name)
		}
	}
	return list
}

func TestAnExceptionEndsByADateInThePast(t *testing.T) {
	t.Parallel()
	s := newTornStory(t, ecsemu.Start(t, tornEstate()).URL)
	s.run("resume", "--reason", "a test")
	s.enforce()
	ended := strings.Replace(tornPolicy, "owner: mail@example.com\n    expires: 2099-01-31", "owner: mail@example.com\n    expires: 2020-01-31", 1)
	s.write(ended)
	first, _ := s.enforce()
	second, _ := s.enforce()
	if first["hold new-policy"] != 1 || second["revoke"] != 1 {
		t.Errorf("got %v, then %v; want the rule held by the first sweep and revoked by the second", first, second)
	}
}

func TestAPersonCanAcceptThatAnExceptionIsGone(t *testing.T) {
	t.Parallel()
	s := newTornStory(t, ecsemu.Start(t, tornEstate()).URL)
	s.run("resume", "--reason", "a test")
	s.enforce()
	before, rest, _ := strings.Cut(tornPolicy, "  - name: web")
	_, after, _ := strings.Cut(rest, "  # The last")
	without := before + "  # The last" + after
	s.write(without)
	var got []int
	for range 3 {
		decisions, _ := s.enforce()
		got = append(got, decisions["hold new-policy"])
	}
	if diff := cmp.Diff([]int{1, 1, 1}, got); diff != "" {
		t.Errorf("rules held, by sweep (-want +got):\n%s", diff)
	}
	if code := s.run("policy", "accept-change", "--yes", "--reason", "the shop has closed"); code != exitDone {
		t.Fatalf("accept-change: exit code %d: %s", code, s.err.String())
	}
	if !strings.Contains(s.err.String(), "exception web, until 2099-02-01") {
		t.Errorf("accept-change does not show the exception: %s", s.err.String())
	}
	if decisions, _ := s.enforce(); decisions["revoke"] != 1 {
		t.Errorf("after the change was accepted: got %v, want the rule revoked", decisions)
	}
}

// A set that was cut may be followed by another one: what the first lost must not be forgotten for it.
func TestWhatVanishedIsRememberedOverSeveralChanges(t *testing.T) {
	t.Parallel()
	r := ecsemu.Start(t, tornEstate())
	s := newTornStory(t, r.URL)
	s.run("resume", "--reason", "a test")
	s.enforce()
	for _, start := range []string{"  # The last", "  - name: web", "exceptions:"} {
		before, _, _ := strings.Cut(tornPolicy, start)
		s.write(before)
		for range 2 {
			if decisions, _ := s.enforce(); decisions["revoke"] > 0 {
				t.Fatalf("cut before %q: got %v", start, decisions)
			}
		}
	}
	if left := len(r.Server.Rules("eu-west-1", "sg-bp1web")); left != 5 {
		t.Errorf("%d of 5 rules are left", left)
	}
}
