package cloud

import "encoding/json"

// arn names a resource of the region and account of a call, of the product ecs, as policies of RAM do.
func (c *call) arn(kind, id string) string {
	return "acs:ecs:" + c.region.id + ":" + c.account.id + ":" + kind + "/" + id
}

// arns names several resources of a kind. None stand for all of a kind.
func (c *call) arns(kind string, ids []string) []string {
	if len(ids) == 0 {
		return []string{c.arn(kind, "*")}
	}
	named := make([]string, 0, len(ids))
	for _, id := range ids {
		named = append(named, c.arn(kind, id))
	}
	return named
}

// listedGroups are the groups that a listing asks for by their IDs, or else all.
func listedGroups(c *call) []string {
	var ids []string
	if id := c.params.Get("SecurityGroupId"); id != "" {
		ids = append(ids, id)
	} else {
		// Malformed ones are refused later.
		_ = json.Unmarshal([]byte(c.params.Get("SecurityGroupIds")), &ids)
	}
	return c.arns("securitygroup", ids)
}

func referencedGroups(c *call) []string {
	return c.arns("securitygroup", c.params.Texts("SecurityGroupId"))
}

// newGroup is what creating a group is about: any group, and its VPC.
func newGroup(c *call) []string {
	named := []string{c.arn("securitygroup", "*")}
	if vpc := c.params.Get("VpcId"); vpc != "" {
		named = append(named, "acs:vpc:"+c.region.id+":"+c.account.id+":vpc/"+vpc)
	}
	return named
}

// theJoining is the resource of a request to join a resource group.
func theJoining(c *call) []string {
	kind := "securitygroup"
	if c.params.Get("ResourceType") == typeInterface {
		kind = "eni"
	}
	return []string{c.arn(kind, c.params.Get("ResourceId"))}
}

// taggedResources are those that a request about tags names.
func taggedResources(c *call) []string { return c.arns("securitygroup", c.params.Texts("ResourceId")) }

// theTagged is the resource of the older requests about tags.
func theTagged(c *call) []string { return []string{c.arn("securitygroup", c.params.Get("ResourceId"))} }

func thePrefixList(c *call) []string {
	return []string{c.arn("prefixlist", c.params.Get("PrefixListId"))}
}

func listedPrefixLists(c *call) []string { return c.arns("prefixlist", c.params.Texts("PrefixListId")) }

func thePortList(c *call) []string {
	return []string{c.arn("portrangelist", c.params.Get("PortRangeListId"))}
}

func listedPortLists(c *call) []string {
	return c.arns("portrangelist", c.params.Texts("PortRangeListId"))
}

func newPortList(c *call) []string { return c.arns("portrangelist", nil) }

func listedInterfaces(c *call) []string { return c.arns("eni", c.params.Texts("NetworkInterfaceId")) }
