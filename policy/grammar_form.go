package policy

import "strings"

// form is what a value looks like, for people and for validators. A validator sees less than the loader: it cannot do
// arithmetic, nor look into other files.
type form struct {
	words  string
	name   string // of the definition in the schema; empty for small ones
	schema map[string]any
	// of is the mapping that the value is or holds; nil if it has none.
	of   *mapping
	many plurality
	// element is what the lists of a relation hold; nil if the value is no relation.
	element *form
	// sub: the value is a `match` again, or a list of them.
	sub bool
}

// plurality says how a value holds a mapping.
type plurality uint8

const (
	oneOnly plurality = iota
	listed            // a list of them
	named             // a mapping from names to them
	orAll             // it, or the word all
	byTag             // a mapping from tags to patterns or it
)

// textForm is a text that must be quoted if it looks like something else.
func textForm() form {
	return form{words: "text", schema: map[string]any{"type": "string", "pattern": `\S`}}
}

func patternForm(words, expression string) form {
	return form{words: words, schema: map[string]any{"type": "string", "pattern": expression}}
}

func wordForm(words ...string) form {
	return form{words: "`" + strings.Join(words, "`, `") + "`", schema: map[string]any{"enum": words}}
}

func boolForm() form {
	return form{words: "`true` or `false`", schema: map[string]any{"type": "boolean"}}
}

// onlyTrue is the one value that a switch can have.
func onlyTrue() form { return form{words: "`true`", schema: map[string]any{"const": true}} }

func wholeForm(words string, low, high int) form {
	return form{words: words, schema: map[string]any{"type": "integer", "minimum": low, "maximum": high}}
}

// listForm is a list of at least one element.
func listForm(words string, element form) form {
	return form{words: "list of " + words, schema: arrayOf(element.schema)}
}

func arrayOf(items any) map[string]any {
	return map[string]any{"type": "array", "minItems": 1, "items": items}
}

// globsForm is a list of patterns for names.
func globsForm() form { return listForm("patterns", textForm()) }

// tagsForm is a mapping from tags to patterns, or to the mapping that stands for one.
func tagsForm(tag *mapping) form {
	return form{words: "mapping of tags to patterns", of: tag, many: byTag}
}

const durationPattern = `^([0-9]+d)?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(h|m|s|ms|us|µs|ns))*$`

func durationForm() form {
	f := patternForm("duration, such as `36h`, `3d` or `1d12h`", durationPattern)
	f.schema["minLength"] = 1
	return f
}

// ageForm is a duration that is not zero.
func ageForm() form {
	f := durationForm()
	f.words += ", over zero"
	f.schema["not"] = map[string]any{"pattern": `^[0.dhmsnuµ]*$`}
	return f
}

const (
	datePattern = `[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`
	timePattern = `T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})`
)

func dateForm() form {
	return patternForm("date `2027-01-31`, or time `2027-01-31T18:00:00+08:00`", `^`+datePattern+`(`+timePattern+`)?$`)
}

const (
	octet       = `(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	address4    = `(` + octet + `\.){3}` + octet
	address6    = `[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f.:]*`
	prefix4     = `/(3[0-2]|[12]?[0-9])`
	prefix6     = `/(12[0-8]|1[01][0-9]|[1-9]?[0-9])`
	mappedStart = `::[fF]{4}:([0-9]+\.|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}(/|-|$))`
	setNames    = `[A-Za-z0-9._-]+`
)

// cidrForm is an element of a set.
func cidrForm() form {
	f := patternForm("address block, address or range `a-b`",
		`^(`+address4+`(`+prefix4+`|-`+address4+`)?|`+address6+`(`+prefix6+`|-`+address6+`)?)$`)
	f.schema["not"] = map[string]any{"pattern": `^` + mappedStart}
	return f
}

// addressForm is an element of an address relation.
func addressForm() form {
	set := map[string]any{"type": "string", "pattern": `^\$` + setNames + `$`}
	return form{
		words: "address block, address, range `a-b`, or set `$name`", name: "address",
		schema: map[string]any{"anyOf": []any{cidrForm().schema, set}},
	}
}

// quotableForm is a number that may be quoted, or what a pattern says.
func quotableForm(name, words string, low, high int, expression string) form {
	return form{words: words, name: name, schema: map[string]any{
		"type": []string{"integer", "string"}, "minimum": low, "maximum": high, "pattern": expression,
	}}
}

const portNumber = `([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])`

func portForm() form {
	return quotableForm("port", "port `443` or range `8000-9000`, from 1 to 65535", 1, 65535,
		`^`+portNumber+`(-`+portNumber+`)?$`)
}

const priorityNumber = `([1-9][0-9]{0,2}|1000)`

func priorityForm() form {
	return quotableForm("priority", "number `1` or range `1-50`", 1, 1000, `^`+priorityNumber+`(-`+priorityNumber+`)?$`)
}

func protocolForm() form {
	return quotableForm("protocol", "`tcp`, `udp`, `icmp`, `icmpv6`, `gre`, `all`, or an IANA number", 0, 255,
		`^([tT][cC][pP]|[uU][dD][pP]|[iI][cC][mM][pP]([vV]6)?|[gG][rR][eE]|[aA][lL][lL]|`+
			`25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$`)
}

// relationForm is a list, or a mapping of relations to lists.
func relationForm(element form) form {
	return form{words: "list, or [relations](#relations), of: " + element.words, element: &element}
}

func mappingForm(m *mapping) form { return form{of: m} }

func mappingsForm(m *mapping) form { return form{of: m, many: listed} }

// matchForm is a `match` in a `match`, or a list of them.
func matchForm(many plurality) form { return form{sub: true, many: many} }
