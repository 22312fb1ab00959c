package main

import (
	"bytes"
	"cmp"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/policy"
)

// recordFS notes the files that are read.
type recordFS struct {
	fs.FS

	read map[string][]byte
}

// ReadFile implements [fs.ReadFileFS].
func (r *recordFS) ReadFile(name string) ([]byte, error) {
	data, err := fs.ReadFile(r.FS, name)
	if err == nil {
		r.read[name] = data
	}
	return data, err
}

// setPrefix marks, among the files of policies, those that hold sets.
const setPrefix = "set "

// policyFiles are all that a set of policies came from: its files by their names, then the files and copies of URLs of its
// sets. From them [policiesOf] makes the same set again.
func policyFiles(policies *policy.Set, read map[string][]byte, o policy.Options) []store.PolicyFile {
	names := map[string]bool{}
	for _, p := range policies.Policies {
		names[p.Pos.File] = true
	}
	for _, x := range policies.Exceptions {
		names[x.Pos.File] = true
	}
	contents := map[string][]byte{}
	for name := range names {
		contents[name] = read[name]
	}
	for _, source := range policies.Sources() {
		switch {
		case source.URL == "":
			contents[setPrefix+source.Place] = read[source.Place]
		case source.Problem == "":
			contents[setPrefix+feedFile(source)] = o.Feed(source.URL).Data
		}
	}
	files := make([]store.PolicyFile, 0, len(contents))
	for name, data := range contents {
		files = append(files, store.PolicyFile{Name: name, Data: data})
	}
	slices.SortFunc(files, func(a, b store.PolicyFile) int {
		first, second := strings.HasPrefix(a.Name, setPrefix), strings.HasPrefix(b.Name, setPrefix)
		switch {
		case first && !second:
			return 1
		case second && !first:
			return -1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return files
}

// policiesOf makes a set of policies of files that the store kept at a moment. Contents of sets count as current then.
func policiesOf(files []store.PolicyFile, at time.Time) (*policy.Set, error) {
	kept := keptFS{at: at, files: map[string][]byte{}}
	var paths []string
	for i := range files {
		name, isSet := strings.CutPrefix(files[i].Name, setPrefix)
		kept.files[name] = files[i].Data
		if !isSet {
			paths = append(paths, name)
		}
	}
	return policy.LoadWith(kept, paths, policy.Options{Feed: func(url string) policy.Feed {
		source := policy.Source{URL: url, Place: policy.ShownURL(url)}
		return policy.Feed{Data: kept.files[feedFile(&source)], Fetched: at}
	}})
}

// keptFS are files by any name, all of one time.
type keptFS struct {
	at    time.Time
	files map[string][]byte
}

// Open implements [fs.FS].
func (k keptFS) Open(name string) (fs.File, error) {
	data, ok := k.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &keptFile{Reader: bytes.NewReader(data), name: name, at: k.at}, nil
}

// keptFile is one of them, open.
type keptFile struct {
	*bytes.Reader

	name string
	at   time.Time
}

func (f *keptFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *keptFile) Close() error               { return nil }
func (f *keptFile) Name() string               { return f.name }
func (f *keptFile) Mode() fs.FileMode          { return 0o444 }
func (f *keptFile) ModTime() time.Time         { return f.at }
func (f *keptFile) IsDir() bool                { return false }
func (f *keptFile) Sys() any                   { return nil }
