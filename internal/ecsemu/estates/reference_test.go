package estates

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheReferenceIsUpToDate compares docs/estates.md with the table that the loader goes by.
func TestTheReferenceIsUpToDate(t *testing.T) {
	const file, begin, end = "../../../docs/estates.md", "<!-- begin reference -->\n", "<!-- end reference -->\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatal("the page has lost its marks")
	}
	var b strings.Builder
	for _, o := range fileShape().outline().all() {
		o.markdown(&b)
	}
	want := before + begin + b.String() + end + after
	if update := flag.Lookup("update"); update != nil && update.Value.String() == "true" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(data), want); diff != "" {
		t.Errorf("docs/estates.md has drifted; write it anew with `go test ./internal/ecsemu/estates -update` (-page +code):\n%s", diff)
	}
}

func (o *outline) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n", o.name, o.doc)
	if o.short != nil {
		fmt.Fprintf(b, "`%s` alone may stand for the mapping, if it is all there is to say.\n", o.rows[0].key)
	}
	b.WriteString("\n| Key | Value | Default | Meaning |\n|---|---|---|---|\n")
	for _, r := range o.rows {
		words, preset := r.form.words, r.form.preset
		if r.form.of != nil {
			words += " [" + r.form.of.name + "](#" + r.form.of.name + ")"
		}
		switch {
		case r.required:
			preset = "required"
		case preset != "":
			preset = "`" + preset + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", r.key, words, preset, r.doc)
	}
}
