package snapshot

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Group is a group as reports and snapshots spell it.
type Group struct {
	ID             string            `json:"id"`
	Name           string            `json:"name,omitempty"`
	Description    string            `json:"description,omitempty"`
	Type           string            `json:"type,omitempty"`
	VPC            string            `json:"vpc,omitempty"`
	ResourceGroup  string            `json:"resourceGroup,omitempty"`
	ServiceManaged bool              `json:"serviceManaged,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
}

// NewGroup gives the form of a group. Its region is not part of it.
func NewGroup(g *sg.Group) Group {
	form := Group{
		ID: g.ID, Name: g.Name, Description: g.Description, Type: string(g.Type), VPC: g.VPC,
		ResourceGroup: g.ResourceGroup, ServiceManaged: g.ServiceManaged,
	}
	if len(g.Tags) > 0 {
		form.Tags = make(map[string]string, len(g.Tags))
	}
	for _, t := range g.Tags {
		form.Tags[t.Key] = t.Value
	}
	return form
}

// Value gives the group that the form is of, with its tags sorted by key.
func (g *Group) Value(region string) sg.Group {
	group := sg.Group{
		Region: region, ID: g.ID, Name: g.Name, Description: g.Description, Type: sg.GroupType(g.Type), VPC: g.VPC,
		ResourceGroup: g.ResourceGroup, ServiceManaged: g.ServiceManaged,
	}
	for key, value := range g.Tags {
		group.Tags = append(group.Tags, sg.Tag{Key: key, Value: value})
	}
	slices.SortFunc(group.Tags, func(a, b sg.Tag) int { return strings.Compare(a.Key, b.Key) })
	return group
}

// Rule is a rule as reports and snapshots spell it. A snapshot has the texts of the cloud; a report has words of its own
// in places (`all` for ALL), which mean the same to [Rule.Value].
type Rule struct {
	ID               string `json:"id,omitempty"`
	Protocol         string `json:"protocol"`
	PortRange        string `json:"portRange,omitempty"`
	PortList         string `json:"portList,omitempty"`
	SourcePortRange  string `json:"sourcePortRange,omitempty"`
	Destination      string `json:"destination,omitempty"`
	DestinationKind  string `json:"destinationKind,omitempty"`
	DestinationOwner string `json:"destinationOwner,omitempty"`
	Source           string `json:"source,omitempty"`
	Action           string `json:"action,omitempty"`
	Priority         int    `json:"priority,omitempty"`
	NICType          string `json:"nicType,omitempty"`
	Description      string `json:"description,omitempty"`
	CreateTime       string `json:"createTime,omitempty"`

	// PriorityText is the priority as the cloud wrote it, where it is not simply Priority.
	PriorityText string `json:"priorityText,omitempty"`
	// NotAddress says that Source is no address block, so that it is not taken for one.
	NotAddress bool `json:"sourceIsNoAddress,omitempty"`
	// Unreadable is why the rule was not understood when it was read. A program that understands more must not judge a
	// rule of which not all was kept.
	Unreadable string `json:"unreadable,omitempty"`
}

// NewRule gives the form of a rule. The contents of its lists are not part of it.
func NewRule(r *sg.Rule) Rule {
	form := Rule{
		ID: r.ID, Protocol: r.Raw.Protocol, PortRange: r.Raw.PortRange, PortList: r.PortListID,
		SourcePortRange: r.Raw.SourcePorts, Destination: r.Destination.Text, DestinationKind: string(r.Destination.Kind),
		DestinationOwner: r.Destination.Owner, Source: r.Source.Text, Action: r.Raw.Action, Priority: r.Priority,
		NICType: r.NICType, Description: r.Description, CreateTime: r.Raw.Created,
		NotAddress: r.Source.Text != "" && !r.Source.CIDR.IsValid(), Unreadable: r.Unreadable,
	}
	if r.Priority == 0 || r.Raw.Priority != strconv.Itoa(r.Priority) {
		form.PriorityText = r.Raw.Priority
	}
	return form
}

// Value gives the rule that the form is of, with the lists that it names filled in from lists, which may be nil. A
// field that cannot be understood makes the rule unreadable, as one of the cloud does.
func (r *Rule) Value(lists *Lists) sg.Rule {
	fields := r.fields()
	rule := sg.NewRule(&fields)
	if r.Unreadable != "" {
		rule.Unreadable = r.Unreadable
	}
	lists.fill(&rule)
	return rule
}

// fields are the texts of the rule in the places where the cloud has them.
func (r *Rule) fields() sg.Fields {
	f := sg.Fields{
		ID: r.ID, Protocol: r.Protocol, PortRange: r.PortRange, SourcePorts: r.SourcePortRange, PortListID: r.PortList,
		Policy: r.Action, Priority: r.PriorityText, NICType: r.NICType, Description: r.Description, Created: r.CreateTime,
	}
	if f.Priority == "" && r.Priority != 0 {
		f.Priority = strconv.Itoa(r.Priority)
	}
	switch sg.DestinationKind(r.DestinationKind) {
	case sg.PeerGroup:
		f.GroupID, f.GroupOwner = r.Destination, r.DestinationOwner
	case sg.FromList:
		f.PrefixListID = r.Destination
	case sg.CIDR4, sg.CIDR6, sg.NoDestination: // which of the two it is shows in the text
		f.CIDR4 = r.Destination
	default: // nobody knows what the text means, so it must not be taken for an address
		f.CIDR4 = r.DestinationKind + " " + r.Destination
	}
	if r.NotAddress {
		f.SourceOther = r.Source
	} else {
		f.SourceCIDR4 = r.Source
	}
	return f
}

// Lists are the prefix lists and port lists of one region that were read whole, by ID. A list that a rule names and that
// is not here was not read.
type Lists struct {
	Prefixes map[string][]netip.Prefix `json:"prefixLists,omitempty"`
	Ports    map[string][]string       `json:"portLists,omitempty"` // ranges as the cloud writes them: 80/80
}

// fill points a rule to the contents of the lists that it names. A port list with a range that cannot be understood
// counts as not read.
func (l *Lists) fill(r *sg.Rule) {
	if l == nil {
		return
	}
	if entries, read := l.Prefixes[r.Destination.Text]; read && r.Destination.Kind == sg.FromList {
		r.Destination.List = &sg.PrefixList{ID: r.Destination.Text, Entries: entries}
	}
	if texts, read := l.Ports[r.PortListID]; read && r.PortListID != "" {
		if ranges, err := portRanges(texts); err == nil {
			r.PortList = &sg.PortList{ID: r.PortListID, Ranges: ranges}
		}
	}
}

func portRanges(texts []string) ([]sg.PortRange, error) {
	ranges := make([]sg.PortRange, len(texts))
	for i, text := range texts {
		ports, err := sg.ParseCloudSourcePorts(text) // which knows how no ports are written
		if err != nil {
			return nil, err
		}
		ranges[i] = ports
	}
	return ranges, nil
}
