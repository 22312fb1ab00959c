package sg

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fields are the texts of an egress rule as the cloud lists them (DescribeSecurityGroupAttribute, one Permission).
// Absent fields are empty.
type Fields struct {
	ID           string
	Protocol     string
	PortRange    string
	SourcePorts  string
	PortListID   string
	CIDR4        string
	CIDR6        string
	GroupID      string
	GroupOwner   string
	PrefixListID string
	SourceCIDR4  string
	SourceCIDR6  string
	SourceOther  string // a source group or list, which no egress rule is documented to have
	Policy       string
	Priority     string
	NICType      string
	Description  string
	Created      string
}

// NewRule understands the fields of a rule as far as possible. It does not fail: see [Rule.Unreadable].
// A prefix list is named by the result but not filled in.
func NewRule(f *Fields) Rule {
	r := Rule{
		ID: f.ID, PortListID: f.PortListID, NICType: strings.ToLower(f.NICType), Description: f.Description,
		Raw: Raw{
			Protocol: f.Protocol, PortRange: f.PortRange, SourcePorts: f.SourcePorts,
			Action: f.Policy, Priority: f.Priority, Created: f.Created,
		},
	}
	r.Created, _ = ParseTime(f.Created)
	r.readProtocolAndPorts(f)
	r.readDestination(f)
	r.readSource(f)
	switch {
	case strings.EqualFold(f.Policy, string(Accept)):
		r.Action = Accept
	case strings.EqualFold(f.Policy, string(Drop)):
		r.Action = Drop
	default:
		r.unreadable("policy %q: expected accept or drop", f.Policy)
	}
	switch r.NICType {
	case NICIntranet, NICInternet, "":
	default:
		r.unreadable("NIC type %q: expected intranet or internet", f.NICType)
	}
	priority, err := strconv.Atoi(f.Priority)
	if err != nil || priority < 1 {
		r.unreadable("priority %q: expected a number from 1", f.Priority)
		priority = 0
	}
	r.Priority = priority
	return r
}

// unreadable keeps the first reason: one is enough to leave the rule alone.
func (r *Rule) unreadable(format string, args ...any) {
	if r.Unreadable == "" {
		r.Unreadable = fmt.Sprintf(format, args...)
	}
}

func (r *Rule) readProtocolAndPorts(f *Fields) {
	var err error
	if r.Protocol, err = ParseProtocol(f.Protocol); err != nil {
		r.unreadable("protocol %q: not known", f.Protocol)
		return
	}
	// What PortRange holds beside a port list is documented nowhere, so the list is what counts.
	if f.PortListID == "" {
		if r.Ports, err = ParseCloudPorts(r.Protocol, f.PortRange); err != nil {
			r.unreadable("%v", err)
		}
	}
	if r.SourcePorts, err = ParseCloudSourcePorts(f.SourcePorts); err != nil {
		r.unreadable("source %v", err)
	}
}

func (r *Rule) readDestination(f *Fields) {
	given := slices.DeleteFunc([]string{f.CIDR4, f.CIDR6, f.GroupID, f.PrefixListID},
		func(form string) bool { return form == "" })
	cidr := cmp.Or(f.CIDR4, f.CIDR6)
	switch {
	case len(given) > 1: // which of them counts is documented for requests only
		r.Destination = Destination{Text: strings.Join(given, " ")}
		r.unreadable("%d destinations: expected one of an address block, a group and a prefix list", len(given))
	case cidr != "":
		prefix, err := ParseCloudCIDR(cidr)
		r.Destination = Destination{Text: cidr}
		if err != nil {
			r.unreadable("destination %v", err)
			return
		}
		r.Destination.Kind, r.Destination.CIDR = KindOf(prefix), prefix
	case f.GroupID != "":
		r.Destination = Destination{Kind: PeerGroup, Text: f.GroupID, Owner: f.GroupOwner}
	case f.PrefixListID != "":
		r.Destination = Destination{Kind: FromList, Text: f.PrefixListID}
	default:
		r.unreadable("no destination")
	}
}

func (r *Rule) readSource(f *Fields) {
	text := cmp.Or(f.SourceCIDR4, f.SourceCIDR6)
	switch {
	case f.SourceOther != "":
		r.Source.Text = f.SourceOther
		r.unreadable("source %q: expected an address block, if any", f.SourceOther)
		return
	case text == "":
		return
	case f.SourceCIDR4 != "" && f.SourceCIDR6 != "":
		r.Source.Text = f.SourceCIDR4 + " " + f.SourceCIDR6
		r.unreadable("both an IPv4 source %q and an IPv6 one %q", f.SourceCIDR4, f.SourceCIDR6)
		return
	}
	r.Source.Text = text
	prefix, err := ParseCloudCIDR(text)
	if err != nil {
		r.unreadable("source %v", err)
		return
	}
	r.Source.CIDR = prefix
}

// ParseTime reads a time of the cloud: UTC, with or without seconds.
func ParseTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
