package main

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

func TestAnExcerptPointsAtTheColumn(t *testing.T) {
	t.Parallel()
	long := "list: [" + strings.Repeat("a, ", 60) + "HERE, " + strings.Repeat("b, ", 60) + "z]"
	for _, test := range []struct {
		name, file, text string
		line, column     int
		want             string
	}{
		{
			"a plain line", "p.yaml", "version: 1\nports: [0]\n", 2, 9,
			"    2 | ports: [0]\n      |         ^",
		},
		{
			"the first column", "p.yaml", "vresion: 1\n", 1, 1,
			"    1 | vresion: 1\n      | ^",
		},
		{
			"a tab is one column and one cell", "p.yaml", "\ta:\tb\n", 1, 5,
			"    1 |  a: b\n      |     ^",
		},
		{
			"runes of two cells", "p.yaml", "说明: 端口 x\n", 1, 8,
			"    1 | 说明: 端口 x\n      |            ^",
		},
		{
			"a mark that takes no cell", "p.yaml", "e\u0301: x\n", 1, 5,
			"    1 | e\u0301: x\n      |    ^",
		},
		{
			"the middle of a long line", "p.yaml", long + "\n", 1, strings.Index(long, "HERE") + 1,
			"    1 | …" + strings.Repeat("a, ", 16) + "HERE, " + strings.Repeat("b, ", 14) + "…\n" +
				"      |  " + strings.Repeat(" ", 48) + "^",
		},
		{
			"the beginning of a long line", "p.yaml", long + "\n", 1, 7,
			"    1 | " + long[:96] + "…\n      |       ^",
		},
		{
			"carriage returns do not move the cursor", "p.yaml", "a: 1\r\nb: 2\r\n", 2, 4,
			"    2 | b: 2\n      |    ^",
		},
		{
			"escapes do not reach the terminal", "p.yaml", "a: \x1b[31m\u202e\n", 1, 4,
			"    1 | a:  [31m\n      |    ^",
		},
		{
			"YAML breaks lines where other programs do not", "p.yaml", "# \u2028a: x\n", 2, 1,
			"    2 | a: x\n      | ^",
		},
		{
			"the file of a set has plain lines", "feed.txt", "# \u2028\n10.0.0.1/8\n", 2, 1,
			"    2 | 10.0.0.1/8\n      | ^",
		},
		{
			"a byte order mark is no column", "p.yaml", "\ufeffa: b\n", 1, 4,
			"    1 | a: b\n      |    ^",
		},
		{
			"the end of a line", "p.yaml", "a:\n", 1, 3,
			"    1 | a:\n      |   ^",
		},
		{
			"a column beyond the line", "p.yaml", "a:\n", 1, 30,
			"    1 | a:\n      |   ^",
		},
		{"bytes that are no text", "p.yaml", "a: \xff\n", 1, 4, "    1 | a: \ufffd\n      |    ^"},
		{"a line that is not there", "p.yaml", "a: b\n", 3, 1, ""},
		{"a file that cannot be read", "absent.yaml", "", 1, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			lines := excerpts{files: map[string][][]byte{}, read: func(name string) ([]byte, error) {
				if name == "absent.yaml" {
					return nil, fs.ErrNotExist
				}
				return []byte(test.text), nil
			}}
			got := strings.TrimPrefix(lines.at(strictyaml.Pos{File: test.file, Line: test.line, Column: test.column}), "\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFileIsReadOnceForAllItsExcerpts(t *testing.T) {
	t.Parallel()
	reads := 0
	lines := excerpts{files: map[string][][]byte{}, read: func(string) ([]byte, error) {
		reads++
		return []byte("a: b\n"), nil
	}}
	for range 3 {
		lines.at(strictyaml.Pos{File: "p.yaml", Line: 1, Column: 1})
	}
	if reads != 1 {
		t.Errorf("the file was read %d times, want once", reads)
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("a: \x1b[0m\tx\r\n\u2028端\n"), 1, 3)
	f.Add([]byte("\ufeff"+strings.Repeat("宽", 300)), 1, 200)
	f.Fuzz(func(t *testing.T, data []byte, line, column int) {
		lines := excerpts{files: map[string][][]byte{}, read: func(string) ([]byte, error) { return data, nil }}
		got := lines.at(strictyaml.Pos{File: "p.yaml", Line: line, Column: column})
		if got == "" {
			return
		}
		rows := strings.Split(got, "\n")
		if len(rows) != 3 || !strings.HasSuffix(rows[2], "^") {
			t.Fatalf("an excerpt is a line and a caret, not %q", got)
		}
		for _, row := range rows[1:] {
			if width := cells([]rune(row)); width > maxExcerpt+20 && line < 100_000 {
				t.Errorf("a row of %d cells: %q", width, row)
			}
		}
	})
}
