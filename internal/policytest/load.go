package policytest

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// Codes of the mistakes that this package finds beside those of strictyaml and policy.
const (
	CodeFile      = "file"
	CodeVersion   = "version"
	CodeNoTest    = "no-test"
	CodeDuplicate = "duplicate-name"
	CodeTime      = "time"
	CodeAddress   = "address"
	CodePort      = "port"
	CodeRule      = "rule"
	CodeGroup     = "group"
	CodeSet       = "set"
	CodeDecision  = "decision"
	CodePolicy    = "unknown-policy"
)

// suffix is how the names of test files end.
const suffix = "_test.yaml"

// Load reads files of tests and, of directories and those in them, every *_test.yaml. Names are handed to fsys as they
// are. If anything is wrong with the tests or with a policy file that they name, the error is a [*strictyaml.Error]
// with every mistake of every file, and there is no suite.
func Load(fsys fs.FS, paths []string) (*Suite, error) {
	l := &loader{fsys: fsys}
	suite := &Suite{}
	files := l.files(paths)
	for _, name := range files {
		if f := l.file(name); f != nil {
			suite.files = append(suite.files, f)
		}
	}
	if len(files) == 0 && l.problems.Len() == 0 {
		l.problems.Add(start(strings.Join(paths, ", ")), CodeNoTest, "there is no policy test (*%s)", suffix)
	}
	if err := l.problems.Err(); err != nil {
		return nil, err
	}
	return suite, nil
}

type loader struct {
	fsys     fs.FS
	problems strictyaml.Problems
}

func start(file string) strictyaml.Pos { return strictyaml.Pos{File: file, Line: 1, Column: 1} }

// files finds the files to read, each once, in a fixed order.
func (l *loader) files(paths []string) []string {
	var files []string
	for _, name := range paths {
		info, err := fs.Stat(l.fsys, name)
		switch {
		case err != nil:
			l.problems.Add(start(name), CodeFile, "cannot be read: %s", reason(err))
		case info.IsDir():
			files = append(files, l.directory(name)...)
		case !strings.HasSuffix(name, suffix):
			l.problems.Add(start(name), CodeFile, "is not named like a policy test: their names end in %s", suffix)
		default:
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

func (l *loader) directory(root string) []string {
	var files []string
	// What walk itself gives is always nil, since every error is noted.
	_ = fs.WalkDir(l.fsys, root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.problems.Add(start(name), CodeFile, "cannot be read: %s", reason(err))
		case strings.HasPrefix(entry.Name(), ".") && name != root:
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir():
		case strings.HasSuffix(name, suffix):
			files = append(files, name)
		case strings.HasSuffix(name, "_test.yml"):
			l.problems.Add(start(name), CodeFile, "only *%s is read of a directory; rename it, or move it away", suffix)
		}
		return nil
	})
	return files
}

// reason is an error without the name of the file, which the place already gives.
func reason(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// fileReader is one file while it is read.
type fileReader struct {
	*loader
	*file

	prefixLists map[string]*sg.PrefixList
	portLists   map[string]*sg.PortList
	groups      map[string]sg.Group
	names       map[string]strictyaml.Pos // of the tests so far
}

func (l *loader) file(name string) *file {
	data, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		l.problems.Add(start(name), CodeFile, "cannot be read: %s", reason(err))
		return nil
	}
	if l.unquoted(name, data) {
		return nil
	}
	root, ok := strictyaml.Parse(&l.problems, name, data)
	if !ok {
		return nil
	}
	m, ok := root.Map(strictyaml.Keys{
		Required: []string{"version", "policies", "now", "tests"},
		Optional: []string{"account", "sets", "prefix-lists", "port-lists", "groups"},
	})
	if !ok {
		return nil
	}
	if v, ok := m.Get("version"); ok {
		if text, ok := v.Text(); ok && text != "1" {
			v.Problem(CodeVersion, "version %s is not known; this program reads version 1", text)
		}
	}
	r := &fileReader{
		loader: l, file: &file{name: name, account: "test"},
		prefixLists: map[string]*sg.PrefixList{}, portLists: map[string]*sg.PortList{},
		groups: map[string]sg.Group{}, names: map[string]strictyaml.Pos{},
	}
	r.surroundings(m)
	if v, ok := m.Get("tests"); ok {
		list, _ := v.List()
		for _, element := range list {
			r.test(element)
		}
	}
	return r.file
}

// surroundings reads what all tests of a file share.
func (r *fileReader) surroundings(m strictyaml.Map) {
	if v, ok := m.Get("now"); ok {
		r.now = moment(v)
	}
	if v, ok := m.Get("account"); ok {
		r.account, _ = v.String()
	}
	contents := map[string]setContents{}
	eachOf(m, "sets", func(name, v strictyaml.Value, key string) { contents[key] = readContents(name, v) })
	eachOf(m, "prefix-lists", func(_, v strictyaml.Value, key string) { r.prefixLists[key] = prefixList(key, v) })
	eachOf(m, "port-lists", func(_, v strictyaml.Value, key string) { r.portLists[key] = portList(key, v) })
	eachOf(m, "groups", func(_, v strictyaml.Value, key string) { r.groups[key] = readGroup(v) })
	if v, ok := m.Get("policies"); ok {
		r.set = r.loadPolicies(v, contents)
	}
}

// eachOf goes through a mapping with keys of the user's own.
func eachOf(m strictyaml.Map, key string, read func(name, v strictyaml.Value, key string)) {
	v, ok := m.Get(key)
	if !ok {
		return
	}
	own, ok := v.Map(strictyaml.Keys{})
	if !ok {
		return
	}
	for key, v := range own.All() {
		read(own.Key(key), v, key)
	}
}

// loadPolicies loads the policies of a file. Nil means mistakes, which were noted.
func (r *fileReader) loadPolicies(v strictyaml.Value, contents map[string]setContents) *policy.Set {
	names, ok := v.Strings()
	if !ok {
		return nil
	}
	for i, element := range v.Children() {
		if !path.IsAbs(names[i]) {
			names[i] = path.Join(path.Dir(r.name), names[i])
		}
		if _, err := fs.Stat(r.fsys, names[i]); err != nil {
			element.Problem(CodeFile, "%s cannot be read: %s", names[i], reason(err))
			ok = false
		}
	}
	if !ok {
		return nil
	}
	set, err := r.loadSet(names, contents)
	if mistakes, is := errors.AsType[*strictyaml.Error](err); is {
		for _, p := range mistakes.Problems {
			r.problems.Add(p.Pos, p.Code, "%s", p.Message)
		}
		return nil
	}
	if err != nil {
		v.Problem(CodeFile, "%s", err)
		return nil
	}
	return set
}

// moment reads a time with its zone: a test that depended on that of a machine would not be one.
func moment(v strictyaml.Value) time.Time {
	text, ok := v.Text()
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		v.Problem(CodeTime, "%q is no time with a zone, such as 2027-01-31T18:00:00+08:00", text)
	}
	return t
}
