//go:build clients

package clients_test

func stories() []story {
	return []story{
		aGroupComesAndGoes(), everyDestination(), equalRules(), bothDirections(), pages(), revoking(), revokingWhatIsNotThere(), modifying(),
		tags(), references(), keys(), roles(), denials(), throttling(),
	}
}

const missingGroup = "sg-bp1doesnotexist0"

// create is the step that every story begins with.
func create(name string) step {
	return step{
		name: "a group is created", action: "CreateSecurityGroup",
		params: params{"VpcId": "vpc-clients", "SecurityGroupName": name}, keep: []string{name + "=SecurityGroupId"},
	}
}

// groupsOf lists the groups of a name.
func groupsOf(name string) listing {
	return listing{
		action: "DescribeSecurityGroups", params: params{"SecurityGroupName": name},
		outer: "SecurityGroups", inner: "SecurityGroup",
		show: []string{"SecurityGroupId", "SecurityGroupType", "VpcId", "Description"},
	}
}

// rulesOf lists the egress rules of a group.
func rulesOf(group string) listing {
	return listing{
		action: "DescribeSecurityGroupAttribute", params: params{"SecurityGroupId": group, "Direction": "egress"},
		outer: "Permissions", inner: "Permission",
		show: []string{
			"IpProtocol", "PortRange", "DestCidrIp", "Ipv6DestCidrIp", "DestGroupId", "DestPrefixListId", "SourceCidrIp",
			"SourcePortRange", "Policy", "Priority", "Description",
		},
	}
}

func aGroupComesAndGoes() story {
	return story{name: "a group comes and goes", steps: []step{
		{
			name: "a group is created as it was described", action: "CreateSecurityGroup",
			params: params{
				"VpcId": "vpc-clients", "SecurityGroupName": "comes", "SecurityGroupType": "enterprise", "Description": odd,
			},
			keep: []string{"comes=SecurityGroupId"},
			then: []func(*walk){
				sees(groupsOf("comes"), "SecurityGroupId=$comes SecurityGroupType=enterprise VpcId=vpc-clients Description="+odd),
				sees(rulesOf("$comes")),
			},
		},
		{
			name: "a group that is not there cannot be deleted", action: "DeleteSecurityGroup",
			params: params{"SecurityGroupId": missingGroup}, status: 404, code: "InvalidSecurityGroupId.NotFound",
			then: []func(*walk){sees(groupsOf("goes"))},
		},
		{
			name: "a group is deleted", action: "DeleteSecurityGroup", params: params{"SecurityGroupId": "$comes"},
			then: []func(*walk){sees(groupsOf("comes"))},
		},
		{
			name: "what was deleted is not described", action: "DescribeSecurityGroupAttribute",
			params: params{"SecurityGroupId": "$comes"}, status: 404, code: "InvalidSecurityGroupId.NotFound",
		},
	}}
}

func everyDestination() story {
	const (
		cidr   = "IpProtocol=TCP PortRange=443/443 DestCidrIp=10.1.0.0/16 Policy=Accept Priority=1 Description=" + odd
		cidr6  = "IpProtocol=UDP PortRange=1/65535 Ipv6DestCidrIp=2001:db8::/48 Policy=Drop Priority=100"
		group  = "IpProtocol=TCP PortRange=22/22 DestGroupId=$peer Policy=Accept Priority=1"
		list   = "IpProtocol=TCP PortRange=80/80 DestPrefixListId=pl-clients Policy=Accept Priority=2"
		icmp   = "IpProtocol=ICMP PortRange=-1/-1 DestCidrIp=10.2.0.0/16 Policy=Accept Priority=1"
		gre    = "IpProtocol=GRE PortRange=-1/-1 DestCidrIp=192.0.2.7/32 Policy=Accept Priority=1"
		all    = "IpProtocol=ALL PortRange=-1/-1 DestCidrIp=0.0.0.0/0 Policy=Drop Priority=100"
		source = "IpProtocol=TCP PortRange=5/5 DestCidrIp=10.9.0.0/16 SourceCidrIp=192.168.0.0/24 SourcePortRange=7/8 " +
			"Policy=Accept Priority=1"
	)
	flat := func(name string, p params, want ...string) step {
		p["SecurityGroupId"] = "$flat"
		return step{
			name: name, action: "AuthorizeSecurityGroupEgress", params: p,
			then: []func(*walk){sees(rulesOf("$flat"), want...)},
		}
	}
	return story{name: "rules of every destination are authorized", steps: []step{
		create("peer"), create("flat"), create("listed"),
		flat("to a network", params{
			"IpProtocol": "tcp", "PortRange": "443/443", "DestCidrIp": "10.1.0.0/16", "Description": odd,
		}, cidr),
		flat("to a network of IPv6", params{
			"IpProtocol": "UDP", "PortRange": "1/65535", "Ipv6DestCidrIp": "2001:db8::/48", "Policy": "drop", "Priority": "100",
		}, cidr, cidr6),
		flat("to a group", params{"IpProtocol": "tcp", "PortRange": "22/22", "DestGroupId": "$peer"}, cidr, cidr6, group),
		flat("to a prefix list", params{
			"IpProtocol": "tcp", "PortRange": "80/80", "DestPrefixListId": "pl-clients", "Priority": "2",
		}, cidr, cidr6, group, list),
		{
			name: "several at once", action: "AuthorizeSecurityGroupEgress",
			params: params{"SecurityGroupId": "$listed", "Permissions": []any{
				params{"IpProtocol": "tcp", "PortRange": "443/443", "DestCidrIp": "10.1.0.0/16", "Description": odd},
				params{
					"IpProtocol": "udp", "PortRange": "1/65535", "Ipv6DestCidrIp": "2001:db8::/48", "Policy": "Drop",
					"Priority": "100",
				},
				params{"IpProtocol": "tcp", "PortRange": "22/22", "DestGroupId": "$peer"},
				params{"IpProtocol": "tcp", "PortRange": "80/80", "DestPrefixListId": "pl-clients", "Priority": "2"},
				params{"IpProtocol": "icmp", "PortRange": "-1/-1", "DestCidrIp": "10.2.0.0/16"},
				params{"IpProtocol": "gre", "PortRange": "-1/-1", "DestCidrIp": "192.0.2.7/32"},
				params{"IpProtocol": "all", "PortRange": "-1/-1", "DestCidrIp": "0.0.0.0/0", "Policy": "drop", "Priority": "100"},
				params{
					"IpProtocol": "tcp", "PortRange": "5/5", "DestCidrIp": "10.9.0.0/16", "SourceCidrIp": "192.168.0.0/24",
					"SourcePortRange": "7/8",
				},
			}},
			then: []func(*walk){sees(rulesOf("$listed"), cidr, cidr6, group, list, icmp, gre, all, source)},
		},
		{
			name: "one that is wrong refuses all", action: "AuthorizeSecurityGroupEgress",
			params: params{"SecurityGroupId": "$flat", "Permissions": []any{
				params{"IpProtocol": "tcp", "PortRange": "1000/1000", "DestCidrIp": "10.1.0.0/16"},
				params{"IpProtocol": "tcp", "PortRange": "1000/1000", "DestCidrIp": "10.1.0.0/16", "Policy": "maybe"},
			}},
			status: 400, code: "InvalidPolicy.Malformed",
			then: []func(*walk){sees(rulesOf("$flat"), cidr, cidr6, group, list)},
		},
		{
			name: "a rule to nowhere is refused", action: "AuthorizeSecurityGroupEgress",
			params: params{"SecurityGroupId": "$flat", "IpProtocol": "tcp", "PortRange": "1/1"},
			status: 400, code: "MissingParameter.Dest",
			then: []func(*walk){sees(rulesOf("$flat"), cidr, cidr6, group, list)},
		},
	}}
}

func equalRules() story {
	const line = "IpProtocol=TCP PortRange=443/443 DestCidrIp=10.1.0.0/16 "
	authorize := func(name string, p params, want ...string) step {
		p["SecurityGroupId"], p["PortRange"], p["DestCidrIp"] = "$equal", "443/443", "10.1.0.0/16"
		return step{
			name: name, action: "AuthorizeSecurityGroupEgress", params: p,
			then: []func(*walk){sees(rulesOf("$equal"), want...)},
		}
	}
	return story{name: "equal rules are one rule", steps: []step{
		create("equal"),
		authorize("a rule", params{"IpProtocol": "tcp"}, line+"Policy=Accept Priority=1"),
		authorize("the same again adds none", params{"IpProtocol": "tcp"}, line+"Policy=Accept Priority=1"),
		authorize("nor with its defaults spelled out", params{
			"IpProtocol": "TCP", "Policy": "Accept", "Priority": "1", "NicType": "intranet",
		}, line+"Policy=Accept Priority=1"),
		authorize("another priority is another rule", params{"IpProtocol": "tcp", "Priority": "2"},
			line+"Policy=Accept Priority=1", line+"Policy=Accept Priority=2"),
		authorize("another policy is another rule", params{"IpProtocol": "tcp", "Policy": "drop"},
			line+"Policy=Accept Priority=1", line+"Policy=Accept Priority=2", line+"Policy=Drop Priority=1"),
	}}
}

func bothDirections() story {
	const line = "IpProtocol=TCP PortRange=22/22 SourceCidrIp=192.0.2.0/24 Policy=Accept Priority=1 Direction=ingress"
	in := rulesOf("$both")
	in.params = params{"SecurityGroupId": "$both", "Direction": "ingress"}
	in.show = append(in.show, "Direction")
	rule := params{"SecurityGroupId": "$both", "IpProtocol": "tcp", "PortRange": "22/22", "SourceCidrIp": "192.0.2.0/24"}
	return story{name: "each direction has its rules", steps: []step{
		create("both"), fill("$both", 1),
		{
			name: "a rule for what comes in", action: "AuthorizeSecurityGroup", params: rule,
			then: []func(*walk){sees(in, line), sees(rulesOf("$both"), shown(1))},
		},
		revoke("it is none for what goes out", "$both", params{
			"IpProtocol": "tcp", "PortRange": "22/22", "DestCidrIp": "192.0.2.0/24",
		}, shown(1)),
		{
			name: "it is revoked", action: "RevokeSecurityGroup", params: rule,
			then: []func(*walk){sees(in), sees(rulesOf("$both"), shown(1))},
		},
	}}
}
