package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

func newPolicyValidate(sys system) *cobra.Command {
	var output, outputFile string
	cmd := &cobra.Command{
		Use:   "validate PATH...",
		Short: "Check policy files and print every mistake with its place",
		Long: `Validate reads policy files, or all *.yaml of directories, just as the other commands do, and prints every mistake
as file:line:column: message [code], with the line below it. Files that are named together are checked together: names
must be unique over all of them, and exceptions may name policies of any. What is legal and likely not meant is a
warning. It needs no config and calls nobody.

With --output json or sarif, mistakes and warnings are part of the document. SARIF is what code hosts show beside the
changed line of a merge request.

Exit codes: 0 the policies can be used · 1 they cannot · 64 usage.`,
		Example: `  egress-janitor policy validate policies/
  egress-janitor policy validate policies/open-world.yaml
  egress-janitor policy validate policies/ --output sarif --output-file policies.sarif`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(validateForms(), output) {
				return unknownOutput(output, validateForms()...)
			}
			return sys.validatePolicies(args, output, outputFile)
		},
	}
	addOutput(cmd, &output, validateForms()...)
	cmd.Flags().StringVar(&outputFile, "output-file", "", "write the output to this file, once it is whole")
	return cmd
}

func validateForms() []string { return []string{"text", "json", "sarif"} }

// validation is what validating came to.
type validation struct {
	set      *policy.Set // nil if the policies cannot be used
	mistakes []strictyaml.Problem
	warnings []strictyaml.Problem
}

// validatePolicies is the command.
func (s system) validatePolicies(paths []string, output, outputFile string) error {
	set, err := readPolicies(paths)
	mistaken, isMistake := errors.AsType[*strictyaml.Error](err)
	if err != nil && !isMistake {
		return err
	}
	v := validation{set: set}
	if isMistake {
		v.mistakes = mistaken.Problems
	} else {
		v.warnings = set.Warnings
	}
	err = s.writeOutput(outputFile, func(w io.Writer) error {
		switch output {
		case "json":
			return v.json(w)
		case "sarif":
			return v.sarif(w, buildInfo().Version)
		}
		s.showExcerpts(&v)
		if v.set == nil {
			return nil
		}
		_, err := fmt.Fprintf(w, "%s and %s are valid; policy hash %s\n",
			count(len(v.set.Policies), "policy", "policies"), count(len(v.set.Exceptions), "exception", "exceptions"), v.set.Hash())
		return err
	})
	if err != nil || v.set != nil {
		return err
	}
	s.say("egress-janitor: error: loading policies: %s; nothing was done", count(len(v.mistakes), "mistake", "mistakes"))
	return codeError(exitError)
}

// readSource reads a file that a place names: a policy file, or the file of a set.
func readSource(name string) (text []byte, err error) {
	const most = 64 << 20
	file, err := os.Open(name) //nolint:gosec // a place names a file that was read before
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, most))
}

// showExcerpts prints mistakes and warnings for people, each with the line that it is about.
func (s system) showExcerpts(v *validation) {
	lines := excerpts{read: readSource, files: map[string][][]byte{}}
	for _, p := range v.mistakes {
		s.say("%s%s", p, lines.at(p.Pos))
	}
	for _, w := range v.warnings {
		s.say("%s: warning: %s [%s]%s", w.Pos, w.Message, w.Code, lines.at(w.Pos))
	}
}

// The JSON form of a validation.
type (
	jsonValidation struct {
		Valid      bool                 `json:"valid"`
		PolicyHash string               `json:"policyHash,omitempty"`
		Policies   []jsonValidPolicy    `json:"policies"`
		Exceptions []jsonValidException `json:"exceptions"`
		Sets       []jsonValidSet       `json:"sets"` // with contents from a file or URL
		Problems   []jsonProblem        `json:"problems"`
	}
	jsonValidSet struct {
		Name     string `json:"name"`
		File     string `json:"file"`  // of the policy
		Place    string `json:"place"` // of the contents
		Elements int    `json:"elements"`
		SHA256   string `json:"sha256,omitempty"`
		Problem  string `json:"problem,omitempty"` // why there are no contents; a URL is not asked
	}
	jsonValidPolicy struct {
		Name   string `json:"name"`
		Action string `json:"action"`
		Hash   string `json:"hash"`
		File   string `json:"file"`
		Line   int    `json:"line"`
	}
	jsonValidException struct {
		Name    string    `json:"name"`
		Expires time.Time `json:"expires"`
		File    string    `json:"file"`
		Line    int       `json:"line"`
	}
	jsonProblem struct {
		File     string `json:"file"`
		Line     int    `json:"line"`
		Column   int    `json:"column"`
		Code     string `json:"code"`
		Severity string `json:"severity"` // error, warning
		Message  string `json:"message"`
	}
)

func (v *validation) json(w io.Writer) error {
	doc := jsonValidation{
		Valid: v.set != nil, Policies: []jsonValidPolicy{}, Exceptions: []jsonValidException{},
		Sets: []jsonValidSet{}, Problems: []jsonProblem{},
	}
	if v.set != nil {
		doc.PolicyHash = v.set.Hash()
		for _, p := range v.set.Policies {
			doc.Policies = append(doc.Policies, jsonValidPolicy{
				Name: p.Name, Action: string(p.Action), Hash: p.Hash, File: p.Pos.File, Line: p.Pos.Line,
			})
		}
		for _, x := range v.set.Exceptions {
			doc.Exceptions = append(doc.Exceptions, jsonValidException{
				Name: x.Name, Expires: x.Expires, File: x.Pos.File, Line: x.Pos.Line,
			})
		}
		for _, s := range v.set.Sources() {
			doc.Sets = append(doc.Sets, jsonValidSet{
				Name: s.Set, File: s.File, Place: s.Place, Elements: s.Elements, SHA256: s.SHA256, Problem: s.Problem,
			})
		}
	}
	for severity, problems := range v.bySeverity() {
		for _, p := range problems {
			doc.Problems = append(doc.Problems, jsonProblem{
				File: p.Pos.File, Line: p.Pos.Line, Column: p.Pos.Column, Code: p.Code, Severity: severity, Message: p.Message,
			})
		}
	}
	return writeJSON(w, doc)
}

// bySeverity goes over mistakes and warnings, by the name that documents give their severity.
func (v *validation) bySeverity() func(func(string, []strictyaml.Problem) bool) {
	return func(yield func(string, []strictyaml.Problem) bool) {
		_ = yield("error", v.mistakes) && yield("warning", v.warnings)
	}
}

// writeJSON writes a document with a final newline.
func writeJSON(w io.Writer, doc any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(doc)
}
