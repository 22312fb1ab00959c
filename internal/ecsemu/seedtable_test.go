package ecsemu_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// tableRow is a row of the table of errors of a page, and what earns it.
type tableRow struct {
	status  int
	code    string
	message string // As the page gives it. A placeholder, %s, stands for any.
	params  url.Values
	// means says what it takes beside the parameters.
	means means
}

type means int

const (
	byInput means = iota
	// byOldTables is the era in which revoking a rule by its parts that is not there is refused. The page says both:
	// that it is, by these rows, and that it is not.
	byOldTables
	// byFault is for what no input can earn: the cloud's own mistakes, a code misspelt, and refusals of features that
	// were not there yet.
	byFault
)

// TestEveryRowOfTheSeedsTable earns every row of the table of errors of RevokeSecurityGroupEgress, in the page's order.
// Of rows that share a code, each message is earned by another input.
func TestEveryRowOfTheSeedsTable(t *testing.T) {
	rule := func(pairs ...string) url.Values {
		return with(web("IpProtocol", "tcp", "PortRange", "443/443", "DestCidrIp", "10.0.0.0/8"), pairs...)
	}
	to := func(pairs ...string) url.Values { return rule(append([]string{"DestCidrIp", ""}, pairs...)...) }
	for i, row := range []tableRow{
		{404, "InvalidSecurityGroupId.NotFound", "The specified SecurityGroupId does not exist.", rule("SecurityGroupId", "sg-none"), byInput},
		{400, "InvalidIpProtocol.ValueNotSupported", "The specified IpProtocol does not exist.", rule("IpProtocol", "300"), byInput},
		{400, "InvalidIpPortRange.Malformed", `The specified parameter "PortRange" is not valid.`, rule("PortRange", "22"), byInput},
		{404, "InvalidDestGroupId.NotFound", "The DestGroupId provided does not exist in our records.", to("DestGroupId", "sg-none"), byInput},
		{403, "InvalidNicType.Mismatch", "Specified nic type conflicts with the authorization record.", rule("NicType", "internet"), byInput},
		{403, "InvalidGroupAuthItem.NotFound", "Specified group authorized item does not exist in our records.", to("DestGroupId", "sg-db", "PortRange", "1/1"), byOldTables},
		{400, "InvalidDestCidrIp.sMalformed", `The specified parameter "DestCidrIp" is not valid.`, rule(), byFault},
		{400, "MissingParameter", `The input parameter "DestGroupId" or "DestCidrIp" cannot be both blank.`, to("DestGroupOwnerId", "42"), byInput},
		{400, "InvalidPolicy.Malformed", `The specified parameter "Policy" is not valid.`, rule("Policy", "deny"), byInput},
		{400, "InvalidNicType.ValueNotSupported", "The specified NicType does not exist.", rule("NicType", "wifi"), byInput},
		{400, "InvalidDestGroupId.Mismatch", "Specified security group and destination group are not in the same VPC.", to("DestGroupId", "sg-far"), byInput},
		{400, "VPCDisabled", "Can't use the SecurityGroup in VPC.", rule(), byFault},
		{403, "InvalidSecurityGroup.IsSame", "The authorized SecurityGroupId should be different from the DestGroupId.", to("DestGroupId", "sg-web"), byInput},
		{500, "InternalError", "The request processing has failed due to some unknown error.", rule(), byFault},
		{400, "InvalidDestCidrIp.Malformed", `The specified parameter "DestCidrIp" is not valid.`, rule("DestCidrIp", "10.0.0"), byInput},
		{400, "MissingParameter.Dest", "One of the parameters DestCidrIp, DestGroupId or DestPrefixListId must be specified.", to(), byInput},
		{400, "InvalidIpProtocol.ValueNotSupported", "The parameter IpProtocol must be specified with case insensitive TCP, UDP, ICMP, GRE or All.", rule("IpProtocol", "sctp"), byInput},
		{400, "InvalidPriority.Malformed", "The parameter Priority is invalid.", rule("Priority", "high"), byInput},
		{400, "InvalidPriority.ValueNotSupported", "The parameter Priority is invalid.", rule("Priority", "101"), byInput},
		{403, "InvalidParamter.Conflict", "The specified SecurityGroupId should be different from the SourceGroupId.", to("SourceGroupId", "sg-web"), byInput},
		{400, "InvalidDestCidrIp.Malformed", "The specified parameter DestCidrIp is not valid.", rule("DestCidrIp", "10.0.0.0/33"), byInput},
		{400, "InvalidParam.SourceIp", "%s", rule("SourceCidrIp", "10.0.0.0/8", "Ipv6SourceCidrIp", "::/0"), byInput},
		{400, "InvalidParam.DestIp", "%s", rule("Ipv6DestCidrIp", "::/0"), byInput},
		{400, "InvalidParam.Ipv6DestCidrIp", "%s", to("Ipv6DestCidrIp", "10.0.0.0/8"), byInput},
		{400, "InvalidParam.Ipv6SourceCidrIp", "%s", to("Ipv6DestCidrIp", "::/0", "Ipv6SourceCidrIp", "2001:zz::/32"), byInput},
		{400, "InvalidParam.Ipv4ProtocolConflictWithIpv6Address", "%s", to("IpProtocol", "icmp", "PortRange", "-1/-1", "Ipv6DestCidrIp", "::/0"), byInput},
		{400, "InvalidParam.Ipv6ProtocolConflictWithIpv4Address", "%s", rule("IpProtocol", "icmpv6", "PortRange", "-1/-1"), byInput},
		{400, "ILLEGAL_IPV6_CIDR", "%s", to("Ipv6DestCidrIp", "2001:db8::/129"), byInput},
		{400, "InvalidSecurityGroupId.Malformed", `The specified parameter "SecurityGroupId" is not valid.`, rule("SecurityGroupId", "web"), byInput},
		{400, "InvalidSourcePortRange.Malformed", `The specified parameter "SourcePortRange" is not valid.`, rule("SourcePortRange", "0/70000"), byInput},
		{400, "InvalidSecurityGroupDiscription.Malformed", "The specified security group rule description is not valid.", rule("Description", strings.Repeat("d", 513)), byInput},
		{403, "InvalidOperation.ResourceManagedByCloudProduct", "%s", rule("SecurityGroupId", "sg-managed"), byInput},
		{404, "InvalidPrefixListId.NotFound", "The specified prefix list was not found.", to("DestPrefixListId", "pl-none"), byInput},
		{404, "NotSupported.GrayFunction", "The prefix list is a gray-scale function, not currently supported.", to("DestPrefixListId", "pl-v4"), byFault},
		{400, "NotSupported.ClassicNetworkPrefixList", "The prefix list is not supported when the network type of security group is classic.", to("SecurityGroupId", "sg-classic", "DestPrefixListId", "pl-v4"), byInput},
	} {
		t.Run(fmt.Sprintf("row %d: %s", i+1, row.code), func(t *testing.T) {
			checkTableRow(t, row)
		})
	}
}

func checkTableRow(t *testing.T, row tableRow) {
	t.Helper()
	r := startRevocable(t, func(o *ecsemu.Options) {
		if row.means == byOldTables {
			o.Era.MissingParts = cloud.MissingRuleError
		}
	})
	if row.means == byFault {
		if err := r.Server.SetFaults([]ecsemu.Fault{{Kind: ecsemu.FaultError, Action: revoke, Code: row.code}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range []string{"JSON", "XML"} {
		got := call(t, r, revoke, with(row.params, "Format", format))
		if got.status != row.status || got.code() != row.code {
			t.Errorf("got %d %q, want %d %q; body: %s", got.status, got.code(), row.status, row.code, got.raw)
		}
		if strings.Contains(got.raw, "%s") {
			t.Errorf("got a placeholder instead of a message: %s", got.raw)
		}
		if format == "JSON" && (row.message != "%s" && got.message() != row.message || got.message() == "") {
			t.Errorf("got message %q, want %q", got.message(), row.message)
		}
	}
	if diff := cmp.Diff([]string{}, gone(r)); diff != "" {
		t.Errorf("revoked rules (-want +got):\n%s", diff)
	}
}

// TestMissingRulesInTheOldTables is about the two rows that contradict the page's text, and what was observed since.
func TestMissingRulesInTheOldTables(t *testing.T) {
	tcp := []string{"IpProtocol", "tcp", "PortRange", "443/443"}
	for _, test := range []struct {
		name   string
		params []string
		status int
		code   string
	}{
		{"a rule that is there", append(tcp, "DestCidrIp", "10.0.0.0/8"), http.StatusOK, ""},
		{"one that is there for the other card", append(tcp, "SecurityGroupId", "sg-classic", "PortRange", "80/80", "DestCidrIp", "10.0.0.0/8"), 403, "InvalidNicType.Mismatch"},
		{"one with a group", append(tcp, "DestGroupId", "sg-db", "Priority", "9"), 403, "InvalidGroupAuthItem.NotFound"},
		{"one with a group that is not there itself", append(tcp, "DestGroupId", "sg-none"), 404, "InvalidDestGroupId.NotFound"},
		{"any other", append(tcp, "DestCidrIp", "10.0.0.0/9"), 400, "InvalidSecurityGroupRule.RuleNotExist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			estate := revocableEstate()
			classic := &estate.Regions[0].Groups[3]
			classic.Egress = append(classic.Egress, ecsemu.Rule{ID: "sgr-card", Protocol: "tcp", Ports: "80/80", Peer: "10.0.0.0/8", NIC: "intranet"})
			for era, want := range map[cloud.MissingRule]int{"": http.StatusOK, cloud.MissingRuleError: test.status} {
				r := ecsemu.Start(t, estate, atStoppedClock, func(o *ecsemu.Options) { o.Era.MissingParts = era })
				got := call(t, r, revoke, web(test.params...))
				if test.code == "InvalidDestGroupId.NotFound" {
					want = http.StatusNotFound
				}
				if got.status != want || want != http.StatusOK && got.code() != test.code {
					t.Errorf("with missing parts %q: got %d %q, want %d %q", era, got.status, got.code(), want, test.code)
				}
			}
		})
	}
}
