package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/snapshot"
)

// heading is a kind as it is shown to people.
func (k replayKind) heading() string { return strings.ToUpper(strings.ReplaceAll(string(k), "-", " ")) }

// totals add up the policies of all snapshots.
func (r *replay) totals() map[string]policyCount {
	all := map[string]policyCount{}
	for _, p := range r.policies.Policies {
		all[p.Name] = policyCount{}
	}
	for i := range r.snapshots {
		for name, n := range r.snapshots[i].policies {
			sum := all[name]
			sum.before += n.before
			sum.after += n.after
			sum.lost += n.lost
			sum.newly += n.newly
			sum.noLonger += n.noLonger
			all[name] = sum
		}
	}
	return all
}

// summary says in a line what a snapshot came to.
func (r *replay) summary(s *replayedSnapshot) string {
	text := fmt.Sprintf("%s, %s, %s", count(s.groups, "group", "groups"), count(s.rules, "rule", "rules"),
		count(s.findings, "finding", "findings"))
	if r.against != nil {
		text += ", " + count(len(s.entries), "difference", "differences")
	}
	if !s.complete {
		text += "; NOT COMPLETE: " + s.problem
	}
	return report.Clean(text)
}

// introduction says what was compared with what.
func (r *replay) introduction() string {
	text := "Policies " + shortHash(r.policies.Hash())
	if r.against != nil {
		text += fmt.Sprintf(", compared with %s, %s", r.origin, shortHash(r.against.Hash()))
	}
	return text
}

func shortHash(hash string) string { return hash[:min(12, len(hash))] }

// table writes the replay for people.
func (r *replay) table(w io.Writer) error {
	out := bufio.NewWriter(w)
	printf := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) } // the error is kept for Flush
	printf("%s\n", r.introduction())
	for i := range r.snapshots {
		s := &r.snapshots[i]
		printf("\n%s: account %s, at %s\n  %s\n", report.Clean(s.file), report.Clean(s.account), s.now.UTC().Format(time.RFC3339),
			r.summary(s))
		for j := range s.entries {
			e := &s.entries[j]
			printf("  %-16s  %s\n", e.kind.heading(), report.Clean(e.sentence()))
		}
	}
	printf("\n")
	columns := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	if r.against == nil {
		_, _ = fmt.Fprintln(columns, "POLICY\tFINDINGS")
	} else {
		_, _ = fmt.Fprintln(columns, "POLICY\tBEFORE\tAFTER\tEXEMPTIONS LOST\tNEWLY CAUGHT\tNO LONGER CAUGHT")
	}
	totals := r.totals()
	for _, name := range slices.Sorted(maps.Keys(totals)) {
		n := totals[name]
		if r.against == nil {
			_, _ = fmt.Fprintf(columns, "%s\t%d\n", name, n.after)
			continue
		}
		_, _ = fmt.Fprintf(columns, "%s\t%d\t%d\t%d\t%d\t%d\n", name, n.before, n.after, n.lost, n.newly, n.noLonger)
	}
	if err := columns.Flush(); err != nil {
		return fmt.Errorf("writing the replay: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the replay: %w", err)
	}
	return nil
}

// markdown writes the replay for a comment on a change.
func (r *replay) markdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	printf := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format, args...) }
	printf("# Replay\n\n%s\n", r.introduction())
	for i := range r.snapshots {
		s := &r.snapshots[i]
		printf("\n## %s\n\nAccount %s, at %s: %s\n", span(s.file), span(s.account), s.now.UTC().Format(time.RFC3339),
			span(r.summary(s)))
		var last replayKind
		for j := range s.entries {
			e := &s.entries[j]
			if e.kind != last {
				printf("\n**%s**\n\n", e.kind.heading())
				last = e.kind
			}
			printf("- %s\n", span(e.sentence()))
		}
	}
	if r.against == nil {
		printf("\n| Policy | Findings |\n| --- | --- |\n")
	} else {
		printf("\n| Policy | Before | After | Exemptions lost | Newly caught | No longer caught |\n" +
			"| --- | --- | --- | --- | --- | --- |\n")
	}
	totals := r.totals()
	for _, name := range slices.Sorted(maps.Keys(totals)) {
		n := totals[name]
		if r.against == nil {
			printf("| %s | %d |\n", name, n.after)
			continue
		}
		printf("| %s | %d | %d | %d | %d | %d |\n", name, n.before, n.after, n.lost, n.newly, n.noLonger)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the replay: %w", err)
	}
	return nil
}

// span makes a code span of a text of strangers, in which nothing is a link, a mention or HTML.
func span(text string) string {
	return "`" + strings.NewReplacer("`", `\u0060`, "<", `\u003c`, ">", `\u003e`).Replace(report.Clean(text)) + "`"
}

// The types below are the JSON form. Absent means not applicable; null is not used.

type jsonReplay struct {
	SchemaVersion int                  `json:"schemaVersion"`
	PolicyHash    string               `json:"policyHash"`
	AgainstHash   string               `json:"againstHash,omitempty"`
	Complete      bool                 `json:"complete"`
	Policies      []jsonReplayPolicy   `json:"policies"`
	Snapshots     []jsonReplaySnapshot `json:"snapshots"`
}

type jsonReplayPolicy struct {
	Name           string `json:"name"`
	Findings       int    `json:"findings"`
	Before         *int   `json:"before,omitempty"`
	ExemptionsLost *int   `json:"exemptionsLost,omitempty"`
	NewlyCaught    *int   `json:"newlyCaught,omitempty"`
	NoLongerCaught *int   `json:"noLongerCaught,omitempty"`
}

type jsonReplaySnapshot struct {
	File     string            `json:"file"`
	Account  string            `json:"account"`
	Started  time.Time         `json:"started"`
	Now      time.Time         `json:"now"`
	Complete bool              `json:"complete"`
	Problem  string            `json:"problem,omitempty"`
	Groups   int               `json:"groups"`
	Rules    int               `json:"rules"`
	Findings int               `json:"findings"`
	Entries  []jsonReplayEntry `json:"entries"`
}

type jsonReplayEntry struct {
	Kind   string             `json:"kind"`
	Region string             `json:"region"`
	Group  snapshot.Group     `json:"group"`
	Rule   snapshot.Rule      `json:"rule"`
	Before *jsonReplayVerdict `json:"before,omitempty"`
	After  *jsonReplayVerdict `json:"after,omitempty"`
}

type jsonReplayVerdict struct {
	Action   string            `json:"action"`
	Reason   string            `json:"reason,omitempty"`
	Policies map[string]string `json:"policies"` // verdicts by name
}

func newJSONReplayVerdict(f *decision.Finding) *jsonReplayVerdict {
	if f == nil {
		return nil
	}
	return &jsonReplayVerdict{Action: string(f.Decision.Action), Reason: f.Decision.Reason, Policies: verdicts(f)}
}

func (r *replay) json(w io.Writer) error {
	doc := jsonReplay{
		SchemaVersion: 1, PolicyHash: r.policies.Hash(), Complete: true,
		Policies: []jsonReplayPolicy{}, Snapshots: []jsonReplaySnapshot{},
	}
	if r.against != nil {
		doc.AgainstHash = r.against.Hash()
	}
	totals := r.totals()
	for _, name := range slices.Sorted(maps.Keys(totals)) {
		n := totals[name]
		p := jsonReplayPolicy{Name: name, Findings: n.after}
		if r.against != nil {
			p.Before, p.ExemptionsLost, p.NewlyCaught, p.NoLongerCaught = &n.before, &n.lost, &n.newly, &n.noLonger
		}
		doc.Policies = append(doc.Policies, p)
	}
	for i := range r.snapshots {
		doc.Complete = doc.Complete && r.snapshots[i].complete
		doc.Snapshots = append(doc.Snapshots, r.snapshots[i].form())
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(&doc); err != nil {
		return fmt.Errorf("writing the replay: %w", err)
	}
	return nil
}

func (s *replayedSnapshot) form() jsonReplaySnapshot {
	form := jsonReplaySnapshot{
		File: s.file, Account: s.account, Started: s.started.UTC(), Now: s.now.UTC(), Complete: s.complete, Problem: s.problem,
		Groups: s.groups, Rules: s.rules, Findings: s.findings, Entries: make([]jsonReplayEntry, len(s.entries)),
	}
	for i := range s.entries {
		e := &s.entries[i]
		f := e.finding()
		form.Entries[i] = jsonReplayEntry{
			Kind: string(e.kind), Region: f.Group.Region, Group: snapshot.NewGroup(f.Group), Rule: snapshot.NewRule(&f.Rule),
			Before: newJSONReplayVerdict(e.before), After: newJSONReplayVerdict(e.after),
		}
	}
	return form
}
