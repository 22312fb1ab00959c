package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// micros is a time as it is stored: microseconds since 1970, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// stored is a time as it comes back from the store.
func stored(t time.Time) time.Time { return fromMicros(micros(t)) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// storedFields fixes how the fields of a rule are spelled on the disk and in the audit log, whatever their names become
// in the program. The compiler sees to it that none is forgotten.
type storedFields struct {
	ID           string `json:"id,omitempty"`
	Protocol     string `json:"protocol,omitempty"`
	PortRange    string `json:"portRange,omitempty"`
	SourcePorts  string `json:"sourcePorts,omitempty"`
	PortListID   string `json:"portListId,omitempty"`
	CIDR4        string `json:"cidr4,omitempty"`
	CIDR6        string `json:"cidr6,omitempty"`
	GroupID      string `json:"groupId,omitempty"`
	GroupOwner   string `json:"groupOwner,omitempty"`
	PrefixListID string `json:"prefixListId,omitempty"`
	SourceCIDR4  string `json:"sourceCidr4,omitempty"`
	SourceCIDR6  string `json:"sourceCidr6,omitempty"`
	SourceOther  string `json:"sourceOther,omitempty"`
	Policy       string `json:"policy,omitempty"`
	Priority     string `json:"priority,omitempty"`
	NICType      string `json:"nicType,omitempty"`
	Description  string `json:"description,omitempty"`
	Created      string `json:"created,omitempty"`
}

func fieldsOf(r *sg.Rule) storedFields { return storedFields(r.Fields()) }

// storedRule is a rule as it comes back from the store: without the contents of its prefix list.
func storedRule(r *sg.Rule) sg.Rule {
	f := r.Fields()
	return sg.NewRule(&f)
}

func ruleFrom(text string) (sg.Rule, error) {
	var f storedFields
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return sg.Rule{}, fmt.Errorf("reading a stored rule: %w", err)
	}
	fields := sg.Fields(f)
	return sg.NewRule(&fields), nil
}

// storedParameters spells parameters as pairs, so that their order is kept.
func storedParameters(parameters []revoker.Parameter) [][2]string {
	pairs := make([][2]string, 0, len(parameters))
	for _, p := range parameters {
		pairs = append(pairs, [2]string{p.Name, p.Value})
	}
	return pairs
}

func parametersFrom(text string) ([]revoker.Parameter, error) {
	var pairs [][2]string
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		return nil, fmt.Errorf("reading the parameters of a stored call: %w", err)
	}
	var parameters []revoker.Parameter
	for _, p := range pairs {
		parameters = append(parameters, revoker.Parameter{Name: p[0], Value: p[1]})
	}
	return parameters, nil
}

// encode spells a value as JSON. What the store spells is made of strings, numbers and times: it cannot fail.
func encode(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("spelling a value for the store: %w", err)
	}
	return string(text), nil
}
