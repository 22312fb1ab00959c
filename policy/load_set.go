package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// namedSet is a named address set of a file.
type namedSet struct {
	value    strictyaml.Value
	elements []element
	source   *Source // nil: the elements stand in the policy file itself
	used     bool
}

// unread tells whether the contents of the set are not known.
func (s *namedSet) unread() bool { return s.source != nil && s.source.Problem != "" }

// setNameCharacters are what a set's name may be made of. It is seen nowhere but in its file.
const setNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

func (f *policyFile) readSets(v strictyaml.Value) {
	m, ok := v.Map(strictyaml.Keys{})
	if !ok {
		return
	}
	for name, body := range m.All() {
		if name == "" || strings.Trim(name, setNameCharacters) != "" {
			m.Key(name).Problem(CodeName, "the set name %q may have letters, digits, dots, hyphens and underscores only", name)
		}
		s := &namedSet{value: m.Key(name)}
		f.setBody(s, name, body)
		f.sets[name] = s
	}
}

// setBody reads where the elements of a set stand, and the elements.
func (f *policyFile) setBody(s *namedSet, name string, v strictyaml.Value) {
	m, ok := v.Map(f.grammar.set.strict())
	if !ok {
		return
	}
	source := &Source{Set: name, File: f.name}
	if v, ok := m.Get("allow-wide"); ok {
		source.allowWide, _ = v.Bool()
	}
	var forms []string
	for _, form := range []string{"cidrs", "file", "url"} {
		if m.Has(form) {
			forms = append(forms, form)
		}
	}
	if len(forms) != 1 {
		if len(forms) == 0 {
			v.Problem(strictyaml.CodeMissingKey, "a set needs one of \"cidrs\", \"file\" and \"url\"")
		} else {
			v.Problem(CodeSet, "a set has one of \"cidrs\", \"file\" and \"url\", not several")
		}
		f.sourceKeys(m, source)
		return
	}
	body, ok := m.Get(forms[0])
	if forms[0] == "cidrs" {
		f.onlyOfSources(m)
		if ok {
			s.elements = f.setElements(body, source.allowWide)
		}
		return
	}
	f.sourceKeys(m, source)
	s.source = source
	f.set.sources = append(f.set.sources, source)
	switch {
	case !ok:
	case forms[0] == "file":
		s.elements = f.setFile(body, source)
	default:
		s.elements = f.setURL(body, source)
	}
}

// onlyOfSources refuses the keys that say something about contents from elsewhere.
func (f *policyFile) onlyOfSources(m strictyaml.Map) {
	for _, key := range []string{"sha256", "max-age"} {
		if m.Has(key) {
			m.Key(key).Problem(CodeSet, "%q is for a set with \"file\" or \"url\"", key)
		}
	}
}

func (f *policyFile) sourceKeys(m strictyaml.Map, source *Source) {
	if m.Has("url") {
		source.MaxAge = DefaultMaxAge
	}
	if v, ok := m.Get("max-age"); ok {
		if text, ok := v.Text(); ok {
			age, err := parseAge(text)
			if err != nil {
				v.Problem(CodeDuration, "%s", err)
			}
			source.MaxAge = age
		}
	}
	if v, ok := m.Get("sha256"); ok {
		text, ok := v.Text()
		if ok && (len(text) != hex.EncodedLen(sha256.Size) || strings.Trim(text, "0123456789abcdef") != "") {
			v.Problem(CodeSHA256, "%q is no SHA-256: it has 64 digits 0-9 and a-f, in lower case, as sha256sum prints it", text)
		}
		source.pinned = text
	}
}

func (f *policyFile) setElements(v strictyaml.Value, allowWide bool) []element {
	list, _ := v.List()
	elements := make([]element, 0, len(list))
	for _, item := range list {
		text, ok := item.Text()
		if !ok {
			continue
		}
		e, err := parseElement(text)
		switch {
		case err != nil:
			item.Problem(CodeAddress, "%s", err)
		case e.wide() && !allowWide:
			item.Problem(CodeWide, wideMessage, text)
		default:
			elements = append(elements, e)
		}
	}
	return elements
}

// setFile reads a set's file. Whatever is wrong with it is a mistake of the files: it is theirs.
func (f *policyFile) setFile(v strictyaml.Value, source *Source) []element {
	name, ok := v.String()
	if !ok {
		return nil
	}
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(f.name), name)
	}
	source.Place = name
	written, err := modified(f.fsys, name)
	var data []byte
	if err == nil {
		data, err = fs.ReadFile(f.fsys, name)
	}
	switch {
	case err != nil:
		v.Problem(CodeFile, "the set's file %s cannot be read: %s", name, reason(err))
		return nil
	case len(data) > MaxSetBytes:
		v.Problem(strictyaml.CodeTooLarge, "the set's file %s has %d bytes, more than the %d that are read",
			name, len(data), MaxSetBytes)
		return nil
	}
	if why := source.mispinned(data); why != "" {
		v.Problem(CodeSHA256, "the set's file %s: %s", name, why)
		return nil
	}
	before := f.problems.Len()
	elements := parseContents(&f.problems, name, data, source.allowWide)
	if len(elements) == 0 && f.problems.Len() == before {
		v.Problem(strictyaml.CodeEmpty, "the set's file %s has no element", name)
	}
	source.fill(data, elements, written)
	return elements
}

// modified is when a file was last written.
func modified(fsys fs.FS, name string) (time.Time, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// setURL takes the last good copy of what a URL holds. What is wrong with it is no mistake of the files, which must load
// all the same: otherwise whoever runs the URL could keep policies from being loaded. The set is unread then.
func (f *policyFile) setURL(v strictyaml.Value, source *Source) []element {
	text, ok := v.String()
	if !ok {
		return nil
	}
	place, err := checkURL(text)
	if err != nil {
		v.Problem(CodeURL, "%s", err)
		return nil
	}
	source.URL, source.Place = text, place
	elements := f.copyOf(source)
	if source.Problem != "" {
		f.warn(v, CodeUnreadSet, "the set %s could not be looked into (%s): what its clauses say of a rule is unknown",
			source.Set, source.Problem)
	}
	return elements
}

func (f *policyFile) copyOf(source *Source) []element {
	if f.options.Feed == nil {
		source.Problem = "its URL is not fetched here"
		return nil
	}
	feed := f.options.Feed(source.URL)
	source.Attempt = feed.Problem
	if feed.Data == nil {
		source.Problem = "there is no copy of it"
		if feed.Problem != "" {
			source.Problem += " yet: " + feed.Problem
		}
		return nil
	}
	elements, err := source.parse(feed.Data)
	if err != nil {
		source.Problem = fmt.Sprintf("its contents cannot be used: %s", err)
		return nil
	}
	source.fill(feed.Data, elements, feed.Fetched)
	return elements
}

// ShownURL is the form of a set's URL that may be shown; empty if it is not one that a set may have.
func ShownURL(text string) string {
	place, _ := checkURL(text)
	return place
}

// checkURL tells what is wrong with the URL of a set, and gives the form of it that may be shown. Messages do not repeat
// what may hold a secret.
func checkURL(text string) (place string, err error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("this is no URL; write https://host/path")
	case u.Scheme != "https":
		return "", fmt.Errorf("the URL of a set must begin with https://: what another scheme gives could be anybody's")
	case u.Hostname() == "":
		return "", fmt.Errorf("the URL has no host; write https://host/path")
	case u.User != nil:
		return "", fmt.Errorf("the URL must not have a user or password: policy files are for everybody to read")
	case strings.Contains(text, "#"):
		return "", fmt.Errorf("the URL must not have a fragment (#...), which is never sent")
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	if u.RawQuery == "" {
		return shown.String(), nil
	}
	return shown.String() + "?…", nil
}

func (f *policyFile) checkSetsUsed() {
	for name, s := range f.sets {
		if !s.used {
			s.value.Problem(CodeUnusedSet, "no policy or exception of this file uses the set %q; remove it, or use it as $%s",
				name, name)
		}
	}
}
