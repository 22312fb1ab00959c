package policy

// What several keys of `match` do not know.
const (
	unknownAddress = "destination groups; prefix lists that were not read or are empty; a family of which the list has " +
		"no element"
	unknownPorts = "protocols without ports (all but tcp, udp, all); port lists that were not read or are empty"
)

func matchMapping(inner innerMappings) *mapping {
	return &mapping{
		name: "match",
		doc: "Which rules are meant: every key must be true. What a key cannot decide about a rule is unknown, and neither a " +
			"policy nor an exception matches on it.",
		keys: append(relationKeys(), append(ruleKeys(inner), logicKeys()...)...),
	}
}

func relationKeys() []key {
	return []key{
		{
			name: "destination", positive: true, doc: "The addresses that the rule permits.", form: relationForm(addressForm()),
			unknown: unknownAddress, example: "{outside: [10.0.0.0/8, \"fc00::/7\"]}",
		},
		{
			name: "source", positive: true, form: relationForm(addressForm()), example: "{within: [10.1.0.0/16]}",
			doc: "The addresses from which it permits them. A rule without a source permits every address of its " +
				"destination's family.",
			unknown: "for `outside`, a rule without a source; a family of which the list has no element",
		},
		{
			name: "protocol", positive: true, form: relationForm(protocolForm()), example: "{within: [tcp]}",
			doc: "The protocol. `all` is every number.", unknown: "a protocol that cannot be understood",
		},
		{
			name: "ports", positive: true, doc: "The destination ports. A rule for all protocols has all ports.",
			form: relationForm(portForm()), unknown: unknownPorts, example: "{within: [22, 8000-9000]}",
		},
		{
			name: "source-ports", positive: true, form: relationForm(portForm()),
			doc:     "The source ports. A rule without any permits every one.",
			unknown: "for `outside`, a rule without source ports; protocols without ports",
		},
		{
			name: "priority", doc: "The priority; 1 wins over 100.", form: relationForm(priorityForm()),
			unknown: "a priority that cannot be understood", example: "{within: [1-10]}",
		},
	}
}

func ruleKeys(inner innerMappings) []key {
	return []key{
		{
			name: "destination-kind", unknown: "a destination that cannot be understood", example: "[group]",
			doc:  "The form of the destination. IPv4 that is written as IPv6 is `cidr4`.",
			form: listForm("`cidr4`, `cidr6`, `group`, `prefix-list`", wordForm("cidr4", "cidr6", "group", "prefix-list")),
		},
		{
			name: "destination-group", positive: true, form: globsForm(), example: "[sg-bp1example]",
			doc: "The destination is a group whose ID fits a pattern.", unknown: "a destination that cannot be understood",
		},
		{
			name: "prefix-list", positive: true, form: globsForm(), example: "[pl-bp1example]",
			doc: "The destination is a prefix list whose ID fits a pattern.", unknown: "a destination that cannot be understood",
		},
		{
			name: "wider-than", positive: true, form: mappingForm(inner.wider), example: "{ipv4: 8, ipv6: 32}",
			doc:     "The prefix of the destination is shorter than that; of a prefix list, the prefix of any entry.",
			unknown: "destination groups; prefix lists that were not read or are empty; a family that is not named",
		},
		{
			name: "rule-action", form: wordForm("accept", "drop", "any"), top: true, example: "drop",
			preset: "`accept` in a policy, `any` in an exception",
			doc:    "What the rule does. Only at the top of `match`.", unknown: "an action that cannot be understood",
		},
		{
			name: "older-than", positive: true, form: ageForm(), example: "90d", doc: "The rule was created before that long ago.",
			unknown: "a creation time that is missing or cannot be understood",
		},
		{
			name: "expired", positive: true, form: mappingForm(inner.expired), example: `{description: 'expires=(\S+)'}`,
			doc: "A date in the description has passed; of several the latest counts.", unknown: "a date that is missing. One " +
				"that cannot be understood gives `report: invalid-expiry` where the policy would match were it past",
		},
		{
			name: "description", positive: true, form: mappingForm(inner.described), example: "{empty: true}",
			doc: "What the description says. It has one of the two keys.", unknown: "nothing",
		},
		{
			name: "expression", form: patternForm("expression in CEL", `\S`), example: "'rule.priority > 50'",
			doc:     "What the other keys cannot say; see [Expressions](#expressions). True if the expression is.",
			unknown: "what it needs and could not be read; errors; more work than an expression may do",
		},
		{
			name: "every-rule", positive: true, form: onlyTrue(), unknown: "nothing",
			doc: "Always true: says on purpose that every rule is meant.",
		},
	}
}

func logicKeys() []key {
	return []key{
		{
			name: "any", form: matchForm(listed), doc: "One of them is true.",
			unknown: "none is true and one is unknown", example: "[{ports: [22]}, {older-than: 90d}]",
		},
		{name: "all", form: matchForm(listed), doc: "Each of them is true.", unknown: "none is false and one is unknown"},
		{name: "not", form: matchForm(oneOnly), doc: "It is false.", unknown: "it is unknown", example: "{ports: [443]}"},
	}
}

// innerMappings are the small mappings that keys of `match` and `groups` hold.
type innerMappings struct{ wider, expired, described, tag *mapping }

func newInnerMappings() innerMappings {
	return innerMappings{
		wider: &mapping{
			name: "wider-than", doc: "How long a prefix must at least be. A family that is not named is unknown.",
			keys: []key{
				{name: "ipv4", doc: "For IPv4.", form: wholeForm("number from 1 to 32", 1, 32)},
				{name: "ipv6", doc: "For IPv6.", form: wholeForm("number from 1 to 128", 1, 128)},
			},
		},
		expired: &mapping{
			name: "expired", doc: "Where a date is looked for.",
			keys: []key{{
				name: "description", required: true, doc: "Its one capture group finds the date in the description.",
				form: patternForm("RE2 expression with one capture group", `\(`), example: `'expires=(\S+)'`,
			}},
		},
		tag: &mapping{
			name: "tag", doc: "What stands for a pattern where an empty value is meant.",
			keys: []key{{name: "empty", required: true, doc: "The value of the tag is empty.", form: onlyTrue()}},
		},
		described: &mapping{
			name: "description", doc: "What a description says.", oneOf: []string{"matches", "empty"},
			keys: []key{
				{
					name: "matches", doc: "It matches: somewhere, and case-sensitively unless it begins with `(?i)`.",
					form: patternForm("RE2 expression", `\S`), example: `'(?i)temp'`,
				},
				{name: "empty", doc: "There is nothing but white space.", form: onlyTrue()},
			},
		},
	}
}

func relationsMapping() *mapping {
	return &mapping{
		name: "relations",
		doc: "How what the rule permits, D, stands to everything in the list together, S. All that are given must hold. A " +
			"bare list means `overlaps`; in an exception it is refused.",
		keys: []key{
			{name: "overlaps", doc: "D and S have something in common. Collateral unless D lies in S."},
			{name: "within", doc: "D lies in S."},
			{name: "outside", doc: "D does not lie in S: the form for allow-lists."},
			{name: "covers", doc: "D holds at least one element of the list."},
			{name: "equals", doc: "D is exactly one element of the list."},
		},
	}
}
