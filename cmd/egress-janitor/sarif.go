package main

import (
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/policy"
)

// Where this program and its documentation are found.
const (
	homepage  = "https://github.com/egress-janitor/egress-janitor"
	codesPage = homepage + "/blob/main/docs/policy-reference.md"
)

// The parts of SARIF 2.1.0 that a validation has.
// Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		Help             sarifText `json:"help"`
		HelpURI          string    `json:"helpUri"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	// sarifInvocation tells that the check itself was carried out, whatever it found.
	sarifInvocation struct {
		Successful bool `json:"executionSuccessful"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"` // error, warning
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
)

// sarif writes the validation as a SARIF log. All codes are listed as rules, so that those that were checked and not
// violated are known too.
func (v *validation) sarif(w io.Writer, version string) error {
	codes := policy.Codes()
	run := sarifRun{
		Tool: sarifTool{Driver: sarifDriver{
			Name: "egress-janitor", Version: version, InformationURI: homepage, Rules: make([]sarifRule, len(codes)),
		}},
		Invocations: []sarifInvocation{{Successful: true}},
		ColumnKind:  "unicodeCodePoints",
		Results:     []sarifResult{},
	}
	for i, c := range codes {
		run.Tool.Driver.Rules[i] = sarifRule{
			ID: c.Code, ShortDescription: sarifText{c.Meaning}, Help: sarifText{c.Advice}, HelpURI: codesPage + "#" + c.Code,
		}
	}
	for level, problems := range v.bySeverity() {
		for _, p := range problems {
			run.Results = append(run.Results, sarifResult{
				RuleID:    p.Code,
				RuleIndex: slices.IndexFunc(codes, func(c policy.CodeDoc) bool { return c.Code == p.Code }),
				Level:     level,
				Message:   sarifText{p.Message},
				Locations: []sarifLocation{{sarifPhysical{
					Artifact: sarifArtifact{fileURI(p.Pos.File)},
					Region:   sarifRegion{StartLine: p.Pos.Line, StartColumn: p.Pos.Column},
				}}},
			})
		}
	}
	return writeJSON(w, sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}

// fileURI is the name of a file as a URI: relative names stay relative, to whatever the reader of the log knows as the
// root of the sources.
func fileURI(name string) string {
	name = filepath.ToSlash(name)
	if strings.HasPrefix(name, "/") {
		return (&url.URL{Scheme: "file", Path: name}).String()
	}
	return (&url.URL{Path: name}).String() // with ./ where a colon would pass for the end of a scheme
}
