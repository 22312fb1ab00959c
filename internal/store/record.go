package store

import (
	"encoding/json"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// SweepRecord is a sweep as it was recorded. The counts are zero until it finished.
type SweepRecord struct {
	ID          string
	Account     string // by the name of the config
	AccountID   string
	Regions     []string // as the config has them
	Origin      revoker.Origin
	Actor       string
	Mode        string
	Acting      bool
	PolicyHash  string
	GuardsHash  string
	Started     time.Time
	Finished    time.Time // zero if it did not finish
	Complete    bool      // everything in scope was read whole
	Interrupted bool      // it never finished, and whoever ran it is gone
	Groups      int       // visited
	Rules       int       // of these
	Findings    int
	Revocations int
	Problems    []string // the first [MaxProblems] of what was not read whole
}

// MaxProblems bounds how many problems of a sweep are recorded.
const MaxProblems = 100

// SweepFilter selects sweeps. Empty fields select everything.
type SweepFilter struct {
	Account string
	ID      string
	Limit   int // 0: no limit
}

// RevocationRecord is a revocation with everything that was done about it.
type RevocationRecord struct {
	revoker.Revocation

	GroupName string            // at the time of the sweep
	Calls     []revoker.Call    // that carried it, oldest first
	Restores  []revoker.Restore // that undo it, oldest first
}

// OutcomeOpen selects, in a [RevocationFilter], the revocations that have no outcome yet.
const OutcomeOpen = "open"

// RevocationFilter selects revocations. Empty fields select everything.
type RevocationFilter struct {
	ID      string
	Sweep   string
	Account string
	Region  string
	Group   string // its ID
	Rule    string // its ID
	Policy  string
	Outcome string    // one of [revoker.Outcomes], or [OutcomeOpen]
	Since   time.Time // created then or later
	Until   time.Time // created before
	Limit   int       // 0: no limit
}

// FindingRecord is a rule that violated policies in a sweep, and what was decided about it.
type FindingRecord struct {
	Region    string
	Group     string
	GroupName string
	Rule      sg.Rule
	Action    string
	Reason    string
	Detail    string
	Policies  []FindingPolicy // by name
}

// FindingPolicy is what one policy said about a rule.
type FindingPolicy struct {
	Name     string   `json:"name"`
	Severity string   `json:"severity"`
	Verdict  string   `json:"verdict"`
	Because  []string `json:"because,omitempty"`
}

// Entry is one entry of the audit log.
type Entry struct {
	Seq     int64 // from 1, without gaps
	Time    time.Time
	Kind    string // one of the Kind constants
	Actor   string // empty for what the program did on its own about what was decided before
	Account string // empty for what concerns all
	Data    json.RawMessage
	// Previous is the hash of the entry before, empty in the first one.
	Previous string
	// Hash is the SHA-256, in hexadecimal digits, of Previous followed by the canonical JSON of the entry:
	//
	//	{"seq":1,"time":1795453200000000,"kind":"paused","actor":"ann","account":"","data":{"reason":"…"}}
	//
	// in this order without spaces, the time in microseconds since 1970, strings as Go's encoding/json writes them, and
	// data byte for byte as it was stored.
	Hash string
}

// Verification is what came of recomputing the audit log.
type Verification struct {
	Entries   int64  // that were read
	Head      string // hash of the last good one
	Broken    string // what is wrong first, with the log or with a record that it vouches for; empty: nothing is
	BrokenSeq int64
}
