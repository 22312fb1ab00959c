package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// excerpts shows lines of files below messages about them. Each file is read once.
type excerpts struct {
	read  func(name string) ([]byte, error)
	files map[string][][]byte // by name; nil for one that cannot be read
}

// maxExcerpt is how wide the part of a line is that an excerpt shows.
const maxExcerpt = 96

// at is what follows a message about a place: the line with its number, and below it a caret at the column. It is empty
// where there is no such line: of a directory, of a file that cannot be read, and of one that has changed since.
func (e *excerpts) at(pos strictyaml.Pos) string {
	lines, known := e.files[pos.File]
	if !known {
		if data, err := e.read(pos.File); err == nil {
			lines = splitLines(data, strings.HasSuffix(pos.File, ".yaml"))
		}
		e.files[pos.File] = lines
	}
	if pos.Line < 1 || pos.Line > len(lines) {
		return ""
	}
	number := fmt.Sprintf("%5d", pos.Line)
	text, caret := shown(lines[pos.Line-1], pos.Column)
	return fmt.Sprintf("\n%s | %s\n%s | %s^", number, text, strings.Repeat(" ", len(number)), strings.Repeat(" ", caret))
}

// splitLines splits a file as those count lines who give places in it. YAML has more line breaks than others.
func splitLines(data []byte, yaml bool) [][]byte {
	if !yaml {
		return bytes.Split(data, []byte("\n"))
	}
	var lines [][]byte
	start := 0
	for i := 0; i < len(data); {
		size := breakAt(data[i:])
		if size == 0 {
			_, width := utf8.DecodeRune(data[i:])
			i += width
			continue
		}
		lines = append(lines, data[start:i])
		i += size
		start = i
	}
	return append(lines, data[start:])
}

// breakAt gives the length of the line break of YAML that data begins with, and 0 if it begins with none.
func breakAt(data []byte) int {
	for _, sign := range []string{"\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if bytes.HasPrefix(data, []byte(sign)) {
			return len(sign)
		}
	}
	return 0
}

// shown is the part of a line around a column, harmless on a terminal, and how many cells there are before that column.
// Columns count runes from 1; a rune can take no cell, one or two.
func shown(line []byte, column int) (text string, caret int) {
	runes := []rune(strings.TrimPrefix(string(line), "\ufeff"))
	for i, r := range runes {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) { // a tab is a control character too
			runes[i] = ' '
		}
	}
	maskURLs(runes)
	column = min(max(column-1, 0), len(runes))
	from, to := around(runes, column)
	before, after := "", ""
	if from > 0 {
		before = "…"
	}
	if to < len(runes) {
		after = "…"
	}
	text = strings.TrimRightFunc(before+string(runes[from:to])+after, unicode.IsSpace)
	return text, len([]rune(before)) + cells(runes[from:column])
}

// around chooses which runes of a line are shown: from the beginning if the column is near it, and otherwise with the
// column in the middle.
func around(runes []rune, column int) (from, to int) {
	if cells(runes[:column]) > maxExcerpt*3/4 {
		from = column
		for width := 0; from > 0 && width < maxExcerpt/2; from-- {
			width += cells(runes[from-1 : from])
		}
	}
	to = from
	for width := 0; to < len(runes) && width < maxExcerpt; to++ {
		width += cells(runes[to : to+1])
	}
	return from, to
}

// cells is how much room runes take on a terminal.
func cells(runes []rune) int {
	width := 0
	for _, r := range runes {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case wide(r):
			width += 2
		default:
			width++
		}
	}
	return width
}

// wide tells whether a rune takes two cells: the blocks of East Asian scripts, full-width forms and pictographs.
// Source: Unicode Standard Annex 11, classes W and F, by block.
func wide(r rune) bool {
	for _, block := range [...][2]rune{
		{0x1100, 0x115f},
		{0x2e80, 0x303e},
		{0x3041, 0x4dbf},
		{0x4e00, 0xa4cf},
		{0xa960, 0xa97f},
		{0xac00, 0xd7a3},
		{0xf900, 0xfaff},
		{0xfe30, 0xfe6f},
		{0xff00, 0xff60},
		{0xffe0, 0xffe6},
		{0x1f300, 0x1f64f},
		{0x1f900, 0x1f9ff},
		{0x20000, 0x3fffd},
	} {
		if block[0] <= r && r <= block[1] {
			return true
		}
	}
	return false
}
