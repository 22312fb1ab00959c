package snapshot

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Read reads a snapshot, hands each group to visit, and gives what header and trailer say. The lists that rules point to
// are shared between them. Whether the snapshot is whole shows only at its end: until Read has returned without an error,
// nothing that visit was given may be believed.
//
// A snapshot may be compressed by gzip; its first bytes tell.
//
// The error is [ErrNotWhole], by errors.Is, if the snapshot was cut or changed; what visit gives is given as it is.
func Read(in io.Reader, visit func(*Visit) error) (*Header, *Scan, error) {
	return ReadWith(in, visit, func(*Interfaces) {})
}

// ReadWith is as [Read], and also hands on what is known of interfaces, before the groups of their region.
func ReadWith(in io.Reader, visit func(*Visit) error, interfaces func(*Interfaces)) (*Header, *Scan, error) {
	plain, err := decompressed(in)
	if err != nil {
		return nil, nil, err
	}
	r := &reader{
		in: plain, sum: sha256.New(), visit: visit, interfaces: interfaces,
		prefixes: map[listKey]*sg.PrefixList{}, ports: map[listKey]*sg.PortList{},
	}
	for r.scan == nil {
		if err := r.line(); err != nil {
			return nil, nil, err
		}
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("line %d: %w: there is more after its end", r.number+1, ErrNotWhole)
	}
	return r.header, r.scan, nil
}

// ReadHeader reads the header alone, to know what a snapshot is of. It says nothing about the rest.
func ReadHeader(in io.Reader) (*Header, error) {
	plain, err := decompressed(in)
	if err != nil {
		return nil, err
	}
	r := &reader{in: plain, sum: sha256.New()}
	if err := r.line(); err != nil {
		return nil, err
	}
	return r.header, nil
}

// decompressed undoes gzip, if there is any.
func decompressed(in io.Reader) (*bufio.Reader, error) {
	buffered := bufio.NewReaderSize(in, bufferSize)
	if magic, _ := buffered.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) { // an error comes again with the first line
		return buffered, nil
	}
	plain, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotWhole, err)
	}
	return bufio.NewReaderSize(plain, bufferSize), nil
}

const bufferSize = 64 << 10

type reader struct {
	in     *bufio.Reader
	sum    hash.Hash // of the lines before the present one
	number int       // of the present line
	buffer []byte
	visit  func(*Visit) error

	interfaces func(*Interfaces)
	networked  map[string]bool // regions of which the interfaces were handed on

	header   *Header // nil before the first line
	scan     *Scan   // nil before the last one
	prefixes map[listKey]*sg.PrefixList
	ports    map[listKey]*sg.PortList

	groups, rules int
}

func (r *reader) line() error {
	text, err := r.next()
	if err != nil {
		return err
	}
	var l line
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&l)
	if r.header == nil {
		return r.begin(text, &l, err)
	}
	if err != nil || decoder.InputOffset() != int64(len(text)-1) || l.fields() != 1 || l.Header != nil {
		return r.broken("it is no line of a snapshot")
	}
	if l.Trailer != nil {
		return r.end(l.Trailer)
	}
	_, _ = r.sum.Write(text)
	switch {
	case l.PrefixList != nil:
		return r.prefixList(l.PrefixList)
	case l.PortList != nil:
		return r.portList(l.PortList)
	case l.Interfaces != nil:
		return r.combinations(l.Interfaces)
	}
	return r.group(l.Group)
}

// next gives the next line, with its end.
func (r *reader) next() ([]byte, error) {
	r.number++
	r.buffer = r.buffer[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		r.buffer = append(r.buffer, part...)
		switch {
		case len(r.buffer) > maxLine:
			return nil, fmt.Errorf("line %d: longer than %d bytes", r.number, maxLine)
		case err == nil:
			return r.buffer, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // the latter is of a compressed one that was cut
			return nil, r.broken("it ends here")
		case isDamage(err):
			return nil, r.broken(err.Error())
		default:
			return nil, fmt.Errorf("reading the snapshot: %w", err)
		}
	}
}

// isDamage tells whether decompression failed for what the file holds.
func isDamage(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader)
}

func (r *reader) broken(what string) error {
	return fmt.Errorf("line %d: %w: %s", r.number, ErrNotWhole, what)
}

// begin takes the first line. A header of a later version may have keys that this program does not know.
func (r *reader) begin(text []byte, l *line, decoded error) error {
	var first struct {
		Header struct {
			SchemaVersion int    `json:"schemaVersion"`
			Kind          string `json:"kind"`
		} `json:"header"`
	}
	switch err := json.Unmarshal(text, &first); {
	case err != nil || first.Header.Kind != kind:
		return errors.New("this is no snapshot: its first line is not the header of one")
	case first.Header.SchemaVersion != SchemaVersion:
		return fmt.Errorf("the snapshot has the form %d, and this program reads %d: use the program that wrote it",
			first.Header.SchemaVersion, SchemaVersion)
	case decoded != nil || l.fields() != 1 || l.Header == nil || l.Header.Account.Name == "" || l.Header.Started.IsZero():
		return r.broken("it is no header")
	}
	_, _ = r.sum.Write(text)
	r.header = l.Header
	return nil
}

func (r *reader) prefixList(l *prefixList) error {
	key := listKey{l.Region, l.ID}
	if r.prefixes[key] != nil {
		return r.broken("a prefix list is there twice")
	}
	for _, entry := range l.Entries {
		if normal, err := sg.ParseCloudCIDR(entry.String()); err != nil || normal != entry {
			return r.broken("an entry of a prefix list is no address block, or has host bits")
		}
	}
	r.prefixes[key] = &sg.PrefixList{ID: l.ID, Name: l.Name, Entries: l.Entries}
	return nil
}

func (r *reader) portList(l *portList) error {
	key := listKey{l.Region, l.ID}
	if r.ports[key] != nil {
		return r.broken("a port list is there twice")
	}
	ranges, err := portRanges(l.Ranges)
	if err != nil {
		return r.broken("a port list has a range that is none")
	}
	r.ports[key] = &sg.PortList{ID: l.ID, Name: l.Name, Ranges: ranges}
	return nil
}

// combinations hands on what the interfaces of a region have.
func (r *reader) combinations(i *Interfaces) error {
	if r.networked == nil {
		r.networked = map[string]bool{}
	}
	if i.Region == "" || r.networked[i.Region] {
		return r.broken("interfaces of no region, or of one twice")
	}
	r.networked[i.Region] = true
	for _, c := range i.Combinations {
		if len(c.Groups) == 0 || !slices.IsSorted(c.Groups) || c.Interfaces < 1 || c.Instances < 0 {
			return r.broken("interfaces without groups, in no order, or none")
		}
	}
	r.interfaces(i)
	return nil
}

func (r *reader) group(g *groupLine) error {
	if g.Region == "" || g.Group.ID == "" {
		return r.broken("a group has no region or no ID")
	}
	v := &Visit{Group: g.Group.Value(g.Region), Rules: make([]sg.Rule, len(g.Rules)), Incomplete: g.Incomplete}
	for i := range g.Rules {
		rule := g.Rules[i].Value(nil)
		if rule.Destination.Kind == sg.FromList {
			rule.Destination.List = r.prefixes[listKey{g.Region, rule.Destination.Text}]
		}
		if rule.PortListID != "" {
			rule.PortList = r.ports[listKey{g.Region, rule.PortListID}]
		}
		v.Rules[i] = rule
	}
	r.groups++
	r.rules += len(v.Rules)
	return r.visit(v)
}

func (r *reader) end(t *trailer) error {
	switch sum := hex.EncodeToString(r.sum.Sum(nil)); {
	case t.SHA256 != sum:
		return r.broken("its lines are not those that were written")
	case t.Groups != r.groups || t.Rules != r.rules:
		return r.broken(fmt.Sprintf("it has %d groups and %d rules, and says %d and %d", r.groups, r.rules, t.Groups, t.Rules))
	case t.Complete && (len(t.Problems) > 0 || len(t.Regions) == 0):
		return r.broken("it says to be complete, and is not")
	}
	r.scan = &t.Scan
	return nil
}
