package policy

import (
	"fmt"
	"regexp"
	"strings"
)

// plainCEL puts a message of CEL into the words of this program where it speaks of things that no policy file has: its
// grammar, its names for operators, its container of names.
func plainCEL(message string) string {
	for _, r := range celWords() {
		message = r.pattern.ReplaceAllString(message, r.words)
	}
	return strings.NewReplacer("net.CIDR", "cidr", "net.IP", "ip", "'<EOF>'", "the end of the expression").Replace(message)
}

// rewording is a pattern and what to say in its place.
type rewording struct {
	pattern *regexp.Regexp
	words   string
}

func celWords() []rewording {
	return []rewording{
		{regexp.MustCompile(` \(in container '[^']*'\)`), ""},
		{regexp.MustCompile(`(?s)^Syntax error: mismatched input (.*?) expecting .*`), "this cannot stand here: $1"},
		{regexp.MustCompile(`(?s)^Syntax error: extraneous input (.*?) expecting .*`), "this cannot stand here: $1"},
		{regexp.MustCompile(`^Syntax error: token recognition error at: '(.*?)\s*'$`), "this is no part of CEL: '$1'"},
		{regexp.MustCompile(`^Syntax error: `), ""},
		{
			regexp.MustCompile(`^found no matching overload for '(?:_*)(.*?)(?:_*)' applied to '(.*)'$`),
			"'$1' is not made for $2",
		},
		{
			regexp.MustCompile(`^expression recursion limit exceeded.*`),
			fmt.Sprintf("the expression is nested deeper than %d levels", maxNesting),
		},
		{
			regexp.MustCompile(`^comprehension exceeds nesting limit$`),
			fmt.Sprintf("all(), exists(), map() and their like stand inside each other deeper than %d levels", maxLoops),
		},
		{
			regexp.MustCompile(`^expression (?:node )?count exceeds limit.*`),
			fmt.Sprintf("the expression has more than %d parts", maxNodes),
		},
		{regexp.MustCompile(`^invalid matches argument$`), "this is no RE2 expression, or too large a one"},
		{regexp.MustCompile(`^invalid timestamp argument$`), "this is no time: write it like 2027-01-31T18:00:00+08:00"},
		{regexp.MustCompile(`^invalid duration argument$`), "this is no duration: write hours, minutes or seconds, such as 36h"},
		{regexp.MustCompile(`^invalid (?:cidr|ip) argument: .*`), "this is no address block or address"},
	}
}
