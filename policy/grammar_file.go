package policy

// presetGrace is [DefaultGrace] as people write it.
const presetGrace = "72h"

func fileMapping(set, policy, exception *mapping) *mapping {
	return &mapping{
		name: "file",
		doc:  "A policy file. It has `policies`, `exceptions` or both.",
		keys: []key{
			{
				name: "version", required: true, doc: "Of the language; always 1.", example: "1",
				form: form{words: "`1`", schema: map[string]any{"enum": []any{1, "1"}}},
			},
			{
				name: "timezone", preset: "UTC", example: "Asia/Shanghai",
				doc:  "The time zone of all dates in the file, and of those that it finds in tags and descriptions.",
				form: zoneForm(),
			},
			{
				name: "sets", doc: "Named lists of addresses, for this file alone. Each must be used.",
				form: form{of: set, many: named}, example: "{office: {cidrs: [192.0.2.0/24]}}",
			},
			{name: "policies", doc: "What must not be.", form: mappingsForm(policy)},
			{
				name: "exceptions",
				doc:  "What may be all the same, until a day. They may name policies of any loaded file.",
				form: mappingsForm(exception),
			},
		},
	}
}

func zoneForm() form {
	f := patternForm("name in the IANA database, such as `Asia/Shanghai`", `^[A-Z][A-Za-z0-9_+/-]*$`)
	f.schema["not"] = map[string]any{"const": "Local"}
	return f
}

func setMapping() *mapping {
	return &mapping{
		name:  "set",
		doc:   "A named list of addresses, used as `$name`. It has exactly one of `cidrs`, `file` and `url`.",
		oneOf: []string{"cidrs", "file", "url"},
		keys: []key{
			{
				name: "cidrs",
				doc:  "Its elements.", form: listForm("address blocks, addresses or ranges `a-b`", cidrForm()),
				example: "[192.0.2.0/24, 198.51.100.7]",
			},
			{
				name: "file", example: "feeds/threats.txt", form: textForm(),
				doc: "A file with one element a line, `#` comments and a final newline. Its path is relative to the policy file.",
			},
			{
				name: "url", example: "https://feeds.example.com/threats.txt",
				doc:  "Where such a file is fetched from. The last good copy is used while it cannot be fetched.",
				form: patternForm("URL with `https`, without user and fragment", `^https://[^/@#\s]+(/[^#\s]*)?$`),
			},
			{
				name: "sha256", doc: "What the contents of `file` or `url` must hash to. Others are not used.",
				form: patternForm("64 hexadecimal digits in lower case", `^[0-9a-f]{64}$`),
			},
			{
				name: "max-age", preset: "`7d` for a `url`, none for a `file`", form: ageForm(),
				doc: "For how long contents are trusted after they were fetched or written; then `hold: stale-set`.",
			},
			{
				name: "allow-wide", preset: "false", form: boolForm(),
				doc: "Elements may be wider than /8 (IPv4) or /16 (IPv6).",
			},
		},
		needs: map[string][]string{"sha256": {"file", "url"}, "max-age": {"file", "url"}},
	}
}

func policyMapping(scope, match, limits *mapping) *mapping {
	return &mapping{
		name: "policy",
		doc:  "What must not be, where, and what becomes of it.",
		keys: []key{
			{name: "name", required: true, doc: "Unique over all files.", form: nameForm(), example: "no-open-world"},
			{name: "description", required: true, doc: "What it says, in a sentence for reports.", form: textForm()},
			{
				name: "severity", required: true, doc: "How bad a violation is. Orders reports, decides nothing.",
				form: wordForm(string(Low), string(Medium), string(High), string(Critical)),
			},
			{name: "owner", required: true, doc: "Whom to ask.", form: textForm(), example: "netsec@example.com"},
			{name: "ticket", doc: "Where it was agreed upon.", form: textForm(), example: "NET-1234"},
			{name: "groups", required: true, doc: "Which groups it speaks of.", form: form{of: scope, many: orAll}},
			{
				name: "match", required: true,
				doc:  "Which rules violate it. `rule-action` is `accept` where it is not given.",
				form: mappingForm(match),
			},
			{
				name: "action", required: true,
				doc: "What becomes of a violation. A policy that revokes must say on every branch " +
					"of `match` something positive about the rule.", form: wordForm(string(Report), string(Revoke)),
			},
			{
				name: "collateral", mistaken: true, preset: "hold",
				doc:  "What becomes of a rule that permits more than the policy objects to.",
				form: wordForm("hold", "revoke"),
			},
			{
				name: "only-if", mistaken: true, preset: "any",
				doc:  "`closes`: a rule whose removal closes nothing is only reported, and one of which that is not known is held.",
				form: wordForm("any", "closes"),
			},
			{
				name: "allow-opening", mistaken: true, preset: "false", form: boolForm(),
				doc: "Rules that drop traffic may be revoked, which opens access.",
			},
			{
				name: "grace", mistaken: true, preset: presetGrace, form: durationForm(),
				doc: "For how long the policy must object to a rule before the rule may be revoked. None is `0s`.",
			},
			{
				name: "baseline", mistaken: true, form: dateForm(), example: "2026-12-01",
				doc: "Rules first seen before this are left alone. A date is the beginning of that day.",
			},
			{
				name: "limits", doc: "How many rules may be revoked because of it; on top of the limits of the config.",
				form: mappingForm(limits),
			},
			{
				name: "approval", mistaken: true, preset: "none",
				doc: "`required`, to ask somebody first, is not supported yet.", form: wordForm("none"),
			},
		},
	}
}

func nameForm() form { return patternForm("lower-case letters, digits, hyphens", `^[a-z0-9-]+$`) }

func limitsMapping() *mapping {
	limit := wholeForm("number from 1", 1, maxLimit)
	return &mapping{
		name: "limits",
		doc:  "Over a limit, nothing of that scope is revoked.",
		keys: []key{
			{name: "per-sweep", doc: "Rules in one sweep, which is of one account.", form: limit, example: "15"},
			{name: "per-group", doc: "Rules of one group in one sweep.", form: limit, example: "5"},
		},
	}
}

func exceptionMapping(scope, match *mapping) *mapping {
	return &mapping{
		name: "exception", exception: true,
		doc: "What may be although policies object, until a day.",
		keys: []key{
			{name: "name", required: true, doc: "Unique over the exceptions of all files.", form: nameForm()},
			{
				name: "policies", required: true, example: "[no-open-world]",
				doc: "Which policies it is an exception of. `[\"*\"]` is all.",
				form: form{words: "list of names of policies, or `[\"*\"]`", schema: map[string]any{"anyOf": []any{
					arrayOf(nameForm().schema), map[string]any{"const": []string{"*"}},
				}}},
			},
			{name: "groups", required: true, doc: "Which groups it speaks of.", form: form{of: scope, many: orAll}},
			{
				name: "match", required: true, form: mappingForm(match),
				doc: "Which rules it exempts. Bare lists are refused; " +
					"`rule-action` is `any` where it is not given.",
			},
			{name: "reason", required: true, doc: "Why.", form: textForm()},
			{name: "owner", required: true, doc: "Whom to ask.", form: textForm()},
			{name: "ticket", doc: "Where it was agreed upon.", form: textForm()},
			{
				name: "expires", required: true, form: dateForm(), example: "2027-01-31",
				doc: "When it ends. A date is the end of that day.",
			},
		},
	}
}

func scopeMapping(tag *mapping) *mapping {
	return &mapping{
		name: "groups",
		doc: "Which groups are meant: the word `all`, or a mapping in which every key must hold. Patterns know `*` (any run of " +
			"characters) and `?` (one), are matched against the whole text, and are case-sensitive.",
		keys: []key{
			{
				name: "accounts",
				doc:  "The name of the account in the config fits one of them.",
				form: globsForm(), example: "[prod, prod-*]",
			},
			{name: "regions", doc: "So does the region.", form: globsForm(), example: "[cn-*]"},
			{name: "ids", doc: "So does the ID of the group.", form: globsForm(), example: "[sg-bp1example]"},
			{name: "names", doc: "So does its name.", form: globsForm(), example: "[web-*]"},
			{name: "vpcs", doc: "So does the ID of its VPC.", form: globsForm()},
			{
				name: "types", doc: "It is of one of the types: `normal` (basic) or `enterprise` (advanced).",
				form: listForm("`normal`, `enterprise`", wordForm("normal", "enterprise")),
			},
			{name: "resource-groups", doc: "The ID of its resource group fits one of them.", form: globsForm()},
			{
				name: "tags",
				doc:  "For each key: the group has that tag and its value fits. `\"*\"` also fits an empty value.",
				form: tagsForm(tag), example: "{env: \"prod*\"}",
			},
			{
				name: "without-tags", doc: "The group has none of these tags with a value that fits.",
				form: tagsForm(tag), example: "{egress-exempt: \"*\"}",
			},
			{
				name: "expired-tag", mistaken: true,
				doc: "The group has this tag and the date in it has passed. Without the tag it is not in scope; " +
					"with a date that cannot be understood: `report: invalid-expiry`.", form: textForm(), example: "egress-expires",
			},
		},
	}
}
