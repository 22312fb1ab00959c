package policytest

import (
	"encoding/json"
	"io"
)

// The JSON form. Absent means that there is nothing to say; null is not used.
type (
	jsonReport struct {
		SchemaVersion int         `json:"schemaVersion"`
		Passed        int         `json:"passed"`
		Failed        int         `json:"failed"`
		Tests         []jsonTest  `json:"tests"`
		Untouched     *[]jsonItem `json:"untouched,omitempty"`
		Unspared      *[]jsonItem `json:"oneSided,omitempty"`
	}
	jsonTest struct {
		Name       string        `json:"name"`
		File       string        `json:"file"`
		Line       int           `json:"line"`
		Passed     bool          `json:"passed"`
		Want       jsonOutcome   `json:"want"`
		Got        jsonOutcome   `json:"got"`
		Mismatches []string      `json:"mismatches,omitempty"`
		Silent     []jsonSilence `json:"silent,omitempty"`
	}
	jsonOutcome struct {
		Decision string        `json:"decision"`
		Detail   string        `json:"detail,omitempty"`
		Policies []jsonVerdict `json:"policies,omitempty"`
		Because  []string      `json:"because,omitempty"`
	}
	jsonVerdict struct {
		Name    string   `json:"name"`
		Verdict string   `json:"verdict"`
		Because []string `json:"because,omitempty"`
	}
	jsonSilence struct {
		Name string `json:"name"`
		Why  string `json:"why"`
	}
	jsonItem struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
		File string `json:"file"`
		Line int    `json:"line"`
	}
)

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	failed := r.Failed()
	out := jsonReport{SchemaVersion: 1, Passed: len(r.Results) - failed, Failed: failed, Tests: []jsonTest{}}
	for i := range r.Results {
		result := &r.Results[i]
		var silent []jsonSilence
		for _, s := range result.Silent {
			silent = append(silent, jsonSilence(s))
		}
		out.Tests = append(out.Tests, jsonTest{
			Name: result.Name, File: result.Pos.File, Line: result.Pos.Line, Passed: result.Passed(),
			Want: result.Want.json(), Got: result.Got.json(), Mismatches: result.Mismatches, Silent: silent,
		})
	}
	out.Untouched, out.Unspared = jsonItems(r.Untouched), jsonItems(r.Unspared)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

func (o *Outcome) json() jsonOutcome {
	out := jsonOutcome{Decision: o.Decision, Detail: o.Detail, Because: o.Because}
	for _, v := range o.Policies {
		out.Policies = append(out.Policies, jsonVerdict{Name: v.Policy, Verdict: v.Verdict, Because: v.Because})
	}
	return out
}

func jsonItems(items []Item) *[]jsonItem {
	if items == nil {
		return nil
	}
	list := make([]jsonItem, 0, len(items))
	for _, item := range items {
		list = append(list, jsonItem{Kind: item.Kind, Name: item.Name, File: item.Pos.File, Line: item.Pos.Line})
	}
	return &list
}
