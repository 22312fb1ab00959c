// Package sg holds the values of the domain: security groups, their egress rules, and what a rule speaks about.
//
// Values come from the cloud and may be odd. A field that cannot be understood does not make a value fail: it makes
// the rule unreadable ([Rule.Unreadable]) and its meaning unknown, and the raw text is kept for the report.
// Everything here is a plain value without behaviour beyond itself; the package imports the standard library only.
package sg

import (
	"errors"
	"net/netip"
	"strings"
	"time"
)

// Errors of the cloud that callers branch on. Adapters wrap or answer to them with [errors.Is].
var (
	// ErrGroupGone says that a security group is not there. Only a second look proves it.
	ErrGroupGone = errors.New("security group not found")
	// ErrThrottled says that a call was refused for its rate and that waiting did not help.
	ErrThrottled = errors.New("throttled by the cloud")
	// ErrDenied says that the credentials are wrong or may not do this. Repeating the call cannot help.
	ErrDenied = errors.New("denied by the cloud")
)

// Identity is who a set of credentials belongs to, as the cloud tells it (sts GetCallerIdentity).
type Identity struct {
	AccountID string
	ARN       string
}

// Region is a region of the cloud. Endpoint is its ECS endpoint, empty where the default one serves.
type Region struct {
	ID       string
	Endpoint string
}

// Page is one page of a listing. An empty Next ends it.
type Page[T any] struct {
	Items []T
	Next  string
}

// GroupType decides what a group allows where no rule speaks.
type GroupType string

// The two types of group: basic groups allow all outbound traffic that no rule drops, advanced ones none that no rule
// accepts.
const (
	TypeNormal     GroupType = "normal"
	TypeEnterprise GroupType = "enterprise"
)

// NIC types. VPC groups have intranet rules only; a classic group has both, listed separately.
const (
	NICIntranet = "intranet"
	NICInternet = "internet"
)

// Tag is a tag of a group. Keys are case-sensitive and unique within a group.
type Tag struct {
	Key   string
	Value string
}

// Group is a security group as DescribeSecurityGroups lists it.
type Group struct {
	Region         string
	ID             string
	Name           string
	Description    string
	Type           GroupType
	VPC            string // empty in the classic network
	ResourceGroup  string
	ServiceManaged bool // owned by a cloud service: read-only to its user
	Tags           []Tag
}

// Tag gives the value of a tag, and whether the group has it.
func (g *Group) Tag(key string) (value string, ok bool) {
	for _, t := range g.Tags {
		if t.Key == key {
			return t.Value, true
		}
	}
	return "", false
}

// Classic tells whether the group is in the classic network.
func (g *Group) Classic() bool { return g.VPC == "" }

// Action is what a rule does with the traffic it matches.
type Action string

// The actions of a rule. The cloud spells them in either case.
const (
	Accept Action = "accept"
	Drop   Action = "drop"
)

// Rule is one egress rule. Text fields keep what the cloud said; parsed fields are zero where it could not be
// understood, and Unreadable then says why.
type Rule struct {
	ID          string
	Protocol    Protocol
	Ports       PortRange // of the destination
	SourcePorts PortRange
	PortListID  string    // set when a port list stands in the place of Ports
	PortList    *PortList // what that list holds; nil if it could not be read, or there is none
	Destination Destination
	Source      Source
	Action      Action
	Priority    int // 1 is decided first; legacy rules of the cloud carry 110
	NICType     string
	Description string
	Created     time.Time // zero if missing or unreadable

	Raw        Raw
	Unreadable string // why the rule could not be understood whole; empty if it could
}

// Raw is the text of a rule's fields as the cloud sent them, for reports and for recognising change.
type Raw struct {
	Protocol    string
	PortRange   string
	SourcePorts string
	Action      string
	Priority    string
	Created     string
}

// DestinationKind tells which of the four forms a rule's destination has.
type DestinationKind string

// Kinds of destination. NoDestination is one that could not be understood.
const (
	NoDestination DestinationKind = ""
	CIDR4         DestinationKind = "cidr4"
	CIDR6         DestinationKind = "cidr6"
	PeerGroup     DestinationKind = "group"
	FromList      DestinationKind = "prefix-list"
)

// Destination is where a rule lets traffic go. Text is the address block as the cloud spelled it, or the ID of the
// group or list.
type Destination struct {
	Kind  DestinationKind
	Text  string
	CIDR  netip.Prefix // kinds cidr4 and cidr6: masked and, if IPv4-mapped, unmapped
	Owner string       // kind group: the account that owns it, if the cloud names it
	List  *PrefixList  // kind prefix-list: what the list holds; nil if it could not be read
}

// Source is where a rule lets traffic come from. The zero value is unset: any address.
type Source struct {
	Text string
	CIDR netip.Prefix
}

// PrefixList is a named list of address blocks that rules can refer to. A list that was read whole and is empty is
// not the same as one that was not read.
type PrefixList struct {
	ID      string
	Name    string
	Entries []netip.Prefix // as [ParseCloudCIDR] gives them: masked and unmapped
}

// PortList is a named list of port ranges that rules can refer to, in the place of a range of their own. A list that was
// read whole and is empty is not the same as one that was not read.
type PortList struct {
	ID     string
	Name   string
	Ranges []PortRange
}

// Clone gives a group that shares no memory with the answer it was decoded from. Whoever keeps a group for longer
// than the scan of it must clone it, or it holds on to the whole answer.
func (g *Group) Clone() *Group {
	c := *g
	for _, text := range []*string{&c.Region, &c.ID, &c.Name, &c.Description, &c.VPC, &c.ResourceGroup} {
		*text = strings.Clone(*text)
	}
	c.Type = GroupType(strings.Clone(string(g.Type)))
	c.Tags = make([]Tag, len(g.Tags))
	for i, t := range g.Tags {
		c.Tags[i] = Tag{Key: strings.Clone(t.Key), Value: strings.Clone(t.Value)}
	}
	return &c
}

// Clone gives a rule that shares no memory with the answer it was decoded from, but its lists; see
// [Group.Clone].
func (r *Rule) Clone() Rule {
	c := *r
	for _, text := range []*string{
		&c.ID, &c.PortListID, &c.NICType, &c.Description, &c.Unreadable,
		&c.Destination.Text, &c.Destination.Owner, &c.Source.Text,
		&c.Raw.Protocol, &c.Raw.PortRange, &c.Raw.SourcePorts, &c.Raw.Action, &c.Raw.Priority, &c.Raw.Created,
	} {
		*text = strings.Clone(*text)
	}
	return c
}
