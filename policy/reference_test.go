package policy

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReference compares docs/policy-reference.md with the tables that the loader goes by.
func TestReference(t *testing.T) {
	const file = "../docs/policy-reference.md"
	var b strings.Builder
	b.WriteString("# Reference of policy files\n\nGenerated from the tables that the loader goes by. " +
		"[Policies](policies.md) is the guide.\n\n" +
		"Every list has at least one element, every mapping at least one key, and no key is known but those here. " +
		"The JSON Schema of the same tables is [configs/policy.schema.json](../configs/policy.schema.json); " +
		"`egress-janitor policy schema` prints it.\n")
	for _, m := range newGrammar().all() {
		m.markdown(&b)
	}
	expressionMarkdown(&b)
	functionsMarkdown(&b)
	codesMarkdown(t, &b)
	if update := flag.Lookup("update"); update != nil && update.Value.String() == "true" {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s has drifted; write it anew with `go test ./policy -run TestReference -update` (-page +code):\n%s", file, diff)
	}
}

func (m *mapping) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", m.name, m.doc)
	unknown := m.keys[0].unknown != ""
	b.WriteString("\n| Key | Value | Default | Meaning |")
	if unknown {
		b.WriteString(" Unknown |")
	}
	b.WriteString("\n|---|---|---|---|")
	if unknown {
		b.WriteString("---|")
	}
	b.WriteString("\n")
	for i := range m.keys {
		k := &m.keys[i]
		preset := k.preset
		switch {
		case k.required:
			preset = "required"
		case preset != "" && !strings.Contains(preset, "`"):
			preset = "`" + preset + "`"
		}
		doc := k.doc
		if k.example != "" {
			doc += " For example `" + k.example + "`."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |", k.name, k.form.markdown(m), preset, cell(doc))
		if unknown {
			b.WriteString(" " + cell(k.unknown) + " |")
		}
		b.WriteString("\n")
	}
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func (f *form) markdown(m *mapping) string {
	link := func(of *mapping) string { return fmt.Sprintf("[%s](#%s)", of.name, of.name) }
	switch {
	case f.words != "" && f.of != nil:
		return f.words + ", or to " + link(f.of)
	case f.words != "":
		return cell(f.words)
	case f.sub && f.many == listed:
		return "list of " + link(m)
	case f.sub:
		return link(m)
	case f.of == nil:
		return "list"
	case f.many == listed:
		return "list of " + link(f.of)
	case f.many == named:
		return "mapping of names to " + link(f.of)
	case f.many == orAll:
		return "`all`, or " + link(f.of)
	}
	return link(f.of)
}

func expressionMarkdown(b *strings.Builder) {
	b.WriteString("\n## Expressions\n\n`expression` is one in [CEL](https://cel.dev), of type bool. It may look at these fields. " +
		"Where one is unknown, so is what depends on it; `&&`, `||` and `!` follow the same logic of three values as " +
		"`all`, `any` and `not`.\n\n| Field | Type | Meaning | Unknown |\n|---|---|---|---|\n")
	for _, f := range expressionFields() {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.name, f.typeName(), cell(f.doc), cell(f.unknown))
	}
}

func functionsMarkdown(b *strings.Builder) {
	b.WriteString("\n### Functions\n\nThe relations of `match`, with a list of texts that are written out, sets (`'$name'`) " +
		"included: `rule.destination.within(['10.0.0.0/8', '$offices'])`. They can be asked of:\n\n| Field | As the key |\n|---|---|\n")
	relations := expressionRelations()
	for _, field := range slices.Sorted(maps.Keys(relations)) {
		fmt.Fprintf(b, "| `%s` | `%s` |\n", field, relations[field])
	}
	fmt.Fprintf(b, "\nBeside the operators, macros (`all`, `exists`, `filter`, `map`) and functions of CEL's own language (`size`, "+
		"`contains`, `startsWith`, `endsWith`, `matches` in RE2, those of times): `cidr('10.0.0.0/8')` and `ip('10.0.0.1')` make "+
		"values, which have `containsCIDR`, `containsIP`, `prefixLength`, `masked`, `ip` and `family`; `isCIDR` and `isIP` ask of a "+
		"text. An error at run time, such as a tag that is not there or a division by zero, makes the expression unknown.\n\n"+
		"An expression has at most %d bytes, %d levels, %d parts and %d relations, %d loops inside each other, and RE2 expressions "+
		"of %d instructions; one that would cost more than %d steps for a rule is unknown for it.\n",
		maxExpression, maxNesting, maxNodes, maxRelations, maxLoops, maxPattern, maxCost)
}

func codesMarkdown(t *testing.T, b *strings.Builder) {
	t.Helper()
	examples := messagesByCode(t)
	b.WriteString("\n## Messages\n\nEvery message ends with a code in brackets. What a JSON Schema cannot see is told only by " +
		"`egress-janitor policy validate`.\n")
	for _, doc := range Codes() {
		fmt.Fprintf(b, "\n### %s\n\n%s", doc.Code, doc.Meaning)
		if doc.Warning {
			b.WriteString(" It is a warning: the file loads.")
		}
		fmt.Fprintf(b, " %s\n", doc.Advice)
		if doc.Beyond != "" && !doc.Warning {
			fmt.Fprintf(b, "Not all of it is in the schema: %s.\n", doc.Beyond)
		}
		if example := examples[doc.Code]; example != "" {
			fmt.Fprintf(b, "\n```\n%s\n```\n", example)
		}
	}
}

// messagesByCode gives the shortest message of each code in testdata.
func messagesByCode(t *testing.T) map[string]string {
	t.Helper()
	messages := map[string]string{}
	for _, pattern := range []string{"testdata/err/*.out", "testdata/ok/*.warn"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(data)) {
				line = strings.TrimSuffix(line, "\n")
				_, code, _ := strings.Cut(line[strings.LastIndex(line, " "):], "[")
				code = strings.TrimSuffix(code, "]")
				if known := messages[code]; known == "" || len(line) < len(known) {
					messages[code] = line
				}
			}
		}
	}
	return messages
}
