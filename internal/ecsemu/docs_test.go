package ecsemu

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// between gives what stands between two texts, which both must be there.
func between(t *testing.T, text, begin, end string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, begin)
	inner, _, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("docs/emulator.md has no %q, or no %q after it", begin, end)
	}
	return inner
}

// firstColumn gives what stands in backticks in the first column of a table.
func firstColumn(table string) []string {
	var names []string
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			names = append(names, match[1])
		}
	}
	return names
}

func TestTheManualNamesEveryAction(t *testing.T) {
	server, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	table := between(t, manual(t), "## What it serves\n", "\n\nGET and POST")
	got := regexp.MustCompile(`\b(?:[A-Z][a-z]+){2,}\b`).FindAllString(strings.ReplaceAll(table, "VPCs", "Vpcs"), -1)
	slices.Sort(got)
	if diff := cmp.Diff(server.cloud.ActionNames(), got); diff != "" {
		t.Errorf("actions (-served +documented):\n%s", diff)
	}
}

func TestTheManualNamesEveryKindOfFault(t *testing.T) {
	table := between(t, manual(t), "| Kind | What happens | Is the call done? |\n", "\n\n")
	want := texts(kindTable().names())
	got := firstColumn(table)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kinds of faults (-code +documented):\n%s", diff)
	}
}

func TestTheManualNamesEveryControlRoute(t *testing.T) {
	var want, got []string
	for _, r := range new(Server).controlRoutes() {
		if path := strings.TrimSuffix(r.path, "{$}"); path != "" {
			want = append(want, r.method+" "+controlPath+path)
		}
	}
	for line := range strings.Lines(between(t, manual(t), "## The control API\n", "\n\nErrors are")) {
		first := strings.Split(line+"||", "|")[1]
		_, path, found := strings.Cut(strings.ReplaceAll(first, "`", ""), " /")
		if !found {
			continue
		}
		for method := range strings.SplitSeq(strings.Split(strings.ReplaceAll(first, "`", ""), " /")[0], ",") {
			got = append(got, strings.TrimSpace(method)+" /"+strings.TrimSpace(path))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-code +documented):\n%s", diff)
	}
}

func TestTheExamplesOfTheManualWork(t *testing.T) {
	text := manual(t)
	estate, err := estates.Load("docs/emulator.md", []byte(between(t, text, "```yaml\n", "```")))
	if err != nil {
		t.Fatalf("the estate: %v", err)
	}
	server, err := New(Options{Estate: estate})
	if err != nil {
		t.Fatalf("the estate: %v", err)
	}
	list, err := decodeFaults([]byte(between(t, text, "/_emulator/faults -d '", "'\n")))
	if err != nil {
		t.Fatalf("the faults: %v", err)
	}
	if err := server.SetFaults(list); err != nil {
		t.Errorf("the faults: %v", err)
	}
}
