// Package policytest runs tests of policies: files that give groups, rules and a clock, and say what is to be decided.
//
//	version: 1
//	policies: [open-world.yaml]             # files or directories, relative to this file
//	now: 2026-11-23T12:00:00+08:00
//	tests:
//	  - name: all of IPv4 is revoked
//	    group: {name: web}
//	    rule: {to: 0.0.0.0/0, ports: 443}
//	    expect: revoke
//
// [Load] reads such files, strictly and with all mistakes at once, and the policies that they name. [Suite.Run] decides
// about the one rule of each test as the product does, but that there is neither store nor limit: grace counts as over,
// and nothing is held for what other rules do. Every test stands alone.
//
// The package is pure: it reads files through an [fs.FS] that it is given, and has no clock.
package policytest

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// Suite is the tests of one or more files, with the policies that they are about.
type Suite struct{ files []*file }

// file is one file of tests.
type file struct {
	name    string
	account string
	now     time.Time
	set     *policy.Set
	tests   []*test
}

// test is one rule of one group, and what is to be decided about it.
type test struct {
	name  string
	pos   strictyaml.Pos
	now   time.Time
	group sg.Group
	rule  sg.Rule
	want  expectation
}

// expectation is what a test says beside its decision only if it wants to.
type expectation struct {
	decision string
	policies map[string]string // verdicts by policy; nil: they are not compared
	because  []string          // parts of reasons
}

// Report is what running a suite came to.
type Report struct {
	Results []Result // in the order of the files
	// Untouched are the policies that objected in no test, and the exceptions that exempted in none. It is nil if only
	// some of the tests were run.
	Untouched []Item
	// Unspared are the policies that objected in every test, so that nobody has seen them leave a rule alone.
	Unspared []Item
}

// Result is one test that was run.
type Result struct {
	Name string
	Pos  strictyaml.Pos
	Want Outcome
	Got  Outcome
	// Mismatches are in which ways Got is not what was wanted, for people. None: the test has passed.
	Mismatches []string
	// Silent is, for a test that failed, why what it wanted did not come.
	Silent []Silence
}

// Passed tells whether everything came out as the test says.
func (r *Result) Passed() bool { return len(r.Mismatches) == 0 }

// Outcome is a decision and the verdicts that it is made of.
type Outcome struct {
	Decision string    // as reports spell it, or [None]
	Detail   string    // what the decision saw that no policy did; mostly empty
	Policies []Verdict // by name; wanted ones only if the test says so
	Because  []string  // parts of reasons that are wanted
}

// Verdict is what one policy says of the rule.
type Verdict struct {
	Policy  string
	Verdict string   // as reports spell it
	Because []string // the clauses that are true, and what the verdict saw beside them
}

// None is the decision about a rule to which no policy objects.
const None = "none"

// Item is a policy or an exception.
type Item struct {
	Kind string // policy or exception
	Name string
	Pos  strictyaml.Pos
}

// Kinds of items.
const (
	kindPolicy    = "policy"
	kindException = "exception"
)

// Failed counts the results that are not what the tests say.
func (r *Report) Failed() int {
	failed := 0
	for i := range r.Results {
		if !r.Results[i].Passed() {
			failed++
		}
	}
	return failed
}
