package policy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// Codes of the mistakes that this package finds beside those of strictyaml.
const (
	CodeFile         = "file"
	CodeVersion      = "version"
	CodeName         = "name"
	CodeDuplicate    = "duplicate-name"
	CodeTimezone     = "timezone"
	CodeAddress      = "address"
	CodeWide         = "wide-element"
	CodePort         = "port"
	CodeProtocol     = "protocol"
	CodeSet          = "set"
	CodeUnusedSet    = "unused-set"
	CodeExpiry       = "expiry"
	CodeDuration     = "duration"
	CodeExpression   = "expression"
	CodePlace        = "wrong-place"
	CodeBareList     = "bare-list"
	CodeNoRuleClause = "no-rule-clause"
	CodeUnknownName  = "unknown-policy"
	CodeNoPolicy     = "no-policy"
	CodeOneFamily    = "one-family"
	CodePriority     = "priority"
	CodeBaseline     = "baseline"
	CodeURL          = "url"
	CodeSHA256       = "sha256"
	CodeUnreadSet    = "unread-set"
)

// Load reads policy files and directories. Names are handed to fsys as they are, so an fsys may give meaning to
// absolute ones; a set's file is looked for relative to its policy file. Of a directory every *.yaml is read except
// *_test.yaml. If anything is wrong the error is a [*strictyaml.Error] with every mistake of every file, and there is
// no set.
func Load(fsys fs.FS, paths []string) (*Set, error) { return LoadWith(fsys, paths, Options{}) }

// LoadWith is [Load] with what sets with a URL hold. A set of which there is no usable copy is no mistake: it loads with a
// warning, and what its clauses say is unknown; see [Set.Sources].
func LoadWith(fsys fs.FS, paths []string, o Options) (*Set, error) {
	l := &loader{
		fsys:       fsys,
		options:    o,
		grammar:    newGrammar(),
		policies:   map[string]strictyaml.Pos{},
		exceptions: map[string]strictyaml.Pos{},
		lists:      map[[sha256.Size]byte]*addressList{},
		set:        &Set{},
	}
	files := l.files(paths)
	for _, file := range files {
		l.file(file)
	}
	l.checkReferences()
	if len(l.set.Policies) == 0 && l.problems.Len() == 0 {
		l.problems.Add(strictyaml.Pos{File: strings.Join(paths, ", "), Line: 1, Column: 1}, CodeNoPolicy, "there is no policy")
	}
	if err := l.problems.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(l.set.Policies, func(a, b *Policy) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(l.set.Exceptions, func(a, b *Exception) int { return strings.Compare(a.Name, b.Name) })
	l.set.sources = sortedSources(l.set.sources)
	l.set.seal()
	l.set.compile(l.ordered)
	return l.set, nil
}

type loader struct {
	fsys     fs.FS
	options  Options
	grammar  *grammar
	problems strictyaml.Problems
	set      *Set

	policies   map[string]strictyaml.Pos
	exceptions map[string]strictyaml.Pos
	references []reference

	lists   map[[sha256.Size]byte]*addressList // by content, so that equal lists share their place in the table
	ordered []*addressList

	language *celLanguage // made for the first expression
}

// reference is a policy named by an exception.
type reference struct {
	value strictyaml.Value
	name  string
}

// files finds the files to read, each once, in a fixed order.
func (l *loader) files(paths []string) []string {
	var files []string
	for _, name := range paths {
		start := strictyaml.Pos{File: name, Line: 1, Column: 1}
		info, err := fs.Stat(l.fsys, name)
		switch {
		case err != nil:
			l.problems.Add(start, CodeFile, "cannot be read: %s", reason(err))
		case info.IsDir():
			files = append(files, l.directory(name)...)
		case strings.HasSuffix(name, "_test.yaml"):
			l.problems.Add(start, CodeFile, "is a test of policies, not a policy file")
		default:
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

func (l *loader) directory(name string) []string {
	start := strictyaml.Pos{File: name, Line: 1, Column: 1}
	entries, err := fs.ReadDir(l.fsys, name)
	if err != nil {
		l.problems.Add(start, CodeFile, "cannot be read: %s", reason(err))
		return nil
	}
	var files []string
	for _, entry := range entries {
		file := path.Join(name, entry.Name())
		switch {
		case entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || strings.HasSuffix(file, "_test.yaml"):
		case strings.HasSuffix(file, ".yaml"):
			files = append(files, file)
		case strings.HasSuffix(file, ".yml"):
			l.problems.Add(strictyaml.Pos{File: file, Line: 1, Column: 1}, CodeFile,
				"only *.yaml is read of a directory; rename it, or move it away")
		}
	}
	if len(files) == 0 {
		l.problems.Add(start, CodeFile, "the directory holds no policy file (*.yaml)")
	}
	return files
}

// reason is an error without the name of the file, which the place already gives.
func reason(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}

func (l *loader) file(name string) {
	data, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		l.problems.Add(strictyaml.Pos{File: name, Line: 1, Column: 1}, CodeFile, "cannot be read: %s", reason(err))
		return
	}
	root, ok := strictyaml.Parse(&l.problems, name, data)
	if !ok {
		return
	}
	m, ok := root.Map(l.grammar.file.strict())
	if !ok {
		return
	}
	if v, ok := m.Get("version"); ok {
		if text, ok := v.Text(); ok && text != "1" {
			v.Problem(CodeVersion, "version %s is not known; this program reads version 1", text)
		}
	}
	f := &policyFile{loader: l, name: name, zone: time.UTC, sets: map[string]*namedSet{}}
	f.readZone(m)
	if v, ok := m.Get("sets"); ok {
		f.readSets(v)
	}
	if !m.Has("policies") && !m.Has("exceptions") {
		m.Problem(strictyaml.CodeMissingKey, "the file has neither \"policies\" nor \"exceptions\"")
	}
	if v, ok := m.Get("policies"); ok {
		f.each(v, f.policy)
	}
	if v, ok := m.Get("exceptions"); ok {
		f.each(v, f.exception)
	}
	f.checkSetsUsed()
}

// checkReferences reports exceptions that name policies which are in no file.
func (l *loader) checkReferences() {
	known := make([]string, 0, len(l.policies))
	for name := range l.policies {
		known = append(known, name)
	}
	slices.Sort(known)
	for _, r := range l.references {
		if _, ok := l.policies[r.name]; !ok {
			r.value.Problem(CodeUnknownName, "no loaded file has a policy %q%s", r.name, strictyaml.Suggest(r.name, known))
		}
	}
}

// list gives the address list of a relation, shared between equal ones.
func (l *loader) list(text string, elements []element, unread bool) *addressList {
	list := newAddressList(text, elements)
	if unread {
		list.setUnread()
	}
	if same, ok := l.lists[list.content]; ok {
		list.index, list.elements, list.merged = same.index, same.elements, [families][]span{}
		return list
	}
	list.index = len(l.ordered)
	l.lists[list.content] = list
	l.ordered = append(l.ordered, list)
	return list
}

// policyFile is one file while it is read.
type policyFile struct {
	*loader

	name string
	zone *time.Location
	sets map[string]*namedSet
}

func (f *policyFile) readZone(m strictyaml.Map) {
	v, ok := m.Get("timezone")
	if !ok {
		return
	}
	name, ok := v.String()
	if !ok {
		return
	}
	zone, err := time.LoadLocation(name)
	// Names in lower case, and Local, are no zones but settings of a machine (localtime, right/UTC).
	if err != nil || name == "Local" || name[0] < 'A' || name[0] > 'Z' {
		v.Problem(CodeTimezone, "%q is no time zone of the IANA database, such as Asia/Shanghai or UTC", name)
		return
	}
	f.zone = zone
}

func (f *policyFile) each(v strictyaml.Value, read func(strictyaml.Value)) {
	list, _ := v.List()
	for _, element := range list {
		read(element)
	}
}

// uniqueName reads the name of a policy or exception.
func (f *policyFile) uniqueName(m strictyaml.Map, kind string, taken map[string]strictyaml.Pos) string {
	v, ok := m.Get("name")
	if !ok {
		return ""
	}
	name, ok := v.String()
	if !ok {
		return ""
	}
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		v.Problem(CodeName, "the name %q may have lower-case letters, digits and hyphens only", name)
	}
	if first, twice := taken[name]; twice {
		v.Problem(CodeDuplicate, "there is a second %s named %q; the first is at %s", kind, name, first)
	} else {
		taken[name] = v.Pos()
	}
	return name
}

func (f *policyFile) policy(v strictyaml.Value) {
	m, ok := v.Map(f.grammar.policy.strict())
	if !ok {
		return
	}
	p := &Policy{
		Pos:            v.Pos(),
		Name:           f.uniqueName(m, "policy", f.policies),
		Description:    text(m, "description"),
		Owner:          text(m, "owner"),
		Severity:       Severity(oneOf(m, "severity", string(Low), string(Medium), string(High), string(Critical))),
		Action:         Action(oneOf(m, "action", string(Report), string(Revoke))),
		KeepCollateral: oneOf(m, "collateral", "hold", "revoke") != "revoke",
		OnlyIfCloses:   oneOf(m, "only-if", "any", "closes") == "closes",
		Grace:          grace(m),
		Limits:         f.limits(m),
	}
	_ = text(m, "ticket")
	supported(m, "approval", "none", "required")
	p.Baseline = f.baseline(m)
	if v, ok := m.Get("allow-opening"); ok {
		p.AllowOpening, _ = v.Bool()
	}
	if v, ok := m.Get("groups"); ok {
		p.groups = f.scope(v)
	}
	if v, ok := m.Get("match"); ok {
		r := matchReader{policyFile: f, revokes: p.Action == Revoke}
		before := f.problems.Len()
		p.written = r.root(v, "accept")
		p.match, p.sources = p.written.pushed(false), sortedSources(r.sources)
		if p.Action == Revoke && f.problems.Len() == before {
			r.checkRuleClauses(v)
		}
	}
	f.set.Policies = append(f.set.Policies, p)
}

func (f *policyFile) exception(v strictyaml.Value) {
	m, ok := v.Map(f.grammar.exception.strict())
	if !ok {
		return
	}
	x := &Exception{
		Pos:    v.Pos(),
		Name:   f.uniqueName(m, "exception", f.exceptions),
		Reason: text(m, "reason"),
		Owner:  text(m, "owner"),
		Ticket: text(m, "ticket"),
	}
	if v, ok := m.Get("policies"); ok {
		x.policies = f.policyNames(v)
	}
	if v, ok := m.Get("expires"); ok {
		if date, ok := v.Text(); ok {
			end, err := parseExpiry(date, f.zone)
			if err != nil {
				v.Problem(CodeExpiry, "%s", err)
			}
			x.Expires = end
		}
	}
	if v, ok := m.Get("groups"); ok {
		x.groups = f.scope(v)
	}
	if v, ok := m.Get("match"); ok {
		r := matchReader{policyFile: f, exception: true}
		x.written = r.root(v, "any")
		x.match, x.sources = x.written.pushed(false), sortedSources(r.sources)
	}
	f.set.Exceptions = append(f.set.Exceptions, x)
}

// policyNames reads which policies an exception is for; nil is all.
func (f *policyFile) policyNames(v strictyaml.Value) []string {
	list, _ := v.List()
	var names []string
	for _, element := range list {
		name, ok := element.String()
		switch {
		case !ok:
		case name == "*" && len(list) == 1:
			return nil
		case name == "*":
			element.Problem(CodeName, "\"*\" already names all policies; it must stand alone")
		default:
			f.references = append(f.references, reference{value: element, name: name})
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (f *policyFile) warn(v strictyaml.Value, code, format string, args ...any) {
	f.set.Warnings = append(f.set.Warnings, strictyaml.Problem{Pos: v.Pos(), Code: code, Message: fmt.Sprintf(format, args...)})
}
