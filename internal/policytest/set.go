package policytest

import (
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// setContents is what a set with a URL holds in the tests of a file.
type setContents struct {
	name strictyaml.Value
	data []byte
}

// readContents reads the elements of a set; what they mean is checked when the policies are loaded with them.
func readContents(name, v strictyaml.Value) setContents {
	list, _ := v.List()
	var lines strings.Builder
	for _, element := range list {
		text, _ := element.Text()
		if strings.ContainsAny(text, "\n#") || text == "" {
			element.Problem(CodeAddress, "%q is no address, range or address block", text)
		}
		lines.WriteString(text + "\n")
	}
	return setContents{name: name, data: []byte(lines.String())}
}

// loadSet loads policies, with the given contents for sets with a URL; one that has none here is unread. Contents are
// as old as the clock of the tests says, so that `max-age` does not depend on when the tests are run.
func (r *fileReader) loadSet(names []string, contents map[string]setContents) (*policy.Set, error) {
	fsys := clockFS{FS: r.fsys, now: r.now}
	set, err := policy.Load(fsys, names)
	if err != nil || len(contents) == 0 {
		return set, err
	}
	byURL := map[string][]byte{} // a URL is known once the policies are
	withURL := map[string]bool{}
	for _, source := range set.Sources() {
		if source.URL == "" {
			continue
		}
		withURL[source.Set] = true
		if c, given := contents[source.Set]; given {
			byURL[source.URL] = c.data
		}
	}
	for _, name := range known(contents) {
		if !withURL[name] {
			contents[name].name.Problem(CodeSet, "the policies of this file have no set %q with a URL%s", name,
				strictyaml.Suggest(name, known(withURL)))
		}
	}
	set, err = policy.LoadWith(fsys, names, policy.Options{Feed: func(url string) policy.Feed {
		return policy.Feed{Data: byURL[url], Fetched: r.now}
	}})
	if err != nil {
		return nil, err
	}
	for _, source := range set.Sources() {
		if c, given := contents[source.Set]; given && source.URL != "" && source.Problem != "" {
			c.name.Problem(CodeSet, "the set %q cannot hold this: %s", source.Set, source.Problem)
		}
	}
	return set, nil
}

// clockFS has every file written at one moment.
type clockFS struct {
	fs.FS

	now time.Time
}

func (f clockFS) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return clockFile{File: file, now: f.now}, nil
}

type clockFile struct {
	fs.File

	now time.Time
}

func (f clockFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	return clockInfo{FileInfo: info, now: f.now}, nil
}

// ReadDir passes on what directories can do beside files.
func (f clockFile) ReadDir(n int) ([]fs.DirEntry, error) {
	directory, is := f.File.(fs.ReadDirFile)
	if !is {
		return nil, io.EOF
	}
	return directory.ReadDir(n)
}

type clockInfo struct {
	fs.FileInfo

	now time.Time
}

func (i clockInfo) ModTime() time.Time { return i.now }

// known are the names of some things, sorted.
func known[T any](things map[string]T) []string {
	names := make([]string, 0, len(things))
	for name := range things {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
