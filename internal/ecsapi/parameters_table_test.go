package ecsapi

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// The tables in testdata/parameters say what the cloud takes, action by action; common.yaml explains their columns.
// They are written from the vendor's documents and not from this package, which is held against them.

// contract is all tables.
type contract struct {
	Common  []parameter `yaml:"parameters"`
	Headers []parameter `yaml:"headers"`
	actions map[string]*table
}

// table is what one action takes.
type table struct {
	Action      string       `yaml:"action"`
	Product     string       `yaml:"product"`
	Version     string       `yaml:"version"`
	Methods     []string     `yaml:"methods"`
	Schemes     []string     `yaml:"schemes"`
	Host        string       `yaml:"host"`
	Parameters  []parameter  `yaml:"parameters"`
	Constraints []constraint `yaml:"constraints"`
	Forms       []form       `yaml:"forms"` // a request has exactly one of them, if there are any
}

// form is one of several ways to say what an action works on: parameters of their own.
type form struct {
	Name        string       `yaml:"name"`
	Each        string       `yaml:"each"` // what the names of the parameters begin with, an index included
	N           []int64      `yaml:"n"`
	Distinct    bool         `yaml:"distinct"`
	Source      []string     `yaml:"source"`
	Parameters  []parameter  `yaml:"parameters"`
	Constraints []constraint `yaml:"constraints"` // within one index, if the form is a list
}

// parameter is a row. See common.yaml.
type parameter struct {
	Name     string   `yaml:"name"`
	Type     string   `yaml:"type"`
	Required bool     `yaml:"required"`
	Empty    bool     `yaml:"empty"`
	Fold     bool     `yaml:"fold"`
	Distinct bool     `yaml:"distinct"`
	Values   []string `yaml:"values"`
	Unlisted []string `yaml:"unlisted"`
	Pattern  string   `yaml:"pattern"`
	Format   string   `yaml:"format"`
	Range    []int64  `yaml:"range"`
	Length   []int64  `yaml:"length"`
	N        []int64  `yaml:"n"`
	Same     string   `yaml:"same"`
	Source   []string `yaml:"source"`
}

// constraint is what parameters have to do with one another. It has either a choice, or a condition and what follows.
type constraint struct {
	OneOf     []string `yaml:"one of"`
	AtMostOne []string `yaml:"at most one"`

	When      string   `yaml:"when"` // this one is given,
	Is        []string `yaml:"is"`   // as one of these, if there are any
	Needs     []string `yaml:"needs"`
	Without   []string `yaml:"without"`
	Parameter string   `yaml:"parameter"` // this one, if given, has one of the values or the format
	Values    []string `yaml:"values"`
	Format    string   `yaml:"format"`

	Source []string `yaml:"source"`
}

// tables is where the tables are.
const tables = "testdata/parameters"

func loadContract(t *testing.T) *contract {
	t.Helper()
	var c contract
	strictly(t, filepath.Join(tables, "common.yaml"), &c)
	c.actions = map[string]*table{}
	files, err := filepath.Glob(filepath.Join(tables, "[A-Z]*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var a table
		strictly(t, file, &a)
		if got := strings.TrimSuffix(filepath.Base(file), ".yaml"); got != a.Action {
			t.Fatalf("%s is about %s", file, a.Action)
		}
		c.actions[a.Action] = &a
	}
	return &c
}

// strictly reads a file that must hold nothing unknown, so that a column with a slip in its name does not pass for one
// that says nothing.
func strictly(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// rows gives all rows of an action, by name, with the names of lists in full.
func (a *table) rows() map[string]*parameter {
	rows := map[string]*parameter{}
	for i := range a.Parameters {
		rows[a.Parameters[i].Name] = &a.Parameters[i]
	}
	for f := range a.Forms {
		maps.Copy(rows, a.Forms[f].rows())
	}
	return rows
}

func (f *form) rows() map[string]*parameter {
	rows := map[string]*parameter{}
	for i := range f.Parameters {
		p := f.Parameters[i]
		if f.Each != "" {
			p.Name, p.N = f.Each+"."+p.Name, f.N
		}
		rows[p.Name] = &p
	}
	return rows
}

// sources are the tags that a row may have; common.yaml says what they stand for.
func sources() []string {
	return []string{
		"META", "TS", "SEED", "D21", "V1", "H-AUTH", "H-ATTR", "H-DSG", "H-RSG", "H-REV", "H-IDEM", "SAMPLE", "OURS",
	}
}

func TestTheTablesAreSound(t *testing.T) {
	c := loadContract(t)
	for _, problem := range faultsOfRows("common", c.Common) {
		t.Error(problem)
	}
	for _, problem := range faultsOfRows("headers", c.Headers) {
		t.Error(problem)
	}
	for action, a := range c.actions {
		if a.Product == "" || a.Version == "" || a.Host == "" || len(a.Methods) == 0 || len(a.Schemes) == 0 {
			t.Errorf("%s: product, version, host, methods or schemes are missing", action)
		}
		problems := append(faultsOfRows(action, a.Parameters), faultsOfConstraints(action, a.Constraints, a.Parameters)...)
		for i := range a.Forms {
			f := &a.Forms[i]
			name := action + ", form " + f.Name
			problems = append(problems, faultsOfSource(name, f.Source)...)
			problems = append(problems, faultsOfRows(name, f.Parameters)...)
			problems = append(problems, faultsOfConstraints(name, f.Constraints, f.Parameters)...)
			if (f.Each != "") != (len(f.N) == 2) {
				problems = append(problems, name+": a list, and only a list, says how many it may have")
			}
		}
		for _, problem := range problems {
			t.Error(problem)
		}
	}
}

func faultsOfRows(where string, rows []parameter) (faults []string) {
	seen := map[string]bool{}
	for i := range rows {
		p := &rows[i]
		fault := func(text string) { faults = append(faults, where+": "+p.Name+": "+text) }
		if p.Name == "" || seen[p.Name] {
			fault("no name, or twice")
		}
		seen[p.Name] = true
		if !slices.Contains([]string{"string", "integer", "long", "boolean", "json list"}, p.Type) {
			fault("type " + p.Type)
		}
		if _, known := formats()[p.Format]; p.Format != "" && !known {
			fault("format " + p.Format)
		}
		if (strings.Contains(p.Name, ".N") || p.Type == "json list") != (len(p.N) == 2) {
			fault("a list, and only a list, says how many it may have")
		}
		for _, bounds := range [][]int64{p.Range, p.Length, p.N} {
			if len(bounds) != 0 && (len(bounds) != 2 || bounds[0] > bounds[1]) {
				fault("bounds are two numbers")
			}
		}
		faults = append(faults, faultsOfSource(where+": "+p.Name, p.Source)...)
	}
	return faults
}

func faultsOfConstraints(where string, constraints []constraint, rows []parameter) (faults []string) {
	for i := range constraints {
		k := &constraints[i]
		named := slices.Concat(k.OneOf, k.AtMostOne, k.Needs, k.Without)
		for _, name := range append(named, k.When, k.Parameter) {
			if name != "" && !slices.ContainsFunc(rows, func(p parameter) bool { return p.Name == name }) {
				faults = append(faults, where+": a constraint on "+name+", which is no parameter")
			}
		}
		if len(named) == 0 && k.Parameter == "" {
			faults = append(faults, where+": a constraint that says nothing")
		}
		if _, known := formats()[k.Format]; k.Format != "" && !known {
			faults = append(faults, where+": format "+k.Format)
		}
		faults = append(faults, faultsOfSource(where+": constraint on "+strings.Join(named, ", ")+k.Parameter, k.Source)...)
	}
	return faults
}

func faultsOfSource(where string, given []string) (faults []string) {
	if len(given) == 0 {
		faults = append(faults, where+": no source")
	}
	for _, s := range given {
		if !slices.Contains(sources(), s) {
			faults = append(faults, where+": source "+s+" is not explained")
		}
	}
	return faults
}
