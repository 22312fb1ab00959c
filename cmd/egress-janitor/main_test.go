package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/egress-janitor/egress-janitor/configs"
)

// The key of the scripts' emulators. It must never be seen again: not on standard output, not on standard error, not
// in any file that a story leaves behind.
const (
	canaryKeyID  = "LTAI5tCanaryOfTheStories"
	canarySecret = "canary+of/the=stories-30letters"
	canaryToken  = "canary-token-of-the-stories" // in the one story that has a security token
)

// TestMain lets the test binary be the command, too: scripts run it as a process of its own, with real signals.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"egress-janitor": main})
}

// TestStories runs the stories of testdata/script. Each says what a user types, what the user sees, and how the
// command ends. The commands that they have besides those of testscript are in this file and its neighbours:
//
//	exits CODE ARGS...            runs egress-janitor to its end, which must be with CODE
//	powerless CODE ARGS...        runs it in the same way, by a user whom the permissions of files bind, root or not
//	start NAME ARGS...            starts egress-janitor and goes on
//	await NAME PATTERN            waits for a pattern on its standard error; named groups become variables; with
//	                              -within DURATION before NAME for that long, as finished may
//	interrupt NAME                sends it SIGINT; terminate NAME sends SIGTERM, hangup NAME SIGHUP
//	finished NAME CODE            waits for its end, which must be with CODE; what it wrote is in NAME.out and NAME.err
//	crash NAME                    ends it with SIGKILL
//	emulator [-name N] ARGS...    starts an emulator and sets ENDPOINT and ADDRESS (with -name ENDPOINT_N, ADDRESS_N)
//	cloud ACTION KEY=VALUE...     makes a signed call to the emulator and sets SG, PL to the id that it gives
//	authorize FILE PATH           adds rules that a JSON document proposes to the group SG
//	faults JSON|FILE              has the emulator misbehave
//	requests FILE                 writes what the emulator was asked, as "COUNT ACTION" lines
//	revoked FILE                  writes the calls to revoke, as "CODE removed|nothing first|again RULE..." lines
//	rules FILE                    writes the egress rules of SG, as "ID PROTOCOL PORTS DESTINATION" lines, and sets
//	                              RULE_PORT to the ID of each
//	hold [-answer] ACTION         puts a gate in front of the emulator, at HELD, that keeps calls of ACTION waiting, or
//	                              lets them through and keeps their answers
//	await held                    waits until one such call has come, or one such answer
//	release                       opens the gate for good
//	expand FILE...                replaces $NAME and ${NAME} in files by variables; RAM_SCAN, RAM_REVOKE and RAM_RESTORE are
//	                              the policies of deploy/ram
//	json [-doc N] FILE PATH WANT  compares one value of a JSON document
//	remember FILE PATH NAME...    sets variables to values of a JSON document, by pairs of path and name
//	get [-status N] URL FILE      fetches a page, which must have the status 200, or N; post does the same by POST
//	cut FILE N                    takes the last N bytes off a file
//	spoil FILE                    overwrites the middle of a file
//	empty DIR                     there is nothing in a directory
//	mode FILE PERM                compares the permissions of a file
//	feed FILE                     serves a file over https to all later commands, and sets FEED and FEED_PLACE to its URL
func TestStories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               setup,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     positive(cmdExits),
			"powerless": positive(cmdPowerless),
			"start":     positive(cmdStart),
			"await":     positive(cmdAwait),
			"interrupt": positive(cmdInterrupt),
			"terminate": positive(cmdTerminate),
			"hangup":    positive(cmdHangUp),
			"finished":  positive(cmdFinished),
			"crash":     positive(cmdCrash),
			"emulator":  positive(cmdEmulator),
			"cloud":     positive(cmdCloud),
			"authorize": positive(cmdAuthorize),
			"faults":    positive(cmdFaults),
			"requests":  positive(cmdRequests),
			"revoked":   positive(cmdRevoked),
			"rules":     positive(cmdRules),
			"hold":      positive(cmdHold),
			"release":   positive(cmdRelease),
			"expand":    positive(cmdExpand),
			"json":      positive(cmdJSON),
			"remember":  positive(cmdRemember),
			"get":       positive(cmdGet),
			"post":      positive(cmdPost),
			"cut":       positive(cmdCut),
			"spoil":     positive(cmdSpoil),
			"empty":     positive(cmdEmpty),
			"mode":      positive(cmdMode),
			"feed":      positive(cmdFeed),
		},
	})
}

// storyKey is where a script keeps its story.
type storyKey struct{}

// story is what one script has going on.
type story struct {
	tb        testing.TB
	processes map[string]*process
	gate      *gate
}

func storyOf(ts *testscript.TestScript) *story {
	s, ok := ts.Value(storyKey{}).(*story)
	if !ok {
		ts.Fatalf("the script has no story")
	}
	return s
}

// setup makes a home, credentials and a directory for temporary files, and lays the files of testdata/common in common
// and those of configs in sample. Nothing of the machine's environment gets into a script, proxies least of all.
func setup(env *testscript.Env) error {
	tb, ok := env.T().(testing.TB)
	if !ok {
		return errors.New("not run by the package testing")
	}
	env.Values[storyKey{}] = &story{tb: tb, processes: map[string]*process{}}
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("TZ", "UTC")
	env.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", canaryKeyID)
	env.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", canarySecret)
	temporary := filepath.Join(env.WorkDir, "tmp")
	env.Setenv("TMPDIR", temporary)
	common := os.CopyFS(filepath.Join(env.WorkDir, "common"), os.DirFS(filepath.Join("testdata", "common")))
	sample := os.CopyFS(filepath.Join(env.WorkDir, "sample"), configs.FS())
	// What was deferred first runs last: by then all processes are gone.
	env.Defer(func() { checkFilesForSecrets(tb, env.WorkDir) })
	return errors.Join(common, sample, os.MkdirAll(temporary, 0o700), setPolicies(env))
}

// setPolicies sets RAM_SCAN, RAM_REVOKE and RAM_RESTORE to the policies of deploy/ram, each on one line.
func setPolicies(env *testscript.Env) error {
	for _, name := range []string{"scan", "revoke", "restore"} {
		document, err := os.ReadFile(filepath.Join("..", "..", "deploy", "ram", name+".json"))
		if err != nil {
			return err
		}
		var line bytes.Buffer
		if err := json.Compact(&line, document); err != nil {
			return err
		}
		env.Setenv("RAM_"+strings.ToUpper(name), line.String())
	}
	return nil
}

// positive makes a command of a function that has no use for "!".
func positive(cmd func(*testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command cannot be negated")
		}
		cmd(ts, args)
	}
}

func cmdExits(ts *testscript.TestScript, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	runToEnd(ts, args[0], append([]string{"egress-janitor"}, args[1:]...))
}

// cmdPowerless is for what the permissions of files do. They do not bind root, who runs tests in containers, unless it
// gives that up.
func cmdPowerless(ts *testscript.TestScript, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: powerless CODE ARGS...")
	}
	command := append([]string{"egress-janitor"}, args[1:]...)
	if os.Geteuid() == 0 {
		command = append([]string{"setpriv", "--bounding-set=-dac_override,-dac_read_search"}, command...)
	}
	runToEnd(ts, args[0], command)
}

func runToEnd(ts *testscript.TestScript, code string, command []string) {
	err := ts.Exec(command[0], command[1:]...)
	checkForSecrets(ts, "stdout", ts.ReadFile("stdout"))
	checkForSecrets(ts, "stderr", ts.ReadFile("stderr"))
	checkCode(ts, err, code)
}

func checkCode(ts *testscript.TestScript, err error, want string) {
	got := "0"
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = strconv.Itoa(exit.ExitCode())
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("got exit code %s, want %s", got, want)
	}
}

// secret tells whether a text holds what must not be seen.
func secret(text string) bool {
	return strings.Contains(text, canarySecret) || strings.Contains(text, canaryKeyID) || strings.Contains(text, canaryToken)
}

func checkForSecrets(ts *testscript.TestScript, where, text string) {
	if secret(text) {
		ts.Fatalf("a secret is on %s", where)
	}
}

func checkFilesForSecrets(tb testing.TB, dir string) {
	tb.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && secret(string(data)) {
			tb.Errorf("a secret is in the file %s", path)
		}
		return err
	})
	if err != nil {
		tb.Errorf("looking for secrets: %v", err)
	}
}

func cmdExpand(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		file := ts.MkAbs(name)
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(file, []byte(text), 0o600))
	}
}

func cmdCut(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: cut FILE N")
	}
	text := ts.ReadFile(args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text[:len(text)-n]), 0o600))
}

// cmdSpoil overwrites the middle half of a file, as a failing disk would.
func cmdSpoil(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		data := []byte(ts.ReadFile(name))
		for i := len(data) / 4; i < len(data)*3/4; i++ {
			data[i] ^= 0x5a
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), data, 0o600))
	}
}

func cmdEmpty(ts *testscript.TestScript, args []string) {
	for _, name := range args {
		entries, err := os.ReadDir(ts.MkAbs(name))
		ts.Check(err)
		for _, entry := range entries {
			ts.Fatalf("%s has %s in it", name, entry.Name())
		}
	}
}

func cmdMode(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mode FILE PERM")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := "0" + strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[1] {
		ts.Fatalf("%s has the permissions %s, want %s", args[0], got, args[1])
	}
}
