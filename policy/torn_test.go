package policy

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// TestACutFileNeverPassesForTheWholeOne cuts every good policy file after every byte, large ones after every line and
// every fifth byte. What still loads must have all
// exceptions as they were, or else be another set by its hash in each policy that lost one: then the first sweep under it
// only reports (`hold: new-policy`), and names what is gone. What is gone still counts in all later sweeps.
func TestACutFileNeverPassesForTheWholeOne(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"testdata/ok/*.yaml", "../configs/policies/*.yaml", "../configs/cookbook/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if matched, _ := filepath.Match("*_test.yaml", filepath.Base(path)); matched {
				continue
			}
			t.Run(path, func(t *testing.T) {
				t.Parallel()
				cutEverywhere(t, path)
			})
		}
	}
}

func cutEverywhere(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	feeds, err := filepath.Glob(filepath.Join(filepath.Dir(path), "feeds", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, feed := range feeds {
		text, err := os.ReadFile(feed)
		if err != nil {
			t.Fatal(err)
		}
		files["feeds/"+filepath.Base(feed)] = &fstest.MapFile{Data: text}
	}
	read := func(data []byte) (*Set, error) {
		files["p.yaml"] = &fstest.MapFile{Data: data}
		return Load(files, []string{"p.yaml"})
	}
	whole, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	fewer := 0
	everyByte := len(data) < 3000 && !strings.Contains(path, "cookbook")
	for cut := range data {
		if !everyByte && cut%5 != 0 && (cut == 0 || data[cut-1] != '\n') {
			continue // within a line it fails by the missing newline alone, as every byte of the others shows
		}
		torn, err := read(data[:cut])
		if err != nil {
			continue
		}
		if data[cut-1] != '\n' {
			t.Errorf("cut after byte %d, within a line, it loads", cut)
		}
		lost := lostExceptions(whole, torn)
		if len(lost) > 0 {
			fewer++
		}
		for _, x := range lost {
			for _, problem := range unnoticed(whole, torn, x) {
				t.Errorf("cut after byte %d (%q): %s", cut, lastLine(data[:cut]), problem)
			}
			if !stillCounts(whole, torn, x) {
				t.Errorf("cut after byte %d (%q): the exception %s does not count any more", cut, lastLine(data[:cut]), x.Name)
			}
		}
	}
	t.Logf("%d cuts load with fewer exceptions, each under another policy hash", fewer)
}

func lastLine(data []byte) []byte {
	data = bytes.TrimSuffix(data, []byte("\n"))
	return data[bytes.LastIndexByte(data, '\n')+1:]
}

// lostExceptions are those of the whole set that the torn one has not, or not as they were.
func lostExceptions(whole, torn *Set) []*Exception {
	meaning := func(x *Exception) string {
		return fmt.Sprint(x.Name, x.policies, x.Expires, x.groups.canonical(), x.match.canonical())
	}
	left := map[string]bool{}
	for _, x := range torn.Exceptions {
		left[meaning(x)] = true
	}
	var lost []*Exception
	for _, x := range whole.Exceptions {
		if !left[meaning(x)] {
			lost = append(lost, x)
		}
	}
	return lost
}

// stillCounts tells whether the earlier set still speaks for an exception that a cut has cost, on a day on which those of
// the files have not ended.
func stillCounts(whole, torn *Set, lost *Exception) bool {
	day := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	return lost.Expired(day) || slices.Contains(whole.Keeper(torn, "prod", day).missed, lost)
}

// unnoticed says which policies lost an exception without a change of their hash.
func unnoticed(whole, torn *Set, lost *Exception) []string {
	hashes := map[string]string{}
	for _, p := range whole.Policies {
		hashes[p.Name] = p.Hash
	}
	var list []string
	for _, p := range torn.Policies {
		if lost.Covers(p) && hashes[p.Name] == p.Hash {
			list = append(list, fmt.Sprintf("policy %s has lost the exception %s under its old hash", p.Name, lost.Name))
		}
	}
	if whole.Hash() == torn.Hash() {
		list = append(list, "the set has its old hash")
	}
	return list
}
