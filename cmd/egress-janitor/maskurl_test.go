package main

import "testing"

func TestURLsAreShownWithoutTheirSecrets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ line, want string }{
		{`s: {url: "https://h.example/p?t=1"} # "?`, `s: {url: "https://h.example/p?………"} # "?`},
		{`s: {url: 'https://h.example/p#t'}`, `s: {url: 'https://h.example/p#…'}`},
		{`s: {url: https://u:p@h.example/p, x: y}`, `s: {url: https://………@h.example/p, x: y}`},
		{`s: {url: https://h.example/p?t=1}`, `s: {url: https://h.example/p?…………`},
		{`https://a?b https://c@d@e/@f?g`, `https://a?… https://………@e/@f?…`},
		{`- no: url@all?x`, `- no: url@all?x`},
		{`://`, `://`},
		{``, ``},
	} {
		line := []rune(test.line)
		maskURLs(line)
		if got := string(line); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
