package policytest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The JUnit form, as CI systems read it: one suite per file.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		File      string        `xml:"file,attr"`
		Line      int           `xml:"line,attr"`
		Failure   *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// untouchedSuite is the suite of the cases that stand for what no test touches.
const untouchedSuite = "untouched"

// WriteJUnit writes the report as JUnit XML. What no test touches is a failed case each if it is to count as a failure,
// and otherwise not part of it.
func (r *Report) WriteJUnit(w io.Writer, failUntouched bool) error {
	out := junitSuites{Name: "policy test"}
	for i := range r.Results {
		result := &r.Results[i]
		c := junitCase{Name: printable(result.Name), ClassName: result.Pos.File, File: result.Pos.File, Line: result.Pos.Line}
		if !result.Passed() {
			var text strings.Builder
			result.explain(&text)
			c.Failure = &junitFailure{
				Message: printable(strings.Join(result.Mismatches, "; ")), Type: "decision", Text: text.String(),
			}
		}
		out.add(result.Pos.File, c)
	}
	for _, item := range r.Untouched {
		if !failUntouched {
			break
		}
		out.add(untouchedSuite, junitCase{
			Name: item.Kind + " " + item.Name, ClassName: untouchedSuite, File: item.Pos.File, Line: item.Pos.Line,
			Failure: &junitFailure{Message: "no test touches it", Type: untouchedSuite, Text: item.Pos.String()},
		})
	}
	data, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the report: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(data)+"\n")
	return err
}

// add puts a case into the suite of that name, which is the last one if it is there.
func (s *junitSuites) add(suite string, c junitCase) {
	if n := len(s.Suites); n == 0 || s.Suites[n-1].Name != suite {
		s.Suites = append(s.Suites, junitSuite{Name: suite})
	}
	last := &s.Suites[len(s.Suites)-1]
	last.Cases = append(last.Cases, c)
	last.Tests, s.Tests = last.Tests+1, s.Tests+1
	if c.Failure != nil {
		last.Failures, s.Failures = last.Failures+1, s.Failures+1
	}
}
