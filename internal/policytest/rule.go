package policytest

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// test reads one test.
func (r *fileReader) test(v strictyaml.Value) {
	m, ok := v.Map(strictyaml.Keys{
		Required: []string{"name", "group", "rule", "expect"},
		Optional: []string{"now", "policies", "because"},
	})
	if !ok {
		return
	}
	t := &test{pos: v.Pos(), now: r.now}
	if v, ok := m.Get("name"); ok {
		t.name, _ = v.String()
		if first, twice := r.names[t.name]; twice {
			v.Problem(CodeDuplicate, "there is a second test named %q; the first is at %s", t.name, first)
		}
		r.names[t.name] = v.Pos()
	}
	if v, ok := m.Get("now"); ok {
		t.now = moment(v)
	}
	if v, ok := m.Get("group"); ok {
		t.group = r.group(v)
	}
	if v, ok := m.Get("rule"); ok {
		t.rule = r.rule(v)
	}
	t.want = r.expectation(m)
	r.tests = append(r.tests, t)
}

// group reads the group of a test: the name of one in `groups`, or a mapping in place.
func (r *fileReader) group(v strictyaml.Value) sg.Group {
	if !v.IsScalar() {
		return readGroup(v)
	}
	name, ok := v.Text()
	if !ok {
		return sg.Group{}
	}
	group, there := r.groups[name]
	if !there {
		v.Problem(CodeGroup, "this file has no group %q%s", name, strictyaml.Suggest(name, known(r.groups)))
	}
	return group
}

// readGroup reads a group. What is not said is that of an ordinary group in a VPC.
func readGroup(v strictyaml.Value) sg.Group {
	g := sg.Group{ID: "sg-test", Region: "cn-hangzhou", VPC: "vpc-test", Type: sg.TypeNormal}
	m, ok := v.Map(strictyaml.Keys{Required: []string{}, Optional: []string{
		"id", "name", "description", "region", "vpc", "type", "resource-group", "tags", "managed",
	}})
	if !ok {
		return g
	}
	for key, field := range map[string]*string{
		"id": &g.ID, "name": &g.Name, "description": &g.Description, "region": &g.Region, "vpc": &g.VPC,
		"resource-group": &g.ResourceGroup,
	} {
		if v, ok := m.Get(key); ok {
			*field, _ = v.Text()
		}
	}
	if v, ok := m.Get("type"); ok {
		word, _ := v.OneOf(string(sg.TypeNormal), string(sg.TypeEnterprise))
		g.Type = sg.GroupType(word)
	}
	if v, ok := m.Get("managed"); ok {
		g.ServiceManaged, _ = v.Bool()
	}
	eachOf(m, "tags", func(_, v strictyaml.Value, key string) {
		text, _ := v.Text()
		g.Tags = append(g.Tags, sg.Tag{Key: key, Value: text})
	})
	return g
}

// rule reads a rule, in the way that people write one, and makes it as one of the cloud is made.
func (r *fileReader) rule(v strictyaml.Value) sg.Rule {
	before := r.problems.Len()
	m, ok := v.Map(strictyaml.Keys{Required: []string{"to"}, Optional: []string{
		"id", "protocol", "ports", "owner", "source", "source-ports", "action", "priority", "description", "created",
		"nic-type",
	}})
	if !ok {
		return sg.Rule{}
	}
	misspelt := r.problems.Len() > before
	f := sg.Fields{ID: "sgr-test", Protocol: "tcp", Policy: string(sg.Accept), Priority: "1", NICType: sg.NICIntranet}
	for key, field := range map[string]*string{
		"id": &f.ID, "description": &f.Description, "protocol": &f.Protocol, "owner": &f.GroupOwner,
	} {
		if v, ok := m.Get(key); ok {
			*field, _ = v.Text()
		}
	}
	if v, ok := m.Get("action"); ok {
		f.Policy, _ = v.OneOf(string(sg.Accept), string(sg.Drop))
	}
	if v, ok := m.Get("nic-type"); ok {
		f.NICType, _ = v.OneOf(sg.NICIntranet, sg.NICInternet)
	}
	if v, ok := m.Get("priority"); ok {
		const highest = 1000 // far over what the cloud has ever had
		priority, _ := v.Int(1, highest)
		f.Priority = strconv.Itoa(priority)
	}
	if v, ok := m.Get("created"); ok {
		f.Created = created(v)
	}
	readEnds(m, &f)
	readPorts(m, &f, misspelt)
	if r.problems.Len() > before {
		return sg.Rule{}
	}
	return r.assemble(v, &f)
}

// readEnds reads where a rule leads to and from.
func readEnds(m strictyaml.Map, f *sg.Fields) {
	if v, ok := m.Get("to"); ok {
		to, _ := v.Text()
		switch {
		case strings.HasPrefix(to, "sg-"):
			f.GroupID = to
		case strings.HasPrefix(to, "pl-"):
			f.PrefixListID = to
		default:
			f.CIDR4, f.CIDR6 = families(v, to, "an address block, the ID of a group (sg-…), or that of a prefix list (pl-…)")
		}
		if f.GroupOwner != "" && f.GroupID == "" {
			m.Key("owner").Problem(CodeRule, "\"owner\" is the account of the group that the rule leads to; this one leads to none")
		}
	}
	if v, ok := m.Get("source"); ok {
		text, _ := v.Text()
		f.SourceCIDR4, f.SourceCIDR6 = families(v, text, "an address block")
	}
}

// families puts an address block into the field for its family, as the cloud spells it there.
func families(v strictyaml.Value, text, expected string) (cidr4, cidr6 string) {
	if _, err := sg.ParseCloudCIDR(text); err != nil {
		v.Problem(CodeAddress, "%q is not %s", text, expected)
	}
	if strings.Contains(text, ":") {
		return "", text
	}
	return text, ""
}

// readPorts reads the ports of a rule, which only TCP and UDP have. Among misspelt keys it asks for none.
func readPorts(m strictyaml.Map, f *sg.Fields, misspelt bool) {
	f.PortRange = "-1/-1"
	if v, ok := m.Get("source-ports"); ok {
		f.SourcePorts, _ = portRange(v)
	}
	protocol, err := sg.ParseProtocol(f.Protocol)
	if err != nil {
		m.Key("protocol").Problem(CodeRule, "%s", err)
		return
	}
	v, given := m.Get("ports")
	switch needed := protocol == sg.TCP || protocol == sg.UDP; {
	case needed && !given && misspelt:
	case needed && !given:
		m.Problem(strictyaml.CodeMissingKey, "the key \"ports\" is missing; write 1-65535 if all are meant")
	case !needed && given:
		m.Key("ports").Problem(CodeRule, "a rule for %s has no ports of its own in the cloud; leave them out", protocol)
	case given:
		text, _ := v.Text()
		if strings.HasPrefix(text, "prl-") {
			f.PortListID = text
			return
		}
		f.PortRange, _ = portRange(v)
	}
}

// portRange turns 443 or 8000-9000 into the spelling of the cloud.
func portRange(v strictyaml.Value) (string, sg.PortRange) {
	text, ok := v.Text()
	if !ok {
		return "", sg.PortRange{}
	}
	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		high = low
	}
	spelt := low + "/" + high
	ports, err := sg.ParseCloudPorts(sg.TCP, spelt)
	if err != nil {
		v.Problem(CodePort, "%q is no port or range of ports, such as 443 or 8000-9000", text)
	}
	return spelt, ports
}

// created reads when a rule was made: a time, or a date for its first moment in UTC.
func created(v strictyaml.Value) string {
	text, ok := v.Text()
	if !ok {
		return ""
	}
	for _, spelt := range []string{text, text + "T00:00:00Z"} {
		if t, ok := sg.ParseTime(spelt); ok {
			return t.Format("2006-01-02T15:04:05Z")
		}
	}
	v.Problem(CodeTime, "%q is neither a time (2026-11-23T12:00:00Z) nor a date (2026-11-23)", text)
	return ""
}

// assemble makes the rule and gives it its lists. What the readers of its keys let through can be read; should that ever
// not be so, it must not pass for a test.
func (r *fileReader) assemble(v strictyaml.Value, f *sg.Fields) sg.Rule {
	rule := sg.NewRule(f)
	if rule.Unreadable != "" {
		v.Problem(CodeRule, "the rule cannot be read: %s", rule.Unreadable)
	}
	rule.Destination.List = r.prefixLists[f.PrefixListID]
	rule.PortList = r.portLists[f.PortListID]
	return rule
}

// prefixList reads what a prefix list holds; it may be empty.
func prefixList(id string, v strictyaml.Value) *sg.PrefixList {
	list := &sg.PrefixList{ID: id}
	if !v.IsList() {
		v.Expected("a list of address blocks, [] if it holds none")
		return list
	}
	list.Entries = make([]netip.Prefix, 0, len(v.Children()))
	for _, element := range v.Children() {
		text, ok := element.Text()
		if !ok {
			continue
		}
		entry, err := sg.ParseCloudCIDR(text)
		if err != nil {
			element.Problem(CodeAddress, "%s", err)
		}
		list.Entries = append(list.Entries, entry)
	}
	return list
}

// portList reads what a port list holds; it may be empty.
func portList(id string, v strictyaml.Value) *sg.PortList {
	list := &sg.PortList{ID: id}
	if !v.IsList() {
		v.Expected("a list of ports and ranges, [] if it holds none")
		return list
	}
	for _, element := range v.Children() {
		_, ports := portRange(element)
		list.Ranges = append(list.Ranges, ports)
	}
	return list
}
