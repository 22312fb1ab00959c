package ecsemu_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// question is how a client can tell the answers to an open question apart.
type question struct {
	// try gives what a client sees.
	try func(*asking) string
	// want is that, by the value that is assumed.
	want map[string]string
}

// asking is one try. What it calls is meant to be refused as often as not.
type asking struct {
	*testing.T

	running *ecsemu.Running
	clock   *movableClock
}

func (a *asking) client() client { return ownerOf(a.running).at(a.clock.now) }

func (a *asking) call(action string, business url.Values) answer {
	a.Helper()
	return a.client().call(a, action, business)
}

func (a *asking) code(action string, business url.Values) string {
	a.Helper()
	return a.call(action, business).code()
}

// rule gives a rule of sg-ask as it is told.
func (a *asking) rule(id string) map[string]any {
	a.Helper()
	return a.find(params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-ask"), id)
}

func (a *asking) find(group url.Values, id string) map[string]any {
	a.Helper()
	for _, rule := range a.call("DescribeSecurityGroupAttribute", group).list("Permissions", "Permission") {
		if rule["SecurityGroupRuleId"] == id {
			return rule
		}
	}
	a.Fatalf("there is no rule %s", id)
	return nil
}

// left gives the IDs of the rules of sg-ask.
func (a *asking) left() string { return strings.Join(ruleIDs(a.running, "sg-ask"), " ") }

func askedGroup(pairs ...string) url.Values {
	return with(params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-ask"), pairs...)
}

func five() url.Values { return hangzhou("SecurityGroupId", "sg-five") }

// askedEstate has what the questions are about, the group sg-five with a rule by five parts, the group sg-many with more
// rules than a page, a user whose permissions depend on addresses, and another account with a VPC of its own.
func askedEstate() *ecsemu.Estate {
	var many []ecsemu.Rule
	for i := range 12 {
		many = append(many, ecsemu.Rule{ID: fmt.Sprintf("sgr-%02d", i), Protocol: "udp", Ports: fmt.Sprintf("%d/%d", i+1, i+1), Peer: "10.0.0.0/8"})
	}
	return &ecsemu.Estate{
		Keys: []ecsemu.AccessKey{
			{ID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret},
			{ID: "LTAIsecond", Secret: "second"},
			{ID: "narrow", Secret: "narrow", User: "narrow"},
		},
		Users: []cloud.User{user("narrow",
			policy(when(allow("ecs:Authorize*", "*"), `{"StringEquals":{"ecs:SecurityGroupSourceCidrIps":"10.0.0.0/8"}}`)))},
		Others: []ecsemu.Estate{{Account: "4242", Regions: []ecsemu.Region{{
			ID: "cn-hangzhou", Groups: []ecsemu.Group{{ID: "sg-theirs", Name: "theirs", VPC: "vpc-4242"}},
		}}}},
		Regions: []ecsemu.Region{
			{
				ID: "cn-hangzhou",
				PortLists: []cloud.PortList{{
					ID: "prl-web", Name: "web", MaxEntries: 2, Entries: []cloud.PortEntry{{Ports: "80/80"}, {Ports: "443/443"}},
				}},
				Groups: []ecsemu.Group{
					{
						ID: "sg-ask", Name: "ask", VPC: "vpc-1",
						Egress: []ecsemu.Rule{
							{ID: "sgr-first", Protocol: "TCP", Ports: "443/443", Peer: "10.1.2.3/8"},
							{ID: "sgr-bare", Protocol: "all", Peer: "192.0.2.1"},
							{ID: "sgr-list", Protocol: "tcp", PortList: "prl-web", Peer: "10.0.0.0/8"},
							{ID: "sgr-group", Protocol: "all", Peer: "sg-db"},
						},
						Ingress: []ecsemu.Rule{{ID: "sgr-in", Protocol: "all", Peer: "10.0.0.0/8"}},
					},
					{ID: "sg-db", Name: "db", VPC: "vpc-1", Egress: []ecsemu.Rule{{ID: "sgr-db", Protocol: "all", Peer: "0.0.0.0/0"}}},
					{ID: "sg-five", Name: "five", VPC: "vpc-1", Egress: []ecsemu.Rule{
						{ID: "sgr-five", Protocol: "tcp", Ports: "1/1", Peer: "198.51.100.0/24", Own: "10.9.9.9/24"},
						{ID: "sgr-unknown", Protocol: "tcp", PortList: "prl-unknown", Peer: "10.0.0.0/8"},
					}},
					{ID: "sg-many", Name: "many", VPC: "vpc-1", Egress: many},
				},
			},
			{ID: "cn-qingdao", Groups: []ecsemu.Group{{ID: "sg-north", Name: "north", VPC: "vpc-9", Egress: []ecsemu.Rule{
				{ID: "sgr-number", Protocol: "58", Peer: "2001:db8::/32"},
			}}}},
		},
	}
}

// TestOpenQuestionsAreAnsweredAsAssumed asks with each answer assumed, and with none.
func TestOpenQuestionsAreAnsweredAsAssumed(t *testing.T) {
	questions := map[string]question{}
	for _, part := range []map[string]question{
		questionsOfTime(), questionsOfTokens(), questionsOfWriting(), questionsOfPaging(), questionsOfAnswers(), questionsOfGateway(),
	} {
		maps.Copy(questions, part)
	}
	var want []string
	for _, a := range cloud.Assumptions() {
		if a.Name == "" {
			continue
		}
		want = append(want, a.Name)
		values := []string{""}
		for _, v := range a.Values {
			values = append(values, v.Name)
		}
		if a.Duration != "" {
			values = append(values, "10m")
		}
		for _, value := range values {
			t.Run(a.Name+"="+value, func(t *testing.T) {
				var clock movableClock
				var era cloud.Era
				if value != "" {
					if err := era.Assume(a.Name + "=" + value); err != nil {
						t.Fatal(err)
					}
				}
				r := ecsemu.Start(t, askedEstate(), clock.option, func(o *ecsemu.Options) { o.Era = era })
				seen, told := questions[a.Name].want[value]
				if value == "" {
					seen, told = questions[a.Name].want[a.Values[0].Name]
				}
				if !told {
					t.Fatal("no test says what a client sees")
				}
				if diff := cmp.Diff(seen, questions[a.Name].try(&asking{T: t, running: r, clock: &clock})); diff != "" {
					t.Errorf("what a client sees (-want +got):\n%s", diff)
				}
			})
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(questions))); diff != "" {
		t.Errorf("questions (-assumptions +tests):\n%s", diff)
	}
}

func questionsOfTime() map[string]question {
	return map[string]question{
		"missing-rule": {
			func(a *asking) string {
				return a.code(revoke, askedGroup(numberedIDs("sgr-first", "sgr-none")...)) + " " + a.left()
			},
			map[string]string{
				"error":   "InvalidSecurityGroupRule.RuleNotExist sgr-first sgr-bare sgr-list sgr-group",
				"succeed": " sgr-bare sgr-list sgr-group",
			},
		},
		"missing-parts": {
			func(a *asking) string {
				return a.code(revoke, askedGroup("IpProtocol", "gre", "PortRange", "-1/-1", "DestCidrIp", "10.0.0.0/8"))
			},
			map[string]string{"succeed": "", "error": "InvalidSecurityGroupRule.RuleNotExist"},
		},
		"rule-ids": {
			func(a *asking) string {
				_, there := a.call("DescribeSecurityGroupAttribute", askedGroup()).list("Permissions", "Permission")[0]["SecurityGroupRuleId"]
				return fmt.Sprint(there)
			},
			map[string]string{"yes": "true", "no": "false"},
		},
		"page-numbers": {
			func(a *asking) string { return a.code("DescribeSecurityGroups", hangzhou("PageNumber", "1")) },
			map[string]string{"taken": "", "refused": "NotSupported.PageNumberAndPageSize"},
		},
		"classic-network": {
			func(a *asking) string { return a.code("CreateSecurityGroup", hangzhou()) },
			map[string]string{"yes": "", "no": "InvalidVpcId.NotFound"},
		},
	}
}

func questionsOfTokens() map[string]question {
	const mismatch = "IdempotentParameterMismatch"
	return map[string]question{
		"client-token-lifetime": {
			func(a *asking) string {
				query := token(askedGroup(numberedIDs("sgr-bare")...), "t")
				codes := []string{a.code(revoke, query)}
				a.clock.advance(10*time.Minute - time.Second)
				codes = append(codes, a.code(revoke, query))
				a.clock.advance(time.Second)
				codes = append(codes, a.code(revoke, query))
				a.clock.advance(24*time.Hour - 10*time.Minute)
				return strings.Join(append(codes, a.code(revoke, query)), ",")
			},
			map[string]string{
				"24h": ",,,InvalidSecurityGroupRule.RuleNotExist",
				"10m": ",,InvalidSecurityGroupRule.RuleNotExist,InvalidSecurityGroupRule.RuleNotExist",
			},
		},
		"client-token-scope": {
			func(a *asking) string {
				must(a, a.running, revoke, token(askedGroup(numberedIDs("sgr-bare")...), "t"))
				other := with(hangzhou(numberedIDs("sgr-db")...), "SecurityGroupId", "sg-db")
				return "another group: " + a.code(revoke, token(other, "t")) +
					", another action: " + a.code("CreateSecurityGroup", token(hangzhou("VpcId", "vpc-1"), "t")) +
					", with the same parameters: " + a.code("RevokeSecurityGroup", token(askedGroup(numberedIDs("sgr-bare")...), "t"))
			},
			map[string]string{
				"action": "another group: " + mismatch +
					", another action: , with the same parameters: InvalidSecurityGroupRule.RuleNotExist",
				"account": "another group: " + mismatch + ", another action: " + mismatch + ", with the same parameters: " + mismatch,
				"group":   "another group: , another action: , with the same parameters: InvalidSecurityGroupRule.RuleNotExist",
			},
		},
		"client-token-refusals": {
			func(a *asking) string {
				query := token(hangzhou("SecurityGroupId", "sg-db"), "t")
				before := a.code("DeleteSecurityGroup", query)
				must(a, a.running, revoke, askedGroup(numberedIDs("sgr-group")...))
				return before + "," + a.code("DeleteSecurityGroup", query)
			},
			map[string]string{"forgotten": "DependencyViolation,", "replayed": "DependencyViolation,DependencyViolation"},
		},
	}
}

// effectOfLast tells what is on record of the last call.
func effectOfLast(r *ecsemu.Running) string {
	requests := r.Server.Requests()
	return fmt.Sprintf("effect %t", requests[len(requests)-1].Effect)
}

func questionsOfWriting() map[string]question {
	parts := []string{"IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp"}
	return map[string]question{
		"revoke-batch": {tryRevokingSeveral, map[string]string{
			"whole": "InvalidSecurityGroupRule.RuleNotExist effect false sgr-first sgr-bare sgr-list sgr-group, " +
				"InvalidIpProtocol.ValueNotSupported effect false sgr-first sgr-bare sgr-list sgr-group",
			"partial": "InvalidSecurityGroupRule.RuleNotExist effect true sgr-bare sgr-list sgr-group, " +
				"InvalidIpProtocol.ValueNotSupported effect true sgr-list sgr-group",
		}},
		"authorize-batch": {tryAuthorizingSeveral, map[string]string{
			"whole":   "InvalidDestGroupId.NotFound effect false 4, InvalidIpProtocol.ValueNotSupported effect false 4",
			"partial": "InvalidDestGroupId.NotFound effect true 5, InvalidIpProtocol.ValueNotSupported effect true 6",
		}},
		"foreign-vpc": {
			func(a *asking) string {
				return a.code(authorize, askedGroup("IpProtocol", "all", "PortRange", "-1/-1", "DestGroupId", "sg-theirs",
					"DestGroupOwnerId", "4242"))
			},
			map[string]string{"any": "", "same": "InvalidDestGroupId.Mismatch"},
		},
		"ids-with-parts": {
			func(a *asking) string {
				query := askedGroup(append(numberedIDs("sgr-first"), slices.Concat(parts, []string{"192.0.2.1"})...)...)
				return a.code(revoke, query) + " " + a.left()
			},
			map[string]string{
				"refused": "InvalidParam.SecurityGroupRuleId sgr-first sgr-bare sgr-list sgr-group", "ids-win": " sgr-bare sgr-list sgr-group",
			},
		},
		"ipv4-match": {
			func(a *asking) string {
				must(a, a.running, revoke, askedGroup(slices.Concat(parts, []string{"192.0.2.1/32"})...))
				must(a, a.running, revoke, askedGroup("IpProtocol", "tcp", "PortRange", "443/443", "DestCidrIp", "10.0.0.0/8"))
				must(a, a.running, revoke, with(five(), "IpProtocol", "tcp", "PortRange", "1/1", "DestCidrIp", "198.51.100.0/24",
					"SourceCidrIp", "10.9.9.0/24"))
				return fmt.Sprint(a.left(), ruleIDs(a.running, "sg-five"))
			},
			map[string]string{
				"meaning": "sgr-list sgr-group[sgr-unknown]", "text": "sgr-first sgr-bare sgr-list sgr-group[sgr-five sgr-unknown]",
			},
		},
		"policy-cidr": {
			func(a *asking) string {
				narrow := as(a.running, "narrow").at(a.clock.now)
				to := askedGroup(slices.Concat(parts, []string{"10.0.0.0/8"})...)
				from := with(to, "DestCidrIp", "192.0.2.0/24", "SourceCidrIp", "10.0.0.0/8")
				return narrow.call(a, authorize, to).code() + "," + narrow.call(a, authorize, from).code()
			},
			map[string]string{"far-side": ",Forbidden.RAM", "source": "Forbidden.RAM,"},
		},
	}
}

// tryRevokingSeveral has a bad rule between two good ones, by IDs and by parts.
func tryRevokingSeveral(a *asking) string {
	byIDs := a.code(revoke, askedGroup(numberedIDs("sgr-first", "sgr-none", "sgr-bare")...)) + " " + effectOfLast(a.running) +
		" " + a.left()
	query := askedGroup(slices.Concat(
		prefixed(1, "IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "192.0.2.1"),
		prefixed(2, "IpProtocol", "none", "PortRange", "-1/-1", "DestCidrIp", "192.0.2.1"),
		prefixed(3, "IpProtocol", "all", "PortRange", "-1/-1", "DestGroupId", "sg-db"),
	)...)
	return byIDs + ", " + a.code(revoke, query) + " " + effectOfLast(a.running) + " " + a.left()
}

// tryAuthorizingSeveral has a bad rule between two good ones: one that is well-formed, and one that is not.
func tryAuthorizingSeveral(a *asking) string {
	var seen []string
	for i, bad := range [][]string{
		{"IpProtocol", "all", "PortRange", "-1/-1", "DestGroupId", "sg-none"},
		{"IpProtocol", "none", "PortRange", "-1/-1", "DestCidrIp", "192.0.2.1"},
	} {
		good := func(n int) []string {
			return prefixed(n, "IpProtocol", "udp", "PortRange", fmt.Sprintf("%d/%d", 10*i+n, 10*i+n), "DestCidrIp", "192.0.2.1")
		}
		code := a.code(authorize, askedGroup(slices.Concat(good(1), prefixed(2, bad...), good(3))...))
		seen = append(seen, fmt.Sprintf("%s %s %d", code, effectOfLast(a.running), len(ruleIDs(a.running, "sg-ask"))))
	}
	return strings.Join(seen, ", ")
}

func TestAnEraThatNoAnswerLeadsToIsRefused(t *testing.T) {
	for want, era := range map[string]cloud.Era{
		`emulator options: client-token-scope "x": expected one of client-token-scope=action|account|group`: {TokenScope: "x"},
		`emulator options: nonce-memory -1s: expected one of nonce-memory=200000|DURATION`:                  {NonceMemory: -time.Second},
	} {
		if _, err := ecsemu.New(ecsemu.Options{Era: era}); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}

func TestAForgottenTokenIsForgottenInItsScope(t *testing.T) {
	for _, scope := range []cloud.TokenScope{cloud.TokenPerAction, cloud.TokenPerAccount, cloud.TokenPerGroup} {
		r := startRevocable(t, func(o *ecsemu.Options) { o.Era.TokenScope = scope })
		must(t, r, revoke, token(byID("sgr-tcp"), "t"))
		setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultForgetToken})
		if got := call(t, r, revoke, token(byID("sgr-tcp"), "t")).code(); got != "InvalidSecurityGroupRule.RuleNotExist" {
			t.Errorf("%s: got code %q, want the call to be done again", scope, got)
		}
	}
}
