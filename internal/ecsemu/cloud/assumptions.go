package cloud

import "time"

// Assumptions gives all questions, in the order of a table of reference.
func Assumptions() []Assumption {
	var all []Assumption
	for _, part := range [][]Assumption{
		changedOverTime(), ofTokens(), ofWriting(), ofPaging(), ofAnswers(), ofGateway(), ofElsewhere(),
	} {
		all = append(all, part...)
	}
	return all
}

func changedOverTime() []Assumption {
	return []Assumption{
		{
			Name: "missing-rule", Question: "What is revoking a rule that is not there, by its ID?",
			Values: []Value{
				{"error", "400 InvalidSecurityGroupRule.RuleNotExist, as today"}, {"succeed", "nothing, as before July 2024"},
			},
			word: func(e *Era) *string { return (*string)(&e.MissingRule) },
		},
		{
			Name: "missing-parts", Question: "What is revoking a rule that is not there, by its parts?",
			Values: []Value{{"succeed", "nothing, as documented"}, {"error", "an error, as was observed of late"}},
			word:   func(e *Era) *string { return (*string)(&e.MissingParts) },
		},
		{
			Name: "rule-ids", Question: "Do rules have IDs?",
			Values: []Value{{"yes", "they do, as today"}, {"no", "none are told, and those in requests are ignored"}},
			flag:   func(e *Era) *bool { return &e.NoRuleIDs },
		},
		{
			Name: "page-numbers", Question: "May groups be listed by page numbers, which are being withdrawn?",
			Values: []Value{{"taken", "they may"}, {"refused", "that is 400 NotSupported.PageNumberAndPageSize"}},
			flag:   func(e *Era) *bool { return &e.NoPageNumbers },
		},
		{
			Name: "classic-network", Question: "May groups be created outside of any VPC?",
			Values: []Value{{"yes", "they may"}, {"no", "the account has no classic network"}},
			flag:   func(e *Era) *bool { return &e.VPCOnly },
		},
	}
}

func ofTokens() []Assumption {
	return []Assumption{
		{
			Name: "client-token-lifetime", Question: "How long is a ClientToken remembered?",
			Values: []Value{{"24h", "a day"}}, Duration: "for that long",
			span: func(e *Era) *time.Duration { return &e.TokenLifetime },
		},
		{
			Name: "client-token-scope", Question: "For what is a ClientToken remembered?",
			Values: []Value{
				{string(TokenPerAction), "for its account, region and action"},
				{string(TokenPerAccount), "for its account: with another action or region, it is one with other parameters"},
				{string(TokenPerGroup), "for its account, region, action and SecurityGroupId"},
			},
			word: func(e *Era) *string { return (*string)(&e.TokenScope) },
		},
		{
			Name: "client-token-refusals", Question: "Does a refused call take its ClientToken?",
			Values: []Value{{"forgotten", "it does not, and may be repeated"}, {"replayed", "it does: the refusal is repeated"}},
			flag:   func(e *Era) *bool { return &e.TokenRefusals },
		},
	}
}

func ofWriting() []Assumption {
	return []Assumption{
		{
			Name: "revoke-batch", Question: "What has a refused revocation of several rules done?",
			Values: []Value{{"whole", "nothing"}, {"partial", "it has removed the rules before the bad one"}},
			flag:   func(e *Era) *bool { return &e.PartialRevoke },
		},
		{
			Name: "authorize-batch", Question: "What has a refused authorization of several rules done?",
			Values: []Value{{"whole", "nothing"}, {"partial", "it has added the rules before the bad one"}},
			flag:   func(e *Era) *bool { return &e.PartialAuthorize },
		},
		{
			Name: "ids-with-parts", Question: "What are rule IDs along with the parts of a rule?",
			Values: []Value{
				{"refused", "400 InvalidParam.SecurityGroupRuleId"}, {"ids-win", "the IDs count, and the parts are ignored"},
			},
			flag: func(e *Era) *bool { return &e.RuleIDsWin },
		},
		{
			Name: "ipv4-match", Question: "When are IPv4 addresses of two rules the same?",
			Values: []Value{
				{"meaning", "if they mean the same: 10.0.0.1/8 is 10.0.0.0/8, and 192.0.2.1 is 192.0.2.1/32"},
				{"text", "if their texts are the same"},
			},
			flag: func(e *Era) *bool { return &e.TextMatch },
		},
		{
			Name: "foreign-vpc", Question: "May a rule name a group of another account in another VPC?",
			Values: []Value{
				{"any", "it may, as an infrastructure client is tested with"},
				{"same", "it is 400 InvalidDestGroupId.Mismatch, as documented for groups in general"},
			},
			flag: func(e *Era) *bool { return &e.ForeignSameVPC },
		},
		{
			Name: "policy-cidr", Question: "What is ecs:SecurityGroupSourceCidrIps of an egress rule, in policies of RAM?",
			Values: []Value{{"far-side", "its destination"}, {"source", "its source, and absent if it has none"}},
			flag:   func(e *Era) *bool { return &e.PolicySourceOwn },
		},
	}
}

func ofPaging() []Assumption {
	return []Assumption{
		{
			Name: "page-token-lifetime", Question: "How long is a NextToken good?",
			Values:   []Value{{"endless", "for ever"}},
			Duration: "for that long; then it is refused as one that is not valid",
			span:     func(e *Era) *time.Duration { return &e.PageTokenLifetime },
		},
		{
			Name: "page-token-filters", Question: "Is a NextToken good along with other filters?",
			Values: []Value{
				{"ignored", "it is, and goes on at the same place"}, {"bound", "it is refused; another MaxResults is no filter"},
			},
			flag: func(e *Era) *bool { return &e.PageTokenFilters },
		},
		{
			Name: "rule-pages", Question: "Where does a listing of rules go on that changed meanwhile?",
			Values: []Value{
				{"position", "at the same number: of rules that went away, as many others are left out"},
				{"next-rule", "at the rule that came next, as long as that is there"},
			},
			flag: func(e *Era) *bool { return &e.NextRulePages },
		},
		{
			Name: "direction-order", Question: "Which rules are told first, if those of both directions are?",
			Values: []Value{{"egress-first", "egress rules"}, {"ingress-first", "ingress rules"}},
			flag:   func(e *Era) *bool { return &e.IngressFirst },
		},
	}
}

func ofAnswers() []Assumption {
	return []Assumption{
		{
			Name: "spelling", Question: "How are protocols and policies of rules told?",
			Values: []Value{{"capitals", "as TCP, ICMPv6, Accept"}, {"lower", "as tcp, icmpv6, accept"}},
			flag:   func(e *Era) *bool { return &e.LowerCase },
		},
		{
			Name: "protocol-numbers", Question: "What are the protocols 1, 6, 17, 47 and 58?",
			Values: []Value{
				{"as-sent", "protocols like other numbers, with ports -1/-1, told as they were sent"},
				{"names", "other names of ICMP, TCP, UDP, GRE and ICMPv6, told and matched as those"},
			},
			flag: func(e *Era) *bool { return &e.ProtocolNames },
		},
		{
			Name: "port-list-ports", Question: "What is the PortRange of a rule with a port list?",
			Values: []Value{
				{string(ListPortsEmpty), "empty"},
				{string(ListPortsAll), "-1/-1"},
				{string(ListPortsFirst), "the first range of the list"},
			},
			word: func(e *Era) *string { return (*string)(&e.ListPorts) },
		},
		{
			Name: "ipv4-cidrs", Question: "How are IPv4 addresses of rules told?",
			Values: []Value{
				{"as-sent", "as they were sent; IPv6 addresses in their short form, without a change to their bits"},
				{"masked", "as networks: 10.0.0.1/8 as 10.0.0.0/8, and 192.0.2.1 as 192.0.2.1/32"},
			},
			flag: func(e *Era) *bool { return &e.MaskedCIDRs },
		},
		{
			Name: "own-account", Question: "What is told as the account of a group that is of the own account?",
			Values: []Value{{"empty", "nothing"}, {"number", "the account"}},
			flag:   func(e *Era) *bool { return &e.TellOwnAccount },
		},
	}
}

func ofGateway() []Assumption {
	return []Assumption{
		{
			Name: "nonce-memory", Question: "How long is a nonce remembered?",
			Values:   []Value{{"200000", "until 200,000 others came"}},
			Duration: "for that long, if not as many others came before",
			span:     func(e *Era) *time.Duration { return &e.NonceMemory },
		},
		{
			Name: "nonce-scope", Question: "For whom is a nonce remembered?",
			Values: []Value{{"key", "for its key"}, {"all", "for all keys"}},
			flag:   func(e *Era) *bool { return &e.NoncesOfAll },
		},
		{
			Name: "gateway-order", Question: "Of a request with several of these wrong, which is it refused for?",
			Values: []Value{
				{string(TimeKeySignature), "its time, then its key and token, then its signature"},
				{string(KeyTimeSignature), "its key and token, then its time, then its signature"},
				{string(KeySignatureTime), "its key and token, then its signature, then its time"},
			},
			word: func(e *Era) *string { return (*string)(&e.GatewayOrder) },
		},
		{
			Name: "security-token-status", Question: "What status has InvalidSecurityToken.*?",
			Values: []Value{{"400", "400"}, {"403", "403"}},
			flag:   func(e *Era) *bool { return &e.SecurityTokenRefused },
		},
	}
}

func ofElsewhere() []Assumption {
	return []Assumption{
		{
			Question:  "How many calls may be made in a minute?",
			Values:    []Value{{"", "any number"}},
			Elsewhere: "`--quota`, `--quota-code`",
		},
		{
			Question:  "How soon does reading show what was written?",
			Values:    []Value{{"", "at once"}},
			Elsewhere: "`--read-lag`; the fault `stale`",
		},
		{
			Question:  "What becomes of connections through a rule that is revoked?",
			Values:    []Value{{"", "nothing here: this API does not show them"}},
			Elsewhere: "not emulated",
		},
	}
}
