package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe waits for a writer and a device may have no end: reading either would hold the daemon up, or its machine.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, endless := filepath.Join(dir, "pipe"), filepath.Join(dir, "endless.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", endless); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"a policy file that is a device": endless,
		"a policy file that is a pipe":   pipe,
		"a set that is a device":         policyWithSet(t, endless),
		"a set that is a pipe":           policyWithSet(t, pipe),
	} {
		_, err := readPolicies([]string{file})
		if want := "it is no regular file, but a pipe, device or socket"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, want)
		}
	}
	// The watch looks at the same files, and must not be held up either.
	contentsOf([]string{pipe, endless})
}

// policyWithSet writes a policy file whose set is of a file, and gives its name.
func policyWithSet(t *testing.T, set string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "policy.yaml")
	text := `version: 1
sets:
  s: {file: FILE}
policies:
  - name: p
    description: A policy.
    severity: low
    owner: owner@example.com
    groups: all
    match: {destination: {within: [$s]}}
    action: report
`
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "FILE", set)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestNoMoreIsReadThanShowsThatAFileIsTooLarge(t *testing.T) {
	t.Parallel()
	large := filepath.Join(t.TempDir(), "large.txt")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 1<<40); err != nil { // a hole: it takes no space
		t.Fatal(err)
	}
	_, err := readPolicies([]string{policyWithSet(t, large)})
	if want := "more than the 33554432 that are read"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error with %q", err, want)
	}
}
