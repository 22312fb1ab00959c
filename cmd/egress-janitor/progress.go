package main

import (
	"fmt"
	"io"

	"github.com/egress-janitor/egress-janitor/scanner"
)

// progress shows how far a scan is, on one line of a terminal. Without a terminal it is silent.
type progress struct {
	w       io.Writer
	account string
	shown   bool
}

func newProgress(w io.Writer, account string) *progress {
	if !isTerminal(w) {
		return &progress{}
	}
	return &progress{w: w, account: account}
}

func (p *progress) show(at scanner.Progress) {
	if p.w == nil {
		return
	}
	p.shown = true
	// A line that cannot be written is of no consequence to the audit.
	_, _ = fmt.Fprintf(p.w, "\r\x1b[Kreading %s: %d of %d regions, %s, %s", p.account, at.RegionsDone,
		at.Regions, count(at.Groups, "group", "groups"), count(at.Rules, "rule", "rules"))
}

// clear takes the line away, so that the report begins on a clean one.
func (p *progress) clear() {
	if p.shown {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
}
