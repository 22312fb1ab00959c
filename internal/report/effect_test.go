package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// tcp is a port of a network.
func tcp(cidr string, low, high uint16) reach.Space {
	return reach.Space{Protocol: "tcp", CIDR: netip.MustParsePrefix(cidr), Ports: sg.PortRange{Low: low, High: high}}
}

func byRule(id string, priority int, spaces ...reach.Space) reach.By {
	return reach.By{Rule: id, Priority: priority, Action: sg.Accept, Space: spaces}
}

func byDefault(spaces ...reach.Space) reach.By {
	return reach.By{Default: true, Action: sg.Accept, Space: spaces}
}

// told is a finding about a rule of the web, with a decision and an effect.
func told(group *sg.Group, id, verdict string, e *reach.Effect) decision.Finding {
	action, reason, _ := strings.Cut(verdict, ": ")
	f := decision.Finding{
		Group: group, Rule: webRule(id), Effect: e,
		Violations: []policy.Violation{{
			Policy: &policy.Policy{Name: "p", Severity: policy.High, Action: policy.Revoke}, Because: []string{"because"},
		}},
	}
	f.Decision.Verdict = decision.Verdict{Action: decision.Action(action), Reason: reason}
	f.Decision.Policies = []decision.Verdict{f.Decision.Verdict}
	if action == "revoke" {
		f.Decision.Policies[0] = decision.Verdict{Action: decision.Candidate}
		f.Decision.Batch = true
	}
	return f
}

// The effects of the sample, one of each kind.
func closing() *reach.Effect {
	return &reach.Effect{
		Scope: reach.ScopeGroup, Class: reach.Closes, Default: sg.Drop,
		Closes:           []reach.Space{tcp("0.0.0.0/0", 443, 443), {Protocol: "tcp", Group: "sg-db", Ports: sg.PortRange{Low: 443, High: 443}}},
		StillPermittedBy: []reach.By{byRule("sgr-other", 5, tcp("10.0.0.0/8", 443, 443))},
		Closed:           reach.Pairs{IPv4: 1 << 32},
	}
}

func nothing() *reach.Effect {
	return &reach.Effect{
		Scope: reach.ScopeGroup, Class: reach.None, Default: sg.Accept, StillPermittedBy: []reach.By{byDefault()},
	}
}

func opening() *reach.Effect {
	return &reach.Effect{
		Scope: reach.ScopeGroup, Class: reach.Opens, Default: sg.Accept,
		Opens: []reach.Space{
			{Protocol: "other", Except: []uint8{50, 51}, CIDR: netip.MustParsePrefix("2001:db8::/32")},
			{
				Protocol: "udp", Group: "sg-db", Family: reach.IPv6, Ports: sg.PortRange{Low: 53, High: 60},
				Source: netip.MustParsePrefix("2001:db8::/32"), SourcePorts: sg.PortRange{Low: 9, High: 9}, NIC: "internet",
			},
		},
		StillDroppedBy: []reach.By{{Rule: "sgr-drop", Priority: 7, Action: sg.Drop}},
	}
}

func untold() *reach.Effect {
	return &reach.Effect{Scope: reach.ScopeGroup, Class: reach.Unknown, Why: "the prefix list pl-1 was not read"}
}

func onInterfaces() *reach.Effect {
	some, none := closing(), nothing()
	some.Scope, none.Scope = reach.ScopeInterface, reach.ScopeInterface
	e := *some
	e.Interfaces = []reach.OnInterfaces{
		{Groups: []string{"sg-on"}, Interfaces: 3, Instances: 2, Effect: some},
		{Groups: []string{"sg-on", "sg-web"}, Interfaces: 1, Effect: none},
	}
	return &e
}

func proposed() *reach.Narrowing {
	n := &reach.Narrowing{Needed: 7, Free: 150, Sentence: "add 7 rules first, then revoke it"}
	for i := range 7 {
		n.Rules = append(n.Rules, reach.Permission{
			IPProtocol: "tcp", PortRange: "443/443", DestCidrIP: fmt.Sprintf("10.%d.0.0/16", i), SourceCidrIP: "10.0.0.0/8",
			Policy: "accept", Priority: "3", NicType: "intranet",
		})
	}
	n.Left = []reach.Space{{Protocol: "other", CIDR: netip.MustParsePrefix("10.0.0.0/8")}}
	return n
}

// effects is a report with an effect of every kind.
func effects() *report.Sweep {
	started := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	group := func(id string, kind sg.GroupType) *sg.Group {
		return &sg.Group{Region: "cn-hangzhou", ID: id, Name: "name of " + id, Type: kind, VPC: "vpc-1"}
	}
	adv, basic, on := group("sg-adv", sg.TypeEnterprise), group("sg-basic", sg.TypeNormal), group("sg-on", sg.TypeNormal)
	shadowed := &reach.Effect{
		Scope: reach.ScopeGroup, Class: reach.None,
		ShadowedBy: []reach.By{{Rule: "sgr-drop", Priority: 1, Action: sg.Drop}, byRule("sgr-first", 2)},
	}
	s := &report.Sweep{
		ID: "SWEEP3", Account: "prod", Mode: "audit", NotExecuted: decision.AuditMode, PolicyHash: strings.Repeat("ab", 32),
		Started: started, Finished: started, Complete: true,
		Regions: []report.Region{{ID: "cn-hangzhou", Complete: true, Groups: 3, Rules: 12}},
		Findings: []decision.Finding{
			told(adv, "sgr-a1", "revoke", closing()), told(adv, "sgr-a2", "revoke", closing()),
			told(adv, "sgr-a3", "hold: drop-rule", opening()), told(adv, "sgr-a4", "hold: collateral", untold()),
			told(basic, "sgr-b1", "revoke", nothing()), told(basic, "sgr-b2", "revoke", shadowed),
			told(basic, "sgr-b3", "report: no-effect", nothing()), told(basic, "sgr-b4", "hold: effect-unknown", untold()),
			told(basic, "sgr-b5", "exempt: x", closing()), told(basic, "sgr-b6", "report: policy", closing()),
			told(on, "sgr-o1", "revoke", onInterfaces()), told(on, "sgr-o2", "skip: incomplete", untold()),
		},
		Batches: []decision.Batch{
			{Group: adv, Effect: closing()}, {Group: basic, Effect: nothing()}, {Group: on, Effect: onInterfaces()},
		},
		Hygiene: []report.Hygiene{
			{Group: adv, Rule: webRule("sgr-a9"), Anomaly: reach.Anomaly{
				Kind: reach.Shadowed, Others: []reach.By{byRule("sgr-a1", 1), {Default: true}}, More: 2, Why: "others decide before it",
			}},
			{Group: basic, Rule: webRule(""), Anomaly: reach.Anomaly{Kind: reach.Conflicting, Why: "it conflicts"}},
		},
	}
	s.Findings[3].Narrowing, s.Findings[8].Narrowing = proposed(), proposed()
	s.Findings[7].Decision.Detail = untold().Sentence() // as a decision that goes by effects has it
	return s
}

func TestEffectsInEveryForm(t *testing.T) {
	for _, form := range forms() {
		t.Run(form.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := form.sweep(&out, effects()); err != nil {
				t.Fatal(err)
			}
			golden(t, "effects."+form.suffix, out.Bytes())
		})
	}
}

func TestTheWarningIsRedOnALineOfItsOwn(t *testing.T) {
	var out bytes.Buffer
	if err := report.Table(&out, effects(), report.TableOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "WARNING") {
			found++
			if text := strings.TrimSpace(line); !strings.HasPrefix(text, "\x1b[31mWARNING: ") || !strings.HasSuffix(text, "\x1b[0m") {
				t.Errorf("a warning is not red, or not alone: %q", line)
			}
		}
	}
	if want := 4; found != want { // of two rules, of both together, and of the one on interfaces
		t.Errorf("found %d warnings, want %d", found, want)
	}
}

// The summary must not let anybody take removed rules for closed traffic.
func TestTheSummarySaysWhatTheRulesToBeRevokedDo(t *testing.T) {
	const note = "Where something is closed, " + reach.SessionNote + ".\n"
	group := &sg.Group{Region: "cn-hangzhou", ID: "sg-1"}
	small, groupOnly := closing(), closing()
	small.Closed = reach.Pairs{IPv4: 1, IPv6: 300}
	groupOnly.Closed = reach.Pairs{}
	for _, test := range []struct {
		name     string
		findings []decision.Finding
		batch    *reach.Effect
		want     string
	}{
		{
			"nothing is to be revoked", []decision.Finding{told(group, "sgr-1", "hold: collateral", closing())}, nil, note,
		},
		{"what is reported only", []decision.Finding{told(group, "sgr-1", "report: policy", closing())}, nil, ""},
		{"nobody computed effects", []decision.Finding{told(group, "sgr-1", "revoke", nil)}, nil, ""},
		{
			"all of no use",
			[]decision.Finding{told(group, "sgr-1", "revoke", nothing()), told(group, "sgr-2", "revoke", nothing())},
			nothing(), "Of 2 rules to be revoked, all change nothing.\n",
		},
		{
			"one that closes little",
			[]decision.Finding{told(group, "sgr-1", "revoke", small)},
			small,
			"Of 1 rule to be revoked, 1 closes something.\n" +
				"What is closed comes to 1 IPv4 (address, port) pair and 300 IPv6 (address, port) pairs.\n" + note,
		},
		{
			"what goes to members of a group",
			[]decision.Finding{told(group, "sgr-1", "revoke", groupOnly)},
			groupOnly,
			"Of 1 rule to be revoked, 1 closes something.\n" + note,
		},
		{
			"one of each",
			[]decision.Finding{
				told(group, "sgr-1", "revoke", closing()), told(group, "sgr-2", "revoke", opening()),
				told(group, "sgr-3", "revoke", nothing()), told(group, "sgr-4", "revoke", untold()),
			},
			closing(), "Of 4 rules to be revoked, 1 closes something, 1 OPENS something, 1 changes nothing, 1 does what cannot be " +
				"told.\nWhat is closed comes to about 2^32 IPv4 (address, port) pairs.\n" + note,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &report.Sweep{NotExecuted: decision.DryRun, Findings: test.findings}
			if test.batch != nil {
				s.Batches = []decision.Batch{{Group: group, Effect: test.batch}}
			}
			var out bytes.Buffer
			if err := report.Summary(&out, s, report.TableOptions{}); err != nil {
				t.Fatal(err)
			}
			got, _, _ := strings.Cut(out.String(), "Nothing was revoked")
			got = got[max(0, strings.LastIndex(got, "\n  ")):] // the last verdict
			_, got, _ = strings.Cut(strings.TrimPrefix(got, "\n"), "\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Where only a part of a batch is to be revoked, no more is claimed than that part closes, and no more than the batch.
func TestWhatIsHeldIsNotCountedAsClosed(t *testing.T) {
	group := &sg.Group{Region: "cn-hangzhou", ID: "sg-1"}
	pairs := func(n float64) *reach.Effect {
		e := closing()
		e.Closed = reach.Pairs{IPv4: n}
		return e
	}
	held := told(group, "sgr-3", "hold: paused", pairs(64))
	held.Decision.Batch = true
	for _, test := range []struct {
		name     string
		findings []decision.Finding
		want     float64
	}{
		{"all of it", []decision.Finding{told(group, "sgr-1", "revoke", pairs(8)), told(group, "sgr-2", "revoke", pairs(8))}, 100},
		{"one of two", []decision.Finding{told(group, "sgr-1", "revoke", pairs(8)), held}, 8},
		{"more than the batch closes", []decision.Finding{told(group, "sgr-1", "revoke", pairs(128)), held}, 100},
		{"none", []decision.Finding{held}, 0},
	} {
		s := &report.Sweep{Findings: test.findings, Batches: []decision.Batch{{Group: group, Effect: pairs(100)}}}
		if got := s.Totals().Closed.IPv4; got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestLongEffectsAreCutAndCounted(t *testing.T) {
	long := closing()
	long.Closes = nil
	for i := range 250 {
		long.Closes = append(long.Closes, tcp(fmt.Sprintf("10.0.%d.0/24", i), 80, 80))
	}
	long.Opens = long.Closes[:120]
	many := onInterfaces()
	for i := range 60 {
		on := many.Interfaces[1]
		on.Groups = []string{fmt.Sprintf("sg-%02d", i), "sg-x"}
		many.Interfaces = append(many.Interfaces, on)
	}
	group := &sg.Group{Region: "cn-hangzhou", ID: "sg-1"}
	var out bytes.Buffer
	if err := report.JSON(&out, &report.Sweep{Findings: []decision.Finding{
		told(group, "sgr-1", "revoke", long), told(group, "sgr-2", "revoke", many),
	}}); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Findings []struct {
			Effect struct {
				Closes, Opens, Interfaces             []any
				MoreCloses, MoreOpens, MoreInterfaces int
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	first, second := doc.Findings[0].Effect, doc.Findings[1].Effect
	got := fmt.Sprint(len(first.Closes), first.MoreCloses, len(first.Opens), first.MoreOpens, len(second.Interfaces), second.MoreInterfaces)
	if want := "100 150 100 20 50 12"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(long.Closes) != 250 {
		t.Error("writing a report changed what it is about")
	}
}

func TestHygieneIsThereOnlyWhereItWasAskedFor(t *testing.T) {
	for _, test := range []struct {
		name    string
		hygiene []report.Hygiene
		want    string
	}{
		{"nobody asked", nil, "absent"},
		{"nothing is odd", []report.Hygiene{}, "[]"},
	} {
		var document, table, page bytes.Buffer
		s := &report.Sweep{Hygiene: test.hygiene}
		if report.JSON(&document, s) != nil || report.Table(&table, s, report.TableOptions{}) != nil || report.Markdown(&page, s) != nil {
			t.Fatal("writing to memory failed")
		}
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(document.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		got := "absent"
		if list, there := doc["hygiene"]; there {
			got = string(list)
		}
		if got != test.want {
			t.Errorf("%s: the JSON has %s, want %s", test.name, got, test.want)
		}
		for _, text := range []string{table.String(), page.String()} {
			if strings.Contains(text, "odd about rules") != (test.want == "[]") {
				t.Errorf("%s: the section is there, or is not, against the JSON:\n%s", test.name, text)
			}
		}
	}
}

func TestTheDetailsOfAnEffectNameEverything(t *testing.T) {
	long := closing()
	for i := range 25 {
		long.Closes = append(long.Closes, tcp(fmt.Sprintf("10.0.%d.0/24", i), 80, 80))
		long.StillPermittedBy = append(long.StillPermittedBy, byRule(fmt.Sprintf("sgr-%02d", i), 9))
	}
	long.StillPermittedBy[0].Space = long.Closes[2:9]
	long.MoreCloses = 5
	for _, test := range []struct {
		name   string
		effect *reach.Effect
		want   []string
	}{
		{"it closes", closing(), []string{
			"closes tcp/443 to 0.0.0.0/0", "closes tcp/443 to members of sg-db",
			"stays open through sgr-other (accept, priority 5): tcp/443 to 10.0.0.0/8",
		}},
		{"it opens", opening(), []string{
			"OPENS other protocols but 50 51 to 2001:db8::/32",
			"OPENS udp/53-60 from 2001:db8::/32 from ports 9 to ipv6 members of sg-db, internet NIC",
			"stays closed through sgr-drop (drop, priority 7)",
		}},
		{"nothing changes", nothing(), []string{"stays open through the default of the group"}},
	} {
		if diff := cmp.Diff(test.want, report.EffectDetails(test.effect)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	got := report.EffectDetails(long)
	if n := len(got); n != 42 || got[20] != "closes 12 more" || got[41] != "stays open through 6 more" ||
		!strings.HasSuffix(got[21], "10.0.4.0/24, and more") {
		t.Errorf("a long list is not cut, or does not say so:\n%s", strings.Join(got, "\n"))
	}
}
