package snapshot

import (
	"errors"
	"net/netip"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// SchemaVersion is the version of the form. It changes when a program that knows an older one would misread it.
const SchemaVersion = 1

// kind is how a snapshot says what it is.
const kind = "egress-janitor snapshot"

// maxLine bounds a line: a group with 100,000 rules, and the lists of the cloud many times over.
const maxLine = 64 << 20

// ErrNotWhole is given for what was cut, or is not what its trailer says.
var ErrNotWhole = errors.New("the snapshot is not whole, or was changed")

// Account is the account that a snapshot is of.
type Account struct {
	Name string `json:"name"` // in the config; policies go by it
	ID   string `json:"id"`
}

// Header says what a snapshot is of.
type Header struct {
	SchemaVersion int       `json:"schemaVersion"`
	Kind          string    `json:"kind"`
	Account       Account   `json:"account"`
	Started       time.Time `json:"started"`           // when the scan began, in UTC
	Program       string    `json:"program,omitempty"` // the version that read the account
}

// Scan says how far the scan came.
type Scan struct {
	Finished time.Time `json:"finished"`
	Complete bool      `json:"complete"` // everything in scope was read whole
	Regions  []Region  `json:"regions"`
	Problems []Problem `json:"problems"` // what was not read whole
}

// Region is what was read of one region.
type Region struct {
	ID       string `json:"id"`
	Complete bool   `json:"complete"`
	Groups   int    `json:"groups"`
	Rules    int    `json:"rules"`
	Gone     int    `json:"gone,omitempty"`
	Error    string `json:"error,omitempty"` // why there can be groups that were not read
}

// Problem is something that was not read whole. Fields that do not apply are empty.
type Problem struct {
	Region string `json:"region,omitempty"`
	Group  string `json:"group,omitempty"`
	List   string `json:"list,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Error  string `json:"error"`
}

// Interfaces are the combinations of groups that a region's network interfaces have. A region without this line is one of
// which nobody asked.
type Interfaces struct {
	Region       string        `json:"region"`
	Combinations []Combination `json:"combinations"`
}

// Combination is what interfaces have in common that are in exactly the same groups.
type Combination struct {
	Groups     []string `json:"groups"` // IDs, sorted
	Interfaces int      `json:"interfaces"`
	Instances  int      `json:"instances"`
}

// Visit is one group with its rules.
type Visit struct {
	Group      sg.Group
	Rules      []sg.Rule
	Incomplete string // why it was not read whole; empty if it was
}

// line is one line: exactly one of its fields is set.
type line struct {
	Header     *Header     `json:"header,omitempty"`
	PrefixList *prefixList `json:"prefixList,omitempty"`
	PortList   *portList   `json:"portList,omitempty"`
	Interfaces *Interfaces `json:"interfaces,omitempty"`
	Group      *groupLine  `json:"group,omitempty"`
	Trailer    *trailer    `json:"trailer,omitempty"`
}

// fields is how many of them are set.
func (l *line) fields() int {
	n := 0
	for _, set := range []bool{
		l.Header != nil, l.PrefixList != nil, l.PortList != nil, l.Interfaces != nil, l.Group != nil, l.Trailer != nil,
	} {
		if set {
			n++
		}
	}
	return n
}

type prefixList struct {
	Region  string         `json:"region"`
	ID      string         `json:"id"`
	Name    string         `json:"name,omitempty"`
	Entries []netip.Prefix `json:"entries"`
}

type portList struct {
	Region string   `json:"region"`
	ID     string   `json:"id"`
	Name   string   `json:"name,omitempty"`
	Ranges []string `json:"ranges"`
}

type groupLine struct {
	Region     string `json:"region"`
	Group      Group  `json:"group"`
	Incomplete string `json:"incomplete,omitempty"`
	Rules      []Rule `json:"rules"`
}

type trailer struct {
	Scan

	Groups int    `json:"groups"`
	Rules  int    `json:"rules"`
	SHA256 string `json:"sha256"` // of all lines before, in hex
}

// listKey names a list of a region.
type listKey struct{ region, id string }
