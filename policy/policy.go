// Package policy says which egress rules violate which policies, and why.
//
// [Load] reads policy files into a [Set]: strictly, so that no slip in a file can widen what it revokes, and with all
// mistakes at once. [Set.Evaluator] then judges groups and their rules. The package is pure: it reads files through
// an [fs.FS] that it is given, has no clock, and neither logs nor counts.
//
// Every clause of a policy is true, false or unknown about a rule (Kleene's three values); a policy matches only what
// is true. The language is described in docs/policies.md.
package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// Severity says how bad a violation is. It orders reports and changes no decision.
type Severity string

// Severities, from harmless to grave.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Action is what a policy asks for when it is violated.
type Action string

// Actions of a policy.
const (
	Report Action = "report"
	Revoke Action = "revoke"
)

// Policy is one policy after compilation.
type Policy struct {
	Pos            strictyaml.Pos // where it begins
	Name           string
	Description    string
	Severity       Severity
	Owner          string
	Action         Action
	KeepCollateral bool // `collateral: hold`, the default: a rule that permits more than the policy objects to is held
	AllowOpening   bool // drop rules may be revoked
	OnlyIfCloses   bool // `only-if: closes`: a rule whose removal closes nothing is left alone
	// Grace is for how long the policy must have been objecting to a rule before the rule may be revoked. Zero is at
	// once. A policy that says nothing has [DefaultGrace].
	Grace  time.Duration
	Limits Limits
	// Baseline is the moment before which a rule must have been there to be left alone. Zero: none is.
	Baseline time.Time

	// Hash identifies what the policy means: itself, all exceptions, and the contents of the sets they use.
	Hash string

	groups  scope
	written matcher   // match as it stands in the file
	match   matcher   // what is evaluated
	sources []*Source // of the sets that match uses
}

// DefaultGrace is the grace of a policy that says nothing of it.
const DefaultGrace = 72 * time.Hour

// Limits bound how many rules may be revoked because of one policy. They come on top of those of the config, and the
// smaller one holds. Zero is no limit of the policy's own: a file cannot spell a limit that allows nothing, since
// `action: report` says that better.
type Limits struct {
	PerSweep int // rules of one sweep, which is of one account
	PerGroup int // rules of one group in one sweep
}

// Exception takes rules out of policies until it expires.
type Exception struct {
	Pos     strictyaml.Pos // where it begins
	Name    string
	Reason  string
	Owner   string
	Ticket  string
	Expires time.Time // the first moment at which it exempts nothing

	policies []string // sorted; nil is all
	groups   scope
	written  matcher
	match    matcher
	sources  []*Source
}

// Expired tells whether the exception has ended.
func (e *Exception) Expired(now time.Time) bool { return !now.Before(e.Expires) }

// Covers tells whether the exception names the policy.
func (e *Exception) Covers(p *Policy) bool {
	return e.policies == nil || slices.Contains(e.policies, p.Name)
}

// Set is all policies and exceptions that were loaded together, each sorted by name. It is immutable and safe for
// concurrent use.
type Set struct {
	Policies   []*Policy
	Exceptions []*Exception
	// Warnings are what is legal and likely not meant.
	Warnings []strictyaml.Problem

	index   *index
	filter  *filter
	sources []*Source
	doubts  map[*Source]string // see [Set.Doubting]
}

// Hash identifies the whole set: it is made of the policies' hashes by name.
func (s *Set) Hash() string {
	var text []byte
	for _, p := range s.Policies {
		text = fmt.Appendf(text, "%s %s\n", p.Name, p.Hash)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// seal computes the policies' hashes.
func (s *Set) seal() {
	var exceptions strings.Builder
	for _, e := range s.Exceptions {
		fmt.Fprintf(&exceptions, "%q %q %d %q %s %s\n", e.Name, e.policies, e.Expires.Unix(),
			e.Reason, e.groups.canonical(), e.match.canonical()+maxAges(e.sources))
	}
	for _, p := range s.Policies {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %s %s %t %t %t %s %d %d %s %s %s\n%s", p.Name, p.Severity, p.Action,
			p.KeepCollateral, p.AllowOpening, p.OnlyIfCloses, p.Grace, p.Limits.PerSweep, p.Limits.PerGroup,
			p.Baseline.UTC().Format(time.RFC3339Nano), p.groups.canonical(),
			p.match.canonical()+maxAges(p.sources), exceptions.String()))
		p.Hash = hex.EncodeToString(sum[:])
	}
}

// compile builds what all policies share.
func (s *Set) compile(lists []*addressList) {
	words := (2*len(lists) + 63) / 64
	s.index = &index{table: newTable(lists, words), words: words}
	s.filter = newFilter(s.Policies, lists, words)
	for _, l := range lists {
		l.merged = [families][]span{}
	}
}
