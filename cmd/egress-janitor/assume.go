package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// assumeHelp is what --assume takes to tell what there is to assume.
const assumeHelp = "help"

// assume sets what --assume says. It has the last word over the other flags of an era.
func assume(era *cloud.Era, texts []string) error {
	given := map[string]bool{}
	for _, text := range texts {
		name, _, _ := strings.Cut(text, "=")
		if given[name] {
			return usageError{fmt.Errorf("--assume: %s is assumed twice", name)}
		}
		given[name] = true
		if err := era.Assume(text); err != nil {
			return usageError{fmt.Errorf("--assume: %w; see --assume %s", err, assumeHelp)}
		}
	}
	return nil
}

// asksWhatToAssume tells whether --assume is given to be told what there is.
func asksWhatToAssume(texts []string) bool { return slices.Contains(texts, assumeHelp) }

// explainAssumptions writes what may be assumed.
func explainAssumptions(w io.Writer) error {
	var b strings.Builder
	for _, a := range cloud.Assumptions() {
		if a.Name == "" {
			continue
		}
		fmt.Fprintf(&b, "%s\n  %s\n", a.Synopsis(), a.Question)
		for i, v := range a.Values {
			word := "or"
			if i == 0 {
				word = "assumed"
			}
			fmt.Fprintf(&b, "  %s %s: %s\n", word, v.Name, v.Meaning)
		}
		if a.Duration != "" {
			fmt.Fprintf(&b, "  or a duration, as 10m: %s\n", a.Duration)
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing what may be assumed: %w", err)
	}
	return nil
}
