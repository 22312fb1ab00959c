package policytest

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report for people: every test that failed, the tests that passed if all is wanted, what no test
// touches, and how many there were.
func (r *Report) WriteText(w io.Writer, all bool) error {
	var b strings.Builder
	for i := range r.Results {
		result := &r.Results[i]
		switch {
		case !result.Passed():
			result.explain(&b)
		case all:
			fmt.Fprintf(&b, "%s: ok: %s (%s)\n", result.Pos, printable(result.Name), result.Got.Decision)
		}
	}
	for _, item := range r.Untouched {
		what := "objects in no test"
		if item.Kind == kindException {
			what = "exempts in no test"
		}
		fmt.Fprintf(&b, "%s: untouched: %s %s %s\n", item.Pos, item.Kind, item.Name, what)
	}
	for _, item := range r.Unspared {
		fmt.Fprintf(&b, "%s: one-sided: policy %s objects in every test; show a rule that it leaves alone\n", item.Pos, item.Name)
	}
	fmt.Fprintf(&b, "%s\n", r.summary())
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Result) explain(b *strings.Builder) {
	fmt.Fprintf(b, "%s: FAILED: %s: %s\n", r.Pos, printable(r.Name), printable(strings.Join(r.Mismatches, "; ")))
	if r.Got.Detail != "" {
		fmt.Fprintf(b, "    %s, because %s\n", r.Got.Decision, r.Got.Detail)
	}
	for _, v := range r.Got.Policies {
		fmt.Fprintf(b, "    %s: %s, because %s\n", v.Policy, v.Verdict, printable(strings.Join(v.Because, "; ")))
	}
	for _, silent := range r.Silent {
		fmt.Fprintf(b, "    %s: %s\n", silent.Name, printable(silent.Why))
	}
}

func (r *Report) summary() string {
	failed := r.Failed()
	text := fmt.Sprintf("%s passed, %d failed", count(len(r.Results)-failed, "test", "tests"), failed)
	if r.Untouched == nil {
		return text + "; only some tests were run, so what none touches is not known"
	}
	if len(r.Untouched) == 0 {
		return text + "; every policy and exception is touched"
	}
	untouched := map[string]int{}
	for _, item := range r.Untouched {
		untouched[item.Kind]++
	}
	return fmt.Sprintf("%s; untouched: %s, %s", text,
		count(untouched[kindPolicy], kindPolicy, "policies"), count(untouched[kindException], kindException, "exceptions"))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printable replaces control characters: a terminal must not act on them, and XML cannot hold most of them.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return '\uFFFD'
		}
		return r
	}, text)
}
