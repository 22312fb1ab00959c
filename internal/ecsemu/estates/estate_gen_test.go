package estates_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// estateGen gives any estate that can be loaded: IDs are there and different, and policies make sense.
func estateGen() *rapid.Generator[*cloud.Estate] {
	return rapid.Custom(func(t *rapid.T) *cloud.Estate {
		e := accountGen(cloud.DefaultAccount).Draw(t, "account")
		if rapid.Bool().Draw(t, "another default") {
			e.Account = "7"
		}
		if rapid.Bool().Draw(t, "others") {
			e.Others = []cloud.Estate{accountGen("42").Draw(t, "42"), accountGen("43").Draw(t, "43")}
		}
		return &e
	})
}

func accountGen(id string) *rapid.Generator[cloud.Estate] {
	return rapid.Custom(func(t *rapid.T) cloud.Estate {
		e := cloud.Estate{
			Account:        id,
			Users:          different(someGen(userGen(), 3).Draw(t, "users"), func(u cloud.User) string { return u.Name }),
			Roles:          different(someGen(roleGen(), 2).Draw(t, "roles"), func(r cloud.Role) string { return r.Name }),
			ResourceGroups: someGen(idGen(), 2).Draw(t, "resource groups"),
			Regions: different(rapid.SliceOfN(regionGen(), 1, 2).Draw(t, "regions"),
				func(r cloud.Region) string { return r.ID }),
		}
		if name := textGen().Draw(t, "name"); name != "" {
			e.Name = name + id
		}
		for _, key := range someGen(idGen(), 2).Draw(t, "keys") {
			e.Keys = append(e.Keys, cloud.AccessKey{
				ID: key + id, Secret: idGen().Draw(t, "secret"), Inactive: rapid.Bool().Draw(t, "inactive"),
			})
		}
		e.Keys = different(e.Keys, func(k cloud.AccessKey) string { return k.ID })
		if len(e.Keys) > 0 && len(e.Users) > 0 {
			e.Keys[0].User = e.Users[0].Name
		}
		return e
	})
}

func policyGen() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		`{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"{\n  \"Version\": \"1\",\n\n  \"Statement\": [{\"Effect\": \"Deny\", \"Action\": \"ecs:*\", \"Resource\": \"*\"}]\n}\n",
		"  {\"Version\":\"1\",\n\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{\"a:b\":\"it's\"}}}]}\n",
		"{\"Version\":\"1\",\t\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}\n\n",
	})
}

func userGen() *rapid.Generator[cloud.User] {
	return rapid.Custom(func(t *rapid.T) cloud.User {
		return cloud.User{Name: idGen().Draw(t, "name"), Policies: someGen(policyGen(), 2).Draw(t, "policies")}
	})
}

func roleGen() *rapid.Generator[cloud.Role] {
	return rapid.Custom(func(t *rapid.T) cloud.Role {
		return cloud.Role{
			Name: idGen().Draw(t, "name"), Policies: someGen(policyGen(), 2).Draw(t, "policies"),
			Trust: `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` +
				`{"RAM":["acs:ram::42:root"]}}]}`,
			MaxSession: time.Duration(rapid.IntRange(0, 50000).Draw(t, "session")) * time.Second,
		}
	})
}

func regionGen() *rapid.Generator[cloud.Region] {
	return rapid.Custom(func(t *rapid.T) cloud.Region {
		return cloud.Region{
			ID: idGen().Draw(t, "id"), GroupQuota: rapid.IntRange(0, 9).Draw(t, "quota"),
			VPCs:        different(someGen(vpcGen(), 2).Draw(t, "vpcs"), func(v cloud.VPC) string { return v.ID }),
			PrefixLists: different(someGen(prefixListGen(), 2).Draw(t, "lists"), func(l cloud.PrefixList) string { return l.ID }),
			PortLists:   different(someGen(portListGen(), 2).Draw(t, "port lists"), func(l cloud.PortList) string { return l.ID }),
			Groups:      different(someGen(groupGen(), 2).Draw(t, "groups"), func(g cloud.Group) string { return g.ID }),
			Interfaces:  different(someGen(interfaceGen(), 2).Draw(t, "interfaces"), func(i cloud.Interface) string { return i.ID }),
		}
	})
}

func vpcGen() *rapid.Generator[cloud.VPC] {
	return rapid.Custom(func(t *rapid.T) cloud.VPC {
		text := func(what string) string { return textGen().Draw(t, what) }
		return cloud.VPC{
			ID: idGen().Draw(t, "id"), Name: text("name"), CIDR: text("cidr"), Description: text("description"), Created: text("created"),
			Default: rapid.Bool().Draw(t, "default"), VSwitches: someGen(idGen(), 12).Draw(t, "vswitches"),
		}
	})
}

func interfaceGen() *rapid.Generator[cloud.Interface] {
	return rapid.Custom(func(t *rapid.T) cloud.Interface {
		text := func(what string) string { return textGen().Draw(t, what) }
		return cloud.Interface{
			ID: idGen().Draw(t, "id"), Name: text("name"), VPC: text("vpc"), VSwitch: text("vswitch"), Private: text("private"),
			Groups: someGen(idGen(), 2).Draw(t, "groups"), Instance: text("instance"), Created: text("created"),
			Type:        rapid.SampledFrom([]string{"Primary", "Secondary"}).Draw(t, "type"),
			Secondaries: someGen(idGen(), 2).Draw(t, "secondaries"), IPv6: someGen(idGen(), 2).Draw(t, "ipv6"),
			Description: text("description"), MAC: text("mac"), Zone: text("zone"), ResourceGroup: text("resource group"),
			Managed: rapid.Bool().Draw(t, "managed"), Tags: tagsGen().Draw(t, "tags"),
		}
	})
}

func prefixListGen() *rapid.Generator[cloud.PrefixList] {
	entry := rapid.Custom(func(t *rapid.T) cloud.Entry {
		return cloud.Entry{CIDR: textGen().Draw(t, "cidr"), Description: textGen().Draw(t, "description")}
	})
	return rapid.Custom(func(t *rapid.T) cloud.PrefixList {
		text := func(what string) string { return textGen().Draw(t, what) }
		return cloud.PrefixList{
			ID: idGen().Draw(t, "id"), Name: text("name"), Family: rapid.SampledFrom([]string{"IPv4", "IPv6"}).Draw(t, "family"),
			MaxEntries: rapid.IntRange(0, 200).Draw(t, "max"), Description: text("description"), Created: text("created"),
			Entries: someGen(entry, 10).Draw(t, "entries"), ResourceGroup: text("resource group"), Tags: tagsGen().Draw(t, "tags"),
		}
	})
}

func portListGen() *rapid.Generator[cloud.PortList] {
	entry := rapid.Custom(func(t *rapid.T) cloud.PortEntry {
		return cloud.PortEntry{Ports: textGen().Draw(t, "ports"), Description: textGen().Draw(t, "description")}
	})
	return rapid.Custom(func(t *rapid.T) cloud.PortList {
		text := func(what string) string { return textGen().Draw(t, what) }
		return cloud.PortList{
			ID: idGen().Draw(t, "id"), Name: text("name"), MaxEntries: rapid.IntRange(0, 200).Draw(t, "max"),
			Description: text("description"), Created: text("created"), Entries: someGen(entry, 10).Draw(t, "entries"),
			ResourceGroup: text("resource group"), Tags: tagsGen().Draw(t, "tags"),
		}
	})
}

func groupGen() *rapid.Generator[cloud.Group] {
	return rapid.Custom(func(t *rapid.T) cloud.Group {
		text := func(what string) string { return textGen().Draw(t, what) }
		g := cloud.Group{
			ID: idGen().Draw(t, "id"), Name: text("name"), VPC: text("vpc"), Description: text("description"), Created: text("created"),
			Type:          rapid.SampledFrom([]string{cloud.TypeNormal, cloud.TypeEnterprise}).Draw(t, "type"),
			InnerAccess:   rapid.SampledFrom([]string{"", "Accept", "Drop"}).Draw(t, "inner access"),
			ResourceGroup: text("resource group"), Managed: rapid.Bool().Draw(t, "managed"), Tags: tagsGen().Draw(t, "tags"),
		}
		rules := different(someGen(ruleGen(), 4).Draw(t, "rules"), func(r cloud.Rule) string { return r.ID })
		if half := len(rules) / 2; half > 0 {
			g.Egress, g.Ingress = rules[:half], rules[half:]
		}
		return g
	})
}

func ruleGen() *rapid.Generator[cloud.Rule] {
	return rapid.Custom(func(t *rapid.T) cloud.Rule {
		text := func(what string) string { return textGen().Draw(t, what) }
		r := cloud.Rule{
			ID: text("id"), Protocol: rapid.OneOf(rapid.SampledFrom([]string{"tcp", "UDP", "all"}), textGen()).Draw(t, "protocol"),
			Ports: text("ports"), PortList: text("port list"), Peer: text("peer"), PeerAccount: text("peer account"),
			Policy: idGen().Draw(t, "policy"), Priority: rapid.IntRange(1, 110).Draw(t, "priority"), NIC: text("nic"),
			Description: text("description"), Created: text("created"), Own: text("own"), SourcePorts: text("source ports"),
		}
		if r.NoID = r.ID == "" && rapid.Bool().Draw(t, "no ID"); cloud.HasPorts(r.Protocol) && r.PortList == "" && r.Ports == "" {
			r.Ports = "1/1"
		}
		return r
	})
}
