package policy_test

import (
	"bytes"
	gocmp "cmp"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// The files in testdata/eval say by example how policies judge rules. Each is an archive in the txtar format with
// three parts: policy.yaml; rules.yaml, of the form below; and want, with a line `RULE: POLICY OUTCOME` for each
// violation, below it the reasons, and at the end how often each exception was used.

// situation is the part rules.yaml.
type situation struct {
	Now     time.Time
	Account string
	Group   struct {
		Region, ID, Name, VPC, Type string
		Tags                        map[string]string

		ResourceGroup string `yaml:"resource-group"`
	}
	Lists     map[string][]string // prefix lists that could be read
	PortLists map[string][]string `yaml:"port-lists"` // port lists that could be read, ranges as the cloud writes them
	Rules     []struct {
		ID, To, Group, List, Protocol, Ports, Source, Action, Priority, Created, Description string

		GroupOwner  string `yaml:"group-owner"`
		PortList    string `yaml:"port-list"`
		SourcePorts string `yaml:"source-ports"`
	}
}

// part gives one part of an archive in the txtar format.
func part(t *testing.T, archive []byte, name string) []byte {
	t.Helper()
	_, rest, found := bytes.Cut(archive, []byte("-- "+name+" --\n"))
	if !found {
		t.Fatalf("there is no part %q", name)
	}
	if end := bytes.Index(rest, []byte("\n-- ")); end >= 0 {
		rest = rest[:end+1]
	}
	return rest
}

func (s *situation) group() *sg.Group {
	g := &sg.Group{
		Region: s.Group.Region, ID: s.Group.ID, Name: s.Group.Name, VPC: s.Group.VPC, Type: sg.GroupType(s.Group.Type),
		ResourceGroup: s.Group.ResourceGroup,
	}
	for key, value := range s.Group.Tags {
		g.Tags = append(g.Tags, sg.Tag{Key: key, Value: value})
	}
	return g
}

func (s *situation) rules(t *testing.T) []sg.Rule {
	t.Helper()
	lists := map[string]*sg.PrefixList{}
	for id, texts := range s.Lists {
		lists[id] = &sg.PrefixList{ID: id}
		for _, text := range texts {
			lists[id].Entries = append(lists[id].Entries, netip.MustParsePrefix(text))
		}
	}
	portLists := map[string]*sg.PortList{}
	for id, texts := range s.PortLists {
		portLists[id] = &sg.PortList{ID: id}
		for _, text := range texts {
			ports, err := sg.ParseCloudPorts(sg.TCP, text)
			if err != nil {
				t.Fatal(err)
			}
			portLists[id].Ranges = append(portLists[id].Ranges, ports)
		}
	}
	var rules []sg.Rule
	for _, r := range s.Rules {
		f := sg.Fields{
			ID: r.ID, Protocol: "tcp", PortRange: "443/443", GroupID: r.Group, PrefixListID: r.List, Policy: "accept",
			PortListID: r.PortList, Priority: gocmp.Or(r.Priority, "1"), Created: r.Created, Description: r.Description,
			GroupOwner: r.GroupOwner, SourcePorts: r.SourcePorts,
		}
		if strings.Contains(r.Source, ":") {
			f.SourceCIDR6 = r.Source
		} else {
			f.SourceCIDR4 = r.Source
		}
		if r.Protocol != "" {
			f.Protocol, f.PortRange = r.Protocol, "-1/-1"
		}
		if r.Ports != "" {
			f.PortRange = r.Ports
		}
		if r.Action != "" {
			f.Policy = r.Action
		}
		if strings.Contains(r.To, ":") {
			f.CIDR6 = r.To
		} else {
			f.CIDR4 = r.To
		}
		rule := sg.NewRule(&f)
		rule.Destination.List, rule.PortList = lists[r.List], portLists[r.PortList]
		rules = append(rules, rule)
	}
	return rules
}

func TestExamplesOfEvaluation(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/eval/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no examples (%v)", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			set := load(t, string(part(t, archive, "policy.yaml")))
			s := situation{Now: present(), Account: "prod"}
			decoder := yaml.NewDecoder(bytes.NewReader(part(t, archive, "rules.yaml")))
			decoder.KnownFields(true)
			if err := decoder.Decode(&s); err != nil {
				t.Fatal(err)
			}
			got := judged(t, set, &s)
			if *update {
				head, _, _ := bytes.Cut(archive, []byte("-- want --\n"))
				if err := os.WriteFile(path, append(head, "-- want --\n"+got...), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(part(t, archive, "want")), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		})
	}
}

func judged(t *testing.T, set *policy.Set, s *situation) string {
	t.Helper()
	var b strings.Builder
	evaluator := set.Evaluator(s.Account, s.Now)
	for _, finding := range evaluator.Evaluate(s.group(), s.rules(t)) {
		for i, v := range finding.Violations {
			fmt.Fprintf(&b, "%s: %s", finding.Rule.ID, verdictsOf(&finding)[i].text())
			for _, reason := range v.Because {
				fmt.Fprintf(&b, "    %s\n", reason)
			}
		}
	}
	for _, x := range set.Exceptions {
		fmt.Fprintf(&b, "exception %s: used %d times\n", x.Name, evaluator.Use(x).Exempted)
	}
	return b.String()
}

func (v verdict) text() string {
	words := []string{v.Policy}
	for _, word := range []struct {
		said bool
		text string
	}{
		{v.Collateral, "collateral"},
		{v.InvalidExpiry, "invalid-expiry"},
		{v.Exempt != "", "exempt by " + v.Exempt},
		{v.Unsure != "", "unsure of " + v.Unsure},
	} {
		if word.said {
			words = append(words, word.text)
		}
	}
	return strings.Join(slices.Clip(words), " ") + "\n"
}
