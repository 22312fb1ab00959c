package acs

import (
	"slices"
	"strings"
)

// authorization is what the header of that name says:
//
//	ACS3-HMAC-SHA256 Credential=KEY,SignedHeaders=a;b;c,Signature=HEX
//
// The parts may be in any order, with spaces around them.
type authorization struct {
	credential string
	signed     []string // As they are written, in lower case that is; sorted, each once.
	signature  string
}

// covers tells whether a header is signed, by its name in lower case.
func (a *authorization) covers(name string) bool {
	_, found := slices.BinarySearch(a.signed, name)
	return found
}

func parseAuthorization(values []string) (*authorization, error) {
	if len(values) != 1 {
		return nil, incompletef("There must be one header Authorization.")
	}
	method, rest, _ := strings.Cut(values[0], " ")
	if method != algorithm {
		return nil, unknownMethod()
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := parts[name]; twice || value == "" {
			return nil, incompletef("The part %.100q of Authorization is empty or there twice.", name)
		}
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return nil, incompletef("Authorization has no part %s.", name)
		}
	}
	if len(parts) != 3 {
		return nil, incompletef("Authorization has parts other than Credential, SignedHeaders and Signature.")
	}
	signed, err := parseSigned(parts["SignedHeaders"])
	if err != nil {
		return nil, err
	}
	return &authorization{credential: parts["Credential"], signed: signed, signature: parts["Signature"]}, nil
}

// parseSigned puts the list of signed headers into its canonical form.
func parseSigned(list string) ([]string, error) {
	names := strings.Split(list, ";")
	slices.Sort(names)
	if names[0] == "" {
		return nil, incompletef("SignedHeaders has an empty name.")
	}
	if len(slices.Compact(slices.Clone(names))) != len(names) {
		return nil, incompletef("SignedHeaders has a name twice.")
	}
	return names, nil
}
