package cloud

// ActionDescribeAttribute is named, as a kind of fault applies to it alone.
const ActionDescribeAttribute = "DescribeSecurityGroupAttribute"

// ruleActions are those on the rules of one group. RAM cannot narrow adding and changing rules down to a group; see the
// table of authorization of the documents.
func ruleActions() []Action {
	all := []Action{{
		Name: ActionDescribeAttribute, Regional: true, Pages: true, OneGroup: true, resources: theGroup,
		handle: describeSecurityGroupAttribute,
	}}
	for d, names := range map[direction][3]string{
		egress:  {"AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress", "ModifySecurityGroupEgressRule"},
		ingress: {"AuthorizeSecurityGroup", "RevokeSecurityGroup", "ModifySecurityGroupRule"},
	} {
		all = append(all,
			Action{Name: names[0], Regional: true, Writes: true, OneGroup: true, handle: d.authorize},
			Action{Name: names[1], Regional: true, Writes: true, OneGroup: true, resources: theGroup, handle: d.revoke},
			Action{Name: names[2], Regional: true, Writes: true, OneGroup: true, handle: d.modify},
		)
	}
	return all
}
