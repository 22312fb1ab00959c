package cloud

import (
	"encoding/json"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// groupFilter is which groups a listing shows. All its conditions must hold.
type groupFilter struct {
	ids     map[string]bool // Nil: any.
	equal   map[string]string
	network string
	managed string
	tags    []tag
}

func readGroupFilter(p wire.Params) (groupFilter, error) {
	f := groupFilter{equal: map[string]string{}, network: p.Get("NetworkType"), managed: p.Get("ServiceManaged")}
	for _, name := range []string{"SecurityGroupId", "SecurityGroupName", "SecurityGroupType", "VpcId", "ResourceGroupId"} {
		if value := p.Get(name); value != "" {
			f.equal[name] = value
		}
	}
	if id, asked := f.equal["SecurityGroupId"]; asked && !looksLikeID(id, "sg-") {
		return f, wire.Refuse(wire.CodeGroupID)
	}
	if kind, asked := f.equal["SecurityGroupType"]; asked && kind != TypeNormal && kind != TypeEnterprise {
		return f, wire.Refuse(wire.CodeGroupType)
	}
	if name, asked := f.equal["SecurityGroupName"]; asked && !isName(name) {
		return f, wire.Refuse(wire.CodeGroupName)
	}
	if f.network != "" && f.network != "vpc" && f.network != "classic" {
		return f, wire.Refusef(wire.CodeParameter, "The parameter NetworkType must be vpc or classic.")
	}
	if text := p.Get("SecurityGroupIds"); text != "" {
		var ids []string
		if err := json.Unmarshal([]byte(text), &ids); err != nil || len(ids) > maxGroupIDs {
			return f, wire.Refuse(wire.CodeGroupID)
		}
		f.ids = map[string]bool{}
		for _, id := range ids {
			if !looksLikeID(id, "sg-") {
				return f, wire.Refuse(wire.CodeGroupID)
			}
			f.ids[id] = true
		}
	}
	if _, err := p.Bool("ServiceManaged"); err != nil {
		return f, err
	}
	f.tags = readTags(p)
	return f, checkTagFilter(f.tags)
}

// list gives the IDs of the groups that pass, in the order of the listing.
func (f groupFilter) list(r *region) []string {
	ids := make([]string, 0, len(r.order))
	for _, id := range r.order {
		if f.passes(r.groups[id]) {
			ids = append(ids, id)
		}
	}
	_, byResourceGroup := f.equal["ResourceGroupId"]
	if (byResourceGroup || len(f.tags) > 0) && len(ids) > maxFiltered {
		ids = ids[:maxFiltered]
	}
	return ids
}

func (f groupFilter) passes(g *Group) bool {
	if f.ids != nil && !f.ids[g.ID] {
		return false
	}
	if len(f.equal) > 0 && !f.equals(g) {
		return false
	}
	if f.network != "" && (f.network == "vpc") != (g.VPC != "") {
		return false
	}
	if f.managed != "" && strings.EqualFold(f.managed, "true") != g.Managed {
		return false
	}
	return hasTags(g.Tags, f.tags)
}

func (f groupFilter) equals(g *Group) bool {
	has := map[string]string{
		"SecurityGroupId": g.ID, "SecurityGroupName": g.Name, "SecurityGroupType": g.Type, "VpcId": g.VPC,
		"ResourceGroupId": g.ResourceGroup,
	}
	for name, value := range f.equal {
		if has[name] != value {
			return false
		}
	}
	return true
}
