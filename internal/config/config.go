// Package config reads the configuration of the daemon, the file that is given with -c.
//
// The file is read as strictly as a policy file (see internal/strictyaml): whatever is unknown, twice, empty or torn
// is an error at its line and column, and all errors are told at once. A key that belongs to the product but that
// this version does not act on is refused as "not supported yet", so that nobody relies on it. Only version, policies
// and accounts are required; what is left out has the safe value of [Default].
//
//	version: 1
//	mode: audit                  # look, report, change nothing; or manual, or enforce
//	schedule: "CRON_TZ=Asia/Shanghai 0 */2 * * *"
//	policies: [policies/]        # files or directories, relative to this file
//	accounts:
//	  - name: prod
//	    id: "1234567890123456"
//	    regions: ["*"]           # or names
//	    endpoint: https://ecs.example.com:8443
//	    ca-file: ca.pem          # relative to this file
//	    quotas: {DescribeSecurityGroupAttribute: 10}
//	    revoke-without-rule-id: false
//	store: sqlite:egress-janitor.db   # relative to this file
//	limits: {per-group: 10, per-sweep: 20, percent: 10, per-window: 50}
//	protected: {groups: [sg-bp1example], tags: {tier: core}, names: [bastion-*]}
//	pause-file: pause            # while it is there nothing is revoked; relative to this file
//	http: {metrics: "127.0.0.1:9464"}
//	reach: {scope: group}        # what effects speak of; or interface, which lists the network interfaces
//	hygiene: report              # also report rules that are shadowed, redundant and the like; or off
//
// Secrets have no place in the file: credentials come from the environment.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// Mode is what the daemon may do about findings.
type Mode string

// The modes.
const (
	ModeAudit   Mode = "audit"   // never changes anything
	ModeManual  Mode = "manual"  // changes only what a person starts
	ModeEnforce Mode = "enforce" // changes by schedule, too
)

// Codes of the problems that this package reports, besides those of internal/strictyaml.
const (
	CodeVersion   = "version"
	CodeValue     = "invalid-value"
	CodeDuplicate = "duplicate"
	CodeSchedule  = "schedule"
	CodeEndpoint  = "endpoint"
)

// Config is the configuration of the daemon.
type Config struct {
	Mode      Mode
	Schedule  string   // for robfig/cron's ParseStandard; in UTC if it names no zone; empty: no sweeps by schedule
	Policies  []string // files or directories as written; see [Config.Path]
	Accounts  []Account
	Protected Protected
	Limits    Limits
	Store     string // as written, such as sqlite:egress-janitor.db; see [Config.StorePath]
	PauseFile string // as written, see [Config.Path]; while it exists nothing is revoked; empty: there is none
	HTTP      HTTP
	Reach     Reach
	Hygiene   bool   // report what is odd about the rules of groups
	Dir       string // of the configuration file: what relative paths in it start from
}

// Reach says what effects are to speak of.
type Reach struct {
	Scope string // [ScopeGroup] or [ScopeInterface]
}

// What effects can speak of: a group alone, or the interfaces that merge the rules of all their groups.
const (
	ScopeGroup     = "group"
	ScopeInterface = "interface"
)

// Account is an account to look after.
type Account struct {
	Name     string
	ID       string
	Regions  []string           // names, or "*" alone: all that the account can use
	Endpoint string             // scheme, host and port for ECS and STS; empty: the cloud's own
	CAFile   string             // PEM file as written, see [Config.Path]; empty: the system's certificates
	Quotas   map[string]float64 // calls per second by action; absent actions have the adapter's default
	// RevokeWithoutRuleID lets rules be revoked that have no ID, by all of their fields.
	RevokeWithoutRuleID bool
}

// Limits bound how much may be removed. Zero allows nothing.
type Limits struct {
	PerGroup  int // rules of one group in one sweep
	PerSweep  int // rules of one sweep, which is of one account
	Percent   int // of the rules read in the account, 0 to 100; only for accounts of 100 rules or more
	PerWindow int // rules of all accounts within 24 hours
}

// HTTP are the addresses that the daemon listens on.
type HTTP struct {
	// Metrics is host:port for metrics, health and reload. Without a host it is every interface; with port 0 the
	// system chooses one.
	Metrics string
}

// Protected are patterns of groups that are never touched. One that fits is enough.
type Protected struct {
	Groups []sg.Glob          // of IDs
	Tags   map[string]sg.Glob // of values by tag key; keys are taken literally and by case
	Names  []sg.Glob          // of names
}

// Hash identifies what is protected.
func (p *Protected) Hash() string {
	text := fmt.Appendf(nil, "%q %q", slices.Sorted(slices.Values(p.Groups)), slices.Sorted(slices.Values(p.Names)))
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		text = fmt.Appendf(text, " %q: %q", key, p.Tags[key])
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Default is a configuration of which nothing was written down. It is not a valid one: policies and accounts have no
// default.
func Default() Config {
	return Config{
		Mode:   ModeAudit,
		Limits: Limits{PerGroup: 10, PerSweep: 20, Percent: 10, PerWindow: 50},
		Store:  sqliteScheme + "egress-janitor.db",
		HTTP:   HTTP{Metrics: "127.0.0.1:9464"},
		Reach:  Reach{Scope: ScopeGroup},
	}
}

func defaultAccount() Account {
	return Account{Regions: []string{allRegions}}
}

// Path gives a path of the configuration as one that can be opened: relative ones start where the file is.
func (c *Config) Path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Dir, name)
}

// StorePath is the path of the store's file, as one that can be opened.
func (c *Config) StorePath() string { return c.Path(strings.TrimPrefix(c.Store, sqliteScheme)) }

// Load reads the configuration file. Its mistakes are an *[strictyaml.Error]; files that it names are not looked at.
func Load(path string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	return Parse(path, data)
}

// read takes no more than it needs to know that a file is too large.
func read(path string) (data []byte, err error) {
	file, err := os.Open(path) //nolint:gosec // the path is the user's own, by flag
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, strictyaml.MaxBytes+1))
}

// Parse reads a configuration from memory. file is its name in messages, and relative paths start from its directory.
func Parse(file string, data []byte) (*Config, error) {
	var problems strictyaml.Problems
	config := Default()
	config.Dir = filepath.Dir(file)
	if root, ok := strictyaml.Parse(&problems, file, data); ok {
		config.decode(root)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &config, nil
}
