package estates

import (
	"math"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// Codes of the problems that estate files have beyond those of strict YAML.
const (
	problemDuplicate = "duplicate-id"
	problemAccount   = "account"
	problemPorts     = "missing-ports"
)

// Load reads an estate file. The name is only for the error, which is a *[strictyaml.Error] with every problem
// at its line and column. Texts are kept as they are written; what the API would refuse is not refused here.
func Load(file string, data []byte) (*cloud.Estate, error) {
	var problems strictyaml.Problems
	estate := &cloud.Estate{Account: cloud.DefaultAccount}
	if root, ok := strictyaml.Parse(&problems, file, data); ok {
		readEstate(root, estate)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return estate, nil
}

func readEstate(root strictyaml.Value, estate *cloud.Estate) {
	m, ok := root.Map(strictyaml.Keys{Required: []string{"version", "regions"}, Optional: []string{"account"}})
	if !ok {
		return
	}
	if v, there := m.Get("version"); there {
		v.Int(1, 1)
	}
	if v, there := m.Get("account"); there {
		if text, ok := v.Text(); ok && !cloud.IsAccountID(text) {
			v.Problem(problemAccount, "the account %q is not a number of at most 20 digits", text)
		} else {
			estate.Account = text
		}
	}
	seen := unique{}
	for _, v := range elements(m, "regions") {
		var r cloud.Region
		readRegion(v, &r, seen)
		estate.Regions = append(estate.Regions, r)
	}
}

// unique knows what IDs stood where.
type unique map[string]int

func (u unique) add(v strictyaml.Value, id string) {
	if line, twice := u[id]; twice {
		v.Problem(problemDuplicate, "the ID %q stands here a second time; the first is at line %d", id, line)
		return
	}
	u[id] = v.Pos().Line
}

func elements(m strictyaml.Map, key string) []strictyaml.Value {
	v, there := m.Get(key)
	if !there {
		return nil
	}
	list, _ := v.List()
	return list
}

// identify reads an ID, which must not be empty.
func identify(m strictyaml.Map, into *string, seen unique) {
	if v, there := m.Get("id"); there {
		if id, ok := v.String(); ok {
			*into = id
			seen.add(v, id)
		}
	}
}

// text reads a value that may be empty; absent leaves the target as it is.
func text(m strictyaml.Map, key string, into *string) {
	if v, there := m.Get(key); there {
		if read, ok := v.Text(); ok {
			*into = read
		}
	}
}

func oneOf(m strictyaml.Map, key string, into *string, words ...string) {
	if v, there := m.Get(key); there {
		*into, _ = v.OneOf(words...)
	}
}

func readRegion(v strictyaml.Value, r *cloud.Region, seen unique) {
	m, ok := v.Map(strictyaml.Keys{Required: []string{"id"}, Optional: []string{"prefix-lists", "groups"}})
	if !ok {
		return
	}
	identify(m, &r.ID, seen)
	lists, groups := unique{}, unique{}
	for _, v := range elements(m, "prefix-lists") {
		var list cloud.PrefixList
		readPrefixList(v, &list, lists)
		r.PrefixLists = append(r.PrefixLists, list)
	}
	for _, v := range elements(m, "groups") {
		var g cloud.Group
		readGroup(v, &g, groups)
		r.Groups = append(r.Groups, g)
	}
}

func readPrefixList(v strictyaml.Value, list *cloud.PrefixList, seen unique) {
	m, ok := v.Map(strictyaml.Keys{
		Required: []string{"id", "name"},
		Optional: []string{"family", "max-entries", "description", "entries", "created"},
	})
	if !ok {
		return
	}
	identify(m, &list.ID, seen)
	text(m, "name", &list.Name)
	text(m, "description", &list.Description)
	text(m, "created", &list.Created)
	list.Family = cloud.FamilyIPv4
	oneOf(m, "family", &list.Family, cloud.FamilyIPv4, cloud.FamilyIPv6)
	if v, there := m.Get("max-entries"); there {
		list.MaxEntries, _ = v.Int(1, math.MaxInt32)
	}
	for _, v := range elements(m, "entries") {
		var e cloud.Entry
		if !v.IsMap() {
			e.CIDR, _ = v.Text()
		} else if m, ok := v.Map(strictyaml.Keys{Required: []string{"cidr"}, Optional: []string{"description"}}); ok {
			text(m, "cidr", &e.CIDR)
			text(m, "description", &e.Description)
		}
		list.Entries = append(list.Entries, e)
	}
}

func readGroup(v strictyaml.Value, g *cloud.Group, seen unique) {
	m, ok := v.Map(strictyaml.Keys{
		Required: []string{"id", "name"},
		Optional: []string{
			"type", "vpc", "description", "managed", "resource-group", "created", "tags", "inner-access", "egress",
		},
	})
	if !ok {
		return
	}
	identify(m, &g.ID, seen)
	g.Type = cloud.TypeNormal
	oneOf(m, "type", &g.Type, cloud.TypeNormal, cloud.TypeEnterprise)
	oneOf(m, "inner-access", &g.InnerAccess, "Accept", "Drop")
	for key, into := range map[string]*string{
		"name": &g.Name, "vpc": &g.VPC, "description": &g.Description, "resource-group": &g.ResourceGroup,
		"created": &g.Created,
	} {
		text(m, key, into)
	}
	if v, there := m.Get("managed"); there {
		g.Managed, _ = v.Bool()
	}
	if v, there := m.Get("tags"); there {
		g.Tags = readTags(v)
	}
	rules := unique{}
	for _, v := range elements(m, "egress") {
		var rule cloud.Rule
		readRule(v, &rule, rules)
		g.Egress = append(g.Egress, rule)
	}
}

func readTags(v strictyaml.Value) map[string]string {
	m, ok := v.Map(strictyaml.Keys{})
	if !ok {
		return nil
	}
	tags := map[string]string{}
	for key, value := range m.All() {
		tags[key], _ = value.Text()
	}
	return tags
}

func readRule(v strictyaml.Value, r *cloud.Rule, seen unique) {
	m, ok := v.Map(strictyaml.Keys{
		Required: []string{"protocol", "to"},
		Optional: []string{
			"id", "ports", "port-list", "to-account", "policy", "priority", "nic", "description", "created", "source",
			"source-ports",
		},
	})
	if !ok {
		return
	}
	for key, into := range map[string]*string{
		"id": &r.ID, "protocol": &r.Protocol, "ports": &r.Ports, "port-list": &r.PortList, "to": &r.Peer,
		"to-account": &r.PeerAccount, "policy": &r.Policy, "nic": &r.NIC, "description": &r.Description,
		"created": &r.Created, "source": &r.Own, "source-ports": &r.SourcePorts,
	} {
		text(m, key, into)
	}
	if id, there := m.Get("id"); there {
		if r.NoID = r.ID == ""; !r.NoID {
			seen.add(id, r.ID)
		}
	}
	if v, there := m.Get("priority"); there {
		r.Priority, _ = v.Int(1, math.MaxInt32)
	}
	if cloud.HasPorts(r.Protocol) && !m.Has("ports") && !m.Has("port-list") {
		m.Problem(problemPorts, "a rule for %s needs ports, as 443/443, or a port-list", r.Protocol)
	}
}
