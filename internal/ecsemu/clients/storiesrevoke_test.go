//go:build clients

package clients_test

import "fmt"

// tcp is a rule that differs from others in its port.
func tcp(port int) params {
	return params{"IpProtocol": "tcp", "PortRange": fmt.Sprintf("%d/%d", port, port), "DestCidrIp": "10.1.0.0/16"}
}

// shown is how it is listed.
func shown(port int) string {
	return fmt.Sprintf("IpProtocol=TCP PortRange=%d/%d DestCidrIp=10.1.0.0/16 Policy=Accept Priority=1", port, port)
}

// fill authorizes rules of the ports 1 to n in one call.
func fill(group string, n int) step {
	var rules []any
	var want []string
	for port := 1; port <= n; port++ {
		rules, want = append(rules, tcp(port)), append(want, shown(port))
	}
	return step{
		name: "rules are authorized at once", action: "AuthorizeSecurityGroupEgress",
		params: params{"SecurityGroupId": group, "Permissions": rules}, then: []func(*walk){sees(rulesOf(group), want...)},
	}
}

// pages has the client list more than fits a page; see [walk.list].
func pages() story {
	return story{name: "long listings come in pages", steps: []step{
		create("pages"), fill("$pages", 35),
		{
			name: "a token that was never given is refused", action: "DescribeSecurityGroups",
			params: params{"MaxResults": 10, "NextToken": "nonsense"}, status: 400, code: "InValidParameter.NextToken",
		},
	}}
}

// revoke is a step that revokes from a group and sees what is left.
func revoke(name, group string, p params, left ...string) step {
	p["SecurityGroupId"] = group
	return step{
		name: name, action: "RevokeSecurityGroupEgress", params: p, then: []func(*walk){sees(rulesOf(group), left...)},
	}
}

func revoking() story {
	byID := revoke("by ID", "$revoked", params{"SecurityGroupRuleId": []any{"$id7", "$id8"}})
	flat, described := tcp(1), tcp(2)
	flat["Policy"], flat["Priority"], described["Description"] = "accept", "1", ""
	filled := fill("$revoked", 8)
	filled.then = append(filled.then,
		keepID("id7", "$revoked", "7/7"), keepID("id8", "$revoked", "8/8"))
	return story{name: "rules are revoked in every form", steps: []step{
		create("revoked"), filled,
		revoke("by its fields", "$revoked", flat, shown(2), shown(3), shown(4), shown(5), shown(6), shown(7), shown(8)),
		revoke("with an empty description", "$revoked", described,
			shown(3), shown(4), shown(5), shown(6), shown(7), shown(8)),
		revoke("several by their fields", "$revoked", params{"Permissions": []any{tcp(3), tcp(4)}},
			shown(5), shown(6), shown(7), shown(8)),
		revoke("of several what is there", "$revoked", params{"Permissions": []any{tcp(5), tcp(99), tcp(6)}},
			shown(7), shown(8)),
		byID,
	}}
}

func revokingWhatIsNotThere() story {
	otherPriority, otherPolicy := tcp(1), tcp(1)
	otherPriority["Priority"], otherPolicy["Policy"] = "2", "drop"
	refused := func(s step, code string) step {
		s.status, s.code = 400, code
		return s
	}
	filled := fill("$kept", 2)
	filled.then = append(filled.then, keepID("id1", "$kept", "1/1"))
	return story{name: "what is not meant is not revoked", steps: []step{
		create("kept"), create("another"), filled,
		revoke("a rule that is not there is revoked already", "$kept", tcp(3), shown(1), shown(2)),
		revoke("nor is one of another priority meant", "$kept", otherPriority, shown(1), shown(2)),
		revoke("nor one of another policy", "$kept", otherPolicy, shown(1), shown(2)),
		refused(revoke("an ID that is not there refuses all", "$kept",
			params{"SecurityGroupRuleId": []any{"$id1", "sgr-bp1doesnotexist0"}}, shown(1), shown(2)),
			"InvalidSecurityGroupRule.RuleNotExist"),
		refused(revoke("an ID of another group is not there", "$another", params{"SecurityGroupRuleId": []any{"$id1"}}),
			"InvalidSecurityGroupRule.RuleNotExist"),
		refused(revoke("an ID twice is refused", "$kept",
			params{"SecurityGroupRuleId": []any{"$id1", "$id1"}}, shown(1), shown(2)),
			"InvalidParam.SecurityGroupRuleIdRepeated"),
		refused(revoke("a rule twice is refused", "$kept", params{"Permissions": []any{tcp(1), tcp(1)}}, shown(1), shown(2)),
			"InvalidParam.DuplicatePermissions"),
		{
			name: "a group that is not there has nothing to revoke", action: "RevokeSecurityGroupEgress",
			params: params{"SecurityGroupId": missingGroup, "Permissions": []any{tcp(1)}},
			status: 404, code: "InvalidSecurityGroupId.NotFound",
		},
	}}
}

func modifying() story {
	modify := func(name string, p params, want ...string) step {
		p["SecurityGroupId"], p["SecurityGroupRuleId"] = "$modified", "$id"
		return step{
			name: name, action: "ModifySecurityGroupEgressRule", params: p,
			then: []func(*walk){sees(rulesOf("$modified"), want...)},
		}
	}
	const changed = "IpProtocol=UDP PortRange=1000/2000 DestCidrIp=10.8.0.0/16 Policy=Drop Priority=9 Description="
	filled := fill("$modified", 2)
	filled.then = append(filled.then, keepID("id", "$modified", "1/1"))
	kept := modify("it is found by its old ID", params{"Description": "last", "PortRange": "1000/2000"}, shown(2), changed+"last")
	twice := modify("it may not become another one", params{
		"IpProtocol": "tcp", "PortRange": "2/2", "DestCidrIp": "10.1.0.0/16", "Policy": "accept", "Priority": "1",
	}, shown(2), changed+"last")
	twice.status, twice.code = 400, "InvalidOperation.RuleDuplicate"
	return story{name: "a rule is modified and keeps its ID", steps: []step{
		create("modified"), filled,
		modify("a description", params{"Description": odd, "PortRange": "1/1"}, shown(1)+" Description="+odd, shown(2)),
		modify("everything", params{
			"IpProtocol": "UDP", "PortRange": "1000/2000", "DestCidrIp": "10.8.0.0/16", "Policy": "drop", "Priority": "9",
			"Description": odd,
		}, shown(2), changed+odd),
		kept, twice,
	}}
}
