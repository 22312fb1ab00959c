package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// system is what the commands use of the world around them.
type system struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	getenv func(string) string
	now    func() time.Time
	// onHangup says what SIGHUP does from now on. Without it the program ends.
	onHangup func(func())
	// reached is told of every step of the revocation protocol, so that tests can end the process there. Nil: nobody is.
	reached func(step string)
}

// say tells the user something on standard error. Where that cannot be written there is nobody to tell.
func (s system) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.err, format+"\n", args...)
}

// Exit codes; see the table in docs/cli.md.
const (
	exitDone        = 0
	exitError       = 1
	exitFindings    = 2
	exitIncomplete  = 3
	exitWithheld    = 4
	exitBroken      = 5
	exitUsage       = 64
	exitInterrupted = 130
)

// codeError is an error that only sets the exit code: what there is to say was said.
type codeError int

func (e codeError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run is the whole program. It gives the exit code.
func run(ctx context.Context, args []string, sys system) int {
	root := newRoot(sys) //nolint:contextcheck // commands get the context when they are executed
	root.SetArgs(args)
	root.SetOut(sys.out)
	root.SetErr(sys.err)
	root.InitDefaultCompletionCmd()
	started := false
	whenStarted(root, func() { started = true })
	err := root.ExecuteContext(ctx)
	line := strings.Join(args, " ") + " "
	later := slices.IndexFunc(laterCommands(), func(name string) bool { return strings.HasPrefix(line, name+" ") })
	switch {
	case err == nil || started:
	case later >= 0:
		err = usageError{fmt.Errorf("the command %q is not supported yet", laterCommands()[later])}
	default:
		err = usageError{err}
	}
	return explain(ctx, err, sys)
}

// laterCommands are commands that the design has and this version has not.
func laterCommands() []string {
	return []string{
		"plan", "apply", "approve", "reject", "doctor", "history export", "restore --since",
	}
}

// whenStarted has every command say when it begins its work. Errors from before are of the command line; a PreRun hook
// would be too early to tell, since flags that exclude one another are found out after it.
//
// A command that only holds others shows its help, and takes no arguments: cobra alone would take any.
func whenStarted(cmd *cobra.Command, started func()) {
	if !cmd.Runnable() {
		cmd.Args, cmd.RunE = cobra.NoArgs, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	if work := cmd.RunE; work != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			started()
			return work(cmd, args)
		}
	}
	for _, child := range cmd.Commands() {
		whenStarted(child, started)
	}
}

// explain says what went wrong, and gives the exit code.
func explain(ctx context.Context, err error, sys system) int {
	if err == nil {
		return exitDone
	}
	if code, silent := errors.AsType[codeError](err); silent {
		return int(code)
	}
	if ctx.Err() != nil {
		sys.say("egress-janitor: interrupted")
		return exitInterrupted
	}
	if mistakes, ok := errors.AsType[*strictyaml.Error](err); ok {
		sys.say("%v", mistakes)
		what, _, _ := strings.Cut(err.Error(), ":")
		sys.say("egress-janitor: error: %s: %s; nothing was done", what, count(len(mistakes.Problems), "mistake", "mistakes"))
		return exitError
	}
	sys.say("egress-janitor: error: %v", err)
	if _, usage := errors.AsType[usageError](err); usage {
		sys.say("egress-janitor: hint: try `egress-janitor help`")
		return exitUsage
	}
	return exitError
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func newRoot(sys system) *cobra.Command {
	root := &cobra.Command{
		Use:   "egress-janitor",
		Short: "Keep outbound rules of Alibaba Cloud security groups in order, by policies",
		Long: `egress-janitor reads every egress rule of the ECS security groups of your Alibaba Cloud accounts, evaluates them
against policies in YAML, and reports which rules violate what, why, and what is to be done about each.

In the mode audit, the default, nothing is ever changed. In the modes manual and enforce it revokes violators: within limits,
announced before and proven after, and restorable.`,
		Example: `  egress-janitor demo --once                        # see it work, without an account
  egress-janitor policy validate policies/          # check policy files
  egress-janitor audit -c egress-janitor.yaml       # audit your accounts
  egress-janitor run -c egress-janitor.yaml         # the daemon
  egress-janitor history list --since 30d           # what was removed`,
		Version:       buildInfo().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(
		newRun(sys), newAudit(sys), newSweep(sys), newHistory(sys), newRestore(sys), newPause(sys), newResume(sys),
		newPolicy(sys), newEmulator(sys), newEstate(sys), newDemo(sys), newVersion(sys),
	)
	return root
}

// isTerminal tells whether a person is looking at what is written to w.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// colors tells whether to colour what is written to w.
func (s system) colors(w io.Writer) bool {
	return isTerminal(w) && s.getenv("NO_COLOR") == "" && s.getenv("TERM") != "dumb"
}
