package policy

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// expressionField is something that an expression may look at. Declarations, values and the reference come from the one
// table of [expressionFields].
type expressionField struct {
	name    string // as expressions write it, such as rule.protocol
	doc     string
	unknown string // when its value is unknown, in words; empty for never
	typ     *cel.Type
	// get gives the value for a rule. It is of no meaning unless the second result is yes, and that otherwise says why:
	// unread or silent.
	get func(p *probe) (ref.Val, value)
}

// typeName is the type of the field as people write it.
func (f *expressionField) typeName() string {
	switch {
	case f.typ.IsExactType(ext.CIDRType):
		return "cidr"
	case f.typ.IsExactType(cel.ListType(ext.CIDRType)):
		return "list(cidr)"
	}
	return cel.FormatCELType(f.typ)
}

// Words on why a field is unknown that several fields share.
const (
	notUnderstood = "where the destination could not be understood"
	sourceUnknown = "where it could not be understood; a rule without a source is not spoken of"
	portsUnknown  = "where they could not be understood, or a port list is empty or could not be read; a protocol without " +
		"ports is not spoken of"
	entriesUnknown = notUnderstood + ", or a prefix list is empty or could not be read; a destination group is not spoken of"
)

// expressionFields are what an expression may look at, in the order of the reference.
func expressionFields() []expressionField {
	fields := append(ruleFields(), addressFields()...)
	fields = append(fields, portFields()...)
	return append(fields, surroundingFields()...)
}

// ruleFields are the fields of a rule that are plain words, numbers and times.
func ruleFields() []expressionField {
	return []expressionField{
		ofRule("rule.id", "ID of the rule; empty for one of the time before IDs", func(r *sg.Rule) string { return r.ID }),
		{
			name: "rule.protocol", typ: cel.StringType, unknown: "where it could not be understood",
			doc: "tcp, udp, icmp, icmpv6, gre, all, or the IANA number",
			get: func(p *probe) (ref.Val, value) {
				return types.String(p.rule.Protocol.String()), known(p.rule.Protocol != sg.NoProtocol)
			},
		},
		{
			name: "rule.action", typ: cel.StringType, unknown: "where it could not be understood", doc: "accept or drop",
			get: func(p *probe) (ref.Val, value) { return types.String(p.rule.Action), known(p.rule.Action != "") },
		},
		{
			name: "rule.priority", typ: cel.IntType, unknown: "where it could not be understood",
			doc: "priority; 1 is decided first",
			get: func(p *probe) (ref.Val, value) { return types.Int(p.rule.Priority), known(p.rule.Priority != 0) },
		},
		ofRule("rule.description", "description, as it is written", func(r *sg.Rule) string { return r.Description }),
		{
			name: "rule.created", typ: cel.TimestampType, unknown: "where it is missing or could not be understood",
			doc: "when the rule was made",
			get: func(p *probe) (ref.Val, value) {
				return types.Timestamp{Time: p.rule.Created}, known(!p.rule.Created.IsZero())
			},
		},
		ofRule("rule.nic_type", "intranet or internet; empty where the cloud names none",
			func(r *sg.Rule) string { return r.NICType }),
	}
}

// addressFields are the fields about where a rule leads to and comes from.
func addressFields() []expressionField {
	return []expressionField{
		ofDestination("rule.destination", "the destination as the cloud spells it: an address block, or the ID of a group or "+
			"prefix list", func(d *sg.Destination) string { return d.Text }),
		ofDestination("rule.destination_kind", "cidr4, cidr6, group or prefix-list",
			func(d *sg.Destination) string { return string(d.Kind) }),
		{
			name: "rule.cidr", typ: ext.CIDRType, doc: "the one block of the destination, without host bits",
			unknown: notUnderstood + "; a destination group or prefix list is not spoken of", get: oneBlock,
		},
		{
			name: "rule.entries", typ: cel.ListType(ext.CIDRType), unknown: entriesUnknown, get: entries,
			doc: "the blocks of the destination: the one block, or the entries of the prefix list",
		},
		ofDestination("rule.group_id", "ID of the destination group; empty for another destination", ofKind(sg.PeerGroup)),
		ofDestination("rule.group_owner", "account that owns the destination group; empty where the cloud names none",
			func(d *sg.Destination) string { return d.Owner }),
		ofDestination("rule.prefix_list", "ID of the prefix list; empty for another destination", ofKind(sg.FromList)),
		ofRule("rule.source", "the source as the cloud spells it; empty for none",
			func(r *sg.Rule) string { return r.Source.Text }),
		{
			name: "rule.source_cidr", typ: ext.CIDRType, doc: "the block of the source, without host bits", unknown: sourceUnknown,
			get: func(p *probe) (ref.Val, value) {
				source := &p.rule.Source
				if source.Text == "" {
					return nil, silent
				}
				return ext.CIDR{Prefix: source.CIDR}, known(source.CIDR.IsValid())
			},
		},
	}
}

// portFields are the fields about ports.
func portFields() []expressionField {
	one := func(pick func(ports []numbers) ref.Val) func(p *probe) (ref.Val, value) {
		return func(p *probe) (ref.Val, value) {
			ports, state := (&portsClause{}).ports(p)
			if state != yes {
				return nil, state
			}
			return pick(ports), yes
		}
	}
	return []expressionField{
		{
			name: "rule.ports", typ: cel.StringType, unknown: portsUnknown,
			doc: "the ports as policies write them: 443 or 8000-9000; a port list has several, with commas between",
			get: one(func(ports []numbers) ref.Val { return types.String(allNumbers(ports)) }),
		},
		{
			name: "rule.port_low", typ: cel.IntType, doc: "the lowest port", unknown: portsUnknown,
			get: one(func(ports []numbers) ref.Val { return types.Int(ports[0].low) }),
		},
		{
			name: "rule.port_high", typ: cel.IntType, doc: "the highest port", unknown: portsUnknown,
			get: one(func(ports []numbers) ref.Val { return types.Int(ports[len(ports)-1].high) }),
		},
		{
			name: "rule.source_ports", typ: cel.StringType, unknown: portsUnknown,
			doc: "the source ports as policies write them; empty where the rule restricts none",
			get: func(p *probe) (ref.Val, value) {
				ports, state := (&portsClause{side: sourceSide}).ports(p)
				switch {
				case state != yes:
					return nil, state
				case unsetSourcePorts(p.rule):
					return types.String(""), yes
				}
				return types.String(allNumbers(ports)), yes
			},
		},
	}
}

// surroundingFields are the fields about the group, the account and the moment.
func surroundingFields() []expressionField {
	ofGroup := func(name, doc string, get func(*sg.Group) string) expressionField {
		return expressionField{
			name: name, doc: doc, typ: cel.StringType,
			get: func(p *probe) (ref.Val, value) { return types.String(get(p.group)), yes },
		}
	}
	return []expressionField{
		ofGroup("group.id", "ID of the group", func(g *sg.Group) string { return g.ID }),
		ofGroup("group.name", "name of the group", func(g *sg.Group) string { return g.Name }),
		ofGroup("group.description", "description of the group", func(g *sg.Group) string { return g.Description }),
		ofGroup("group.region", "region of the group", func(g *sg.Group) string { return g.Region }),
		ofGroup("group.vpc", "ID of the VPC; empty in the classic network", func(g *sg.Group) string { return g.VPC }),
		ofGroup("group.type", "normal or enterprise", func(g *sg.Group) string { return string(g.Type) }),
		ofGroup("group.resource_group", "ID of the resource group", func(g *sg.Group) string { return g.ResourceGroup }),
		{
			name: "group.tags", typ: cel.MapType(cel.StringType, cel.StringType),
			doc: "the tags; one that is not there makes the expression unknown, so ask first: " +
				"`'env' in group.tags && group.tags['env'] == 'prod'`",
			get: func(p *probe) (ref.Val, value) { return p.tags(), yes },
		},
		{
			name: "group.managed", typ: cel.BoolType, doc: "whether a cloud service owns the group",
			get: func(p *probe) (ref.Val, value) { return types.Bool(p.group.ServiceManaged), yes },
		},
		{
			name: "account", typ: cel.StringType, doc: "name of the account in the config",
			get: func(p *probe) (ref.Val, value) { return types.String(p.account), yes },
		},
		{
			name: "now", typ: cel.TimestampType, doc: "the moment of the sweep",
			get: func(p *probe) (ref.Val, value) { return types.Timestamp{Time: p.now}, yes },
		},
	}
}

// ofRule is a field of a rule that is a text and never unknown.
func ofRule(name, doc string, get func(*sg.Rule) string) expressionField {
	return expressionField{
		name: name, doc: doc, typ: cel.StringType,
		get: func(p *probe) (ref.Val, value) { return types.String(get(p.rule)), yes },
	}
}

// ofDestination is a field of the destination that is a text.
func ofDestination(name, doc string, get func(*sg.Destination) string) expressionField {
	return expressionField{
		name: name, doc: doc, typ: cel.StringType, unknown: notUnderstood,
		get: func(p *probe) (ref.Val, value) {
			d := &p.rule.Destination
			return types.String(get(d)), known(d.Kind != sg.NoDestination)
		},
	}
}

// ofKind gives what a destination names if it is of a kind, and nothing otherwise.
func ofKind(kind sg.DestinationKind) func(*sg.Destination) string {
	return func(d *sg.Destination) string {
		if d.Kind == kind {
			return d.Text
		}
		return ""
	}
}

func oneBlock(p *probe) (ref.Val, value) {
	switch p.rule.Destination.Kind {
	case sg.CIDR4, sg.CIDR6:
		return ext.CIDR{Prefix: p.rule.Destination.CIDR}, yes
	case sg.PeerGroup, sg.FromList:
		return nil, silent
	case sg.NoDestination:
	}
	return nil, unread
}

func entries(p *probe) (ref.Val, value) {
	d := &p.rule.Destination
	if p.dest.state != yes {
		return nil, p.dest.state
	}
	blocks := []ref.Val{ext.CIDR{Prefix: d.CIDR}}
	if d.Kind == sg.FromList {
		blocks = make([]ref.Val, len(d.List.Entries))
		for i, e := range d.List.Entries {
			blocks[i] = ext.CIDR{Prefix: e}
		}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, blocks), yes
}

// allNumbers writes all ranges of a set.
func allNumbers(set []numbers) string {
	texts := make([]string, len(set))
	for i, n := range set {
		texts[i] = n.String()
	}
	return strings.Join(texts, ",")
}

// tags are those of the group, as an expression sees them.
func (p *probe) tags() ref.Val {
	tags := make(map[string]string, len(p.group.Tags))
	for _, t := range p.group.Tags {
		tags[t.Key] = t.Value
	}
	return types.NewStringStringMap(types.DefaultTypeAdapter, tags)
}
