package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// addOutput adds --output with its completion.
func addOutput(cmd *cobra.Command, output *string, forms ...string) {
	cmd.Flags().StringVarP(output, "output", "o", forms[0], "form of the output: "+strings.Join(forms, " or "))
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp)))
}

// must is for mistakes in the program that show the first time a command is built.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// laterForms are forms of output that the design has and this version has not.
func laterForms() []string {
	return []string{"jsonl", "csv", "markdown", "html", "sarif", "junit"}
}

func unknownOutput(output string, known ...string) error {
	if slices.Contains(laterForms(), output) {
		return usageError{fmt.Errorf("--output %s is not supported yet; use %s", output, strings.Join(known, " or "))}
	}
	return usageError{fmt.Errorf("--output %q is not known; use %s", output, strings.Join(known, " or "))}
}

// writeOutput hands write the standard output, or a file that takes its name only once it is whole: a report that was
// cut must not look like one.
func (s system) writeOutput(file string, write func(io.Writer) error) error {
	if file == "" {
		return write(s.out)
	}
	replaced, err := os.Stat(file)
	switch {
	case err != nil:
		replaced = nil
	case replaced.IsDir():
		return fmt.Errorf("creating the output file: %s is a directory", file)
	case !replaced.Mode().IsRegular():
		return writeDevice(file, write)
	default: // what a symbolic link leads to is replaced, not the link
		if file, err = filepath.EvalSymlinks(file); err != nil {
			return fmt.Errorf("finding the output file: %w", err)
		}
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return fmt.Errorf("creating the output file: %w", err)
	}
	if replaced != nil { // whoever may read the old report may read the new one
		err = temporary.Chmod(replaced.Mode().Perm())
	}
	if err := errors.Join(err, write(temporary), temporary.Sync(), temporary.Close()); err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	if err := os.Rename(temporary.Name(), file); err != nil {
		return errors.Join(fmt.Errorf("naming the output file: %w", err), os.Remove(temporary.Name()))
	}
	return syncDirectory(filepath.Dir(file))
}

// syncDirectory makes a new name in a directory last.
func syncDirectory(name string) error {
	directory, err := os.Open(name) //nolint:gosec // the name is the user's own, by flag
	if err != nil {
		return fmt.Errorf("keeping the output file: %w", err)
	}
	if err := errors.Join(directory.Sync(), directory.Close()); err != nil {
		return fmt.Errorf("keeping the output file: %w", err)
	}
	return nil
}

// writeDevice is for /dev/null, pipes and the like. Putting a file in their place would break them for everybody.
func writeDevice(name string, write func(io.Writer) error) error {
	// Opening a pipe would wait for a reader, deaf to every signal.
	device, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the name is the user's own
	if errors.Is(err, syscall.ENXIO) {
		return fmt.Errorf("opening the output: nobody reads the pipe %s", name)
	}
	if err != nil {
		return fmt.Errorf("opening the output: %w", err)
	}
	return errors.Join(write(device), device.Close())
}
