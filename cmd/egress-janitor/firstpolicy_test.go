package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// fences are the blocks of a page of docs that is walked through: files, which the text before them names, and what a terminal shows.
var fences = regexp.MustCompile("(?s)(?:[Aa]s `([^`\n]+)`:\n\n)?```(yaml|console)\n(.*?)```")

func TestTheFirstPolicyWorksAsItsPageSays(t *testing.T) {
	t.Parallel()
	const least = 10
	walk(t, "first-policy.md", least)
}

func TestEffectsAreAsTheirPageSays(t *testing.T) {
	t.Parallel()
	const least = 6
	walk(t, "reach.md", least)
}

// walk does what a page tells a newcomer to do, in a real shell, and compares what is printed. There must be at least so
// many commands.
func walk(t *testing.T, page string, least int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{page: page, dir: t.TempDir(), env: append(os.Environ(), "TZ=UTC", "NO_COLOR=1")}
	commands := 0
	for _, fence := range fences.FindAllStringSubmatch(string(data), -1) {
		switch name, kind, text := fence[1], fence[2], fence[3]; {
		case kind == "console":
			commands += r.console(t, text)
		case name == "":
			t.Errorf("nothing names the file of this block:\n%s", text)
		default:
			r.write(t, name, text)
		}
	}
	if commands < least {
		t.Errorf("found %d commands, want at least %d; is the page still written in blocks of console?", commands, least)
	}
}

// reader is a newcomer at work.
type reader struct {
	page string // of docs
	dir  string
	env  []string
}

// pageAddress is where the emulator of the page serves. In the test it takes a free port.
const pageAddress = "127.0.0.1:8080"

func (r *reader) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// console runs the commands of a block and compares what each prints. It gives their number.
func (r *reader) console(t *testing.T, block string) int {
	t.Helper()
	ran := 0
	for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
		command, want, _ := strings.Cut(part, "\n")
		for strings.HasPrefix(want, "> ") {
			line, rest, _ := strings.Cut(want, "\n")
			command, want = command+"\n"+strings.TrimPrefix(line, "> "), rest
		}
		ran++
		switch setting, isExport := strings.CutPrefix(command, "export "); {
		case isExport:
			r.env = append(r.env, setting)
		case strings.HasSuffix(command, " &"):
			r.serve(t, strings.TrimSuffix(command, " &"))
		default:
			r.compareShown(t, command, want, r.shell(t, command))
		}
	}
	return ran
}

// shell runs a command and gives all that it prints. Its exit code is no matter: the page shows mistakes, too.
func (r *reader) shell(t *testing.T, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended { //nolint:errorlint // as exec documents it
		t.Fatalf("%s: %v", command, err)
	}
	return string(out)
}

// serve starts the emulator of the page on a free port, and has the config lead there.
func (r *reader) serve(t *testing.T, command string) {
	t.Helper()
	args := strings.Fields(strings.Replace(command, pageAddress, "127.0.0.1:0", 1))
	if args[0] != "egress-janitor" {
		t.Fatalf("the page serves something unknown: %s", command)
	}
	for i, arg := range args {
		if filepath.Ext(arg) == ".yaml" {
			args[i] = filepath.Join(r.dir, arg)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	lines, out := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, args[1:], system{out: out, err: io.Discard, getenv: os.Getenv, now: time.Now})
		_ = out.Close()
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	line, err := bufio.NewReader(lines).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the emulator says no address: %v", err)
	}
	var ready struct{ Address string }
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(r.dir, defaultConfig)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	r.write(t, defaultConfig, strings.ReplaceAll(string(text), pageAddress, ready.Address))
}

// compareShown finds what the page shows in what a command printed: line by line, where a line of … stands for any number
// of lines, and … at the end of one for the rest of it.
func (r *reader) compareShown(t *testing.T, command, want, got string) {
	t.Helper()
	printed := strings.Split(strings.TrimRight(got, "\n"), "\n")
	if got == "" {
		printed = nil
	}
	free := false // the next line may stand anywhere further down
	for line := range strings.Lines(want) {
		line = strings.TrimRight(line, "\n")
		if line == "…" {
			free = true
			continue
		}
		matches := func(text string) bool {
			if start, cut := strings.CutSuffix(line, "…"); cut {
				return strings.HasPrefix(text, start)
			}
			return text == line
		}
		for free && len(printed) > 0 && !matches(printed[0]) {
			printed = printed[1:]
		}
		if len(printed) == 0 || !matches(printed[0]) {
			t.Fatalf("$ %s\ndoes not print this line of docs/%s, or not there:\n%s\nit prints:\n%s", command, r.page, line, got)
		}
		printed, free = printed[1:], false
	}
	if !free && len(printed) > 0 {
		t.Fatalf("$ %s\nprints more than docs/%s shows:\n%s", command, r.page, strings.Join(printed, "\n"))
	}
}
