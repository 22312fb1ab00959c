package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Writer writes a snapshot group by group. It is not safe for concurrent use. What it wrote is a snapshot only after
// [Writer.Close].
type Writer struct {
	out    io.Writer
	sum    hash.Hash
	buffer bytes.Buffer
	rules  []Rule // reused

	prefixes map[listKey]bool
	ports    map[listKey]bool

	groups, ruleCount int
	err               error // the first one, which every later call gives again
}

// NewWriter begins a snapshot with its header, of which account, start and program are the caller's.
func NewWriter(out io.Writer, h *Header) (*Writer, error) {
	w := &Writer{out: out, sum: sha256.New(), rules: []Rule{}, prefixes: map[listKey]bool{}, ports: map[listKey]bool{}}
	header := *h
	header.SchemaVersion, header.Kind, header.Started = SchemaVersion, kind, h.Started.UTC()
	w.line(&line{Header: &header})
	return w, w.err
}

// Visit writes a group, after the lists that its rules name and that were read. It keeps nothing of it.
func (w *Writer) Visit(v *Visit) error {
	w.rules = w.rules[:0]
	for i := range v.Rules {
		r := &v.Rules[i]
		w.lists(v.Group.Region, r)
		w.rules = append(w.rules, NewRule(r))
	}
	w.groups++
	w.ruleCount += len(v.Rules)
	w.line(&line{Group: &groupLine{
		Region: v.Group.Region, Group: NewGroup(&v.Group), Incomplete: v.Incomplete, Rules: w.rules,
	}})
	return w.err
}

// Interfaces writes what the interfaces of a region have, before the groups of it. An error shows at the next visit.
func (w *Writer) Interfaces(i *Interfaces) { w.line(&line{Interfaces: i}) }

// lists writes the lists of a rule, unless they are there already.
func (w *Writer) lists(region string, r *sg.Rule) {
	if l := r.Destination.List; l != nil {
		// Names are cloned since they may be part of a whole answer of the cloud.
		key := listKey{string([]byte(region)), string([]byte(r.Destination.Text))}
		if !w.prefixes[key] {
			w.prefixes[key] = true
			w.line(&line{PrefixList: &prefixList{Region: region, ID: key.id, Name: l.Name, Entries: notNil(l.Entries)}})
		}
	}
	if l := r.PortList; l != nil {
		key := listKey{string([]byte(region)), string([]byte(r.PortListID))}
		if !w.ports[key] {
			w.ports[key] = true
			ranges := make([]string, len(l.Ranges))
			for i, ports := range l.Ranges {
				ranges[i] = ports.String()
			}
			w.line(&line{PortList: &portList{Region: region, ID: key.id, Name: l.Name, Ranges: ranges}})
		}
	}
}

// notNil has an empty list spelled as one.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Close ends the snapshot. It does not close what it writes to.
func (w *Writer) Close(s *Scan) error {
	end := trailer{Scan: *s, Groups: w.groups, Rules: w.ruleCount, SHA256: hex.EncodeToString(w.sum.Sum(nil))}
	end.Finished, end.Regions, end.Problems = s.Finished.UTC(), notNil(s.Regions), notNil(s.Problems)
	w.line(&line{Trailer: &end})
	if w.err != nil {
		return w.err
	}
	w.err = errors.New("the snapshot is closed")
	return nil
}

func (w *Writer) line(l *line) {
	if w.err != nil {
		return
	}
	w.buffer.Reset()
	encoder := json.NewEncoder(&w.buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(l); err != nil {
		w.err = fmt.Errorf("writing the snapshot: %w", err)
		return
	}
	if w.buffer.Len() > maxLine {
		w.err = fmt.Errorf("writing the snapshot: a group or list takes %d bytes, more than the %d that can be read back",
			w.buffer.Len(), maxLine)
		return
	}
	_, _ = w.sum.Write(w.buffer.Bytes()) // a hash takes everything
	if _, err := w.out.Write(w.buffer.Bytes()); err != nil {
		w.err = fmt.Errorf("writing the snapshot: %w", err)
	}
}
