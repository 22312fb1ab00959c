package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// MaxSetBytes bounds the contents of a set: over a million prefixes.
const MaxSetBytes = 32 << 20

const wideMessage = "%q is wider than /8 (IPv4) or /16 (IPv6), which in a set is mostly a slip; " +
	"if it is meant, write `allow-wide: true`"

// Check tells whether contents could be those of the set: whatever is wrong with them is the error, which names lines of
// them. A copy of a URL must only be replaced by contents that pass.
func (s *Source) Check(data []byte) error {
	_, err := s.parse(data)
	return err
}

// parse reads contents that came from a URL.
func (s *Source) parse(data []byte) ([]element, error) {
	if len(data) > MaxSetBytes {
		return nil, fmt.Errorf("they have %d bytes, more than the %d that are read", len(data), MaxSetBytes)
	}
	if why := s.mispinned(data); why != "" {
		return nil, errors.New(why)
	}
	var problems strictyaml.Problems
	elements := parseContents(&problems, s.Place, data, s.allowWide)
	if mistakes, ok := errors.AsType[*strictyaml.Error](problems.Err()); ok {
		first := mistakes.Problems[0]
		return nil, fmt.Errorf("line %d: %s", first.Pos.Line, first.Message)
	}
	if len(elements) == 0 {
		return nil, errors.New("there is no element in them")
	}
	return elements, nil
}

// mispinned says that contents are not those that `sha256` asks for.
func (s *Source) mispinned(data []byte) string {
	if s.pinned == "" {
		return ""
	}
	if sum := hashOf(data); sum != s.pinned {
		return fmt.Sprintf("the contents have the SHA-256 %s, not the one that the set asks for: look at what changed, "+
			"then write the new one", sum)
	}
	return ""
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// fill notes what the contents are.
func (s *Source) fill(data []byte, elements []element, fetched time.Time) {
	s.Fetched, s.SHA256 = fetched, hashOf(data)
	s.Elements, s.Addresses = len(elements), countAddresses(elements)
}

// maxLineProblems bounds what one broken feed reports.
const maxLineProblems = 20

// parseContents reads the contents of a set: one element a line, comments from # on. They must end with a newline: a feed
// that was cut would otherwise pass for a shorter one.
func parseContents(problems *strictyaml.Problems, name string, data []byte, allowWide bool) []element {
	if len(data) > 0 && data[len(data)-1] != '\n' {
		problems.Add(strictyaml.Pos{File: name, Line: 1 + bytes.Count(data, []byte("\n")), Column: 1}, strictyaml.CodeTorn,
			"the file does not end with a newline: it may have been cut while it was written; fetch it again, or end it with one")
		return nil
	}
	elements := make([]element, 0, bytes.Count(data, []byte("\n")))
	number, wrong := 0, 0
	for line := range strings.Lines(string(data)) {
		number++
		text, _, _ := strings.Cut(line, "#")
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		pos := strictyaml.Pos{File: name, Line: number, Column: 1 + strings.Index(line, text)}
		e, err := parseElement(text)
		switch {
		case err != nil:
			problems.Add(pos, CodeAddress, "%s", err)
			wrong++
		case e.wide() && !allowWide:
			problems.Add(pos, CodeWide, wideMessage, text)
			wrong++
		default:
			elements = append(elements, e)
		}
		if wrong == maxLineProblems {
			problems.Add(pos, CodeSet, "the rest of the file was not looked at, since it has %d mistakes up to here", wrong)
			break
		}
	}
	return elements
}
