package ecsapi

import (
	"context"
	"errors"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

const (
	actionRules = "DescribeSecurityGroupAttribute"
	// rulesPerPage is the most that the cloud gives. Its default, 500, would cut groups short silently.
	rulesPerPage = "1000"
	// bytesPerRule is about what one rule takes in an answer.
	bytesPerRule = 500
)

var (
	errNoRules   = errors.New("no list of rules in it")
	errDirection = errors.New("a rule that is not an egress rule, though only those were asked for")
	errNIC       = errors.New("a rule of another nic type than asked for")
)

// Rules lists one page of the egress rules of a group. nic is [sg.NICIntranet], [sg.NICInternet], or empty to leave
// the choice to the cloud: a group of the classic network has rules of both and lists one kind per call, any other
// has intranet rules only. The token of the first page is empty.
//
// A rule that cannot be understood does not fail the page: see [sg.Rule.Unreadable].
func (c *Client) Rules(ctx context.Context, region sg.Region, group, nic, token string) (sg.Page[sg.Rule], error) {
	q := &request{
		product: productECS, version: versionECS, action: actionRules, region: region,
		params: map[string]string{"SecurityGroupId": group, "Direction": "egress", "MaxResults": rulesPerPage},
	}
	if nic != "" {
		q.params["NicType"] = nic
	}
	if token != "" {
		q.params["NextToken"] = token
	}
	var page sg.Page[sg.Rule]
	err := c.read(ctx, q, func(body string) (err error) {
		page, err = decodeRules(body, region.ID, group, nic)
		return err
	})
	if err != nil {
		return sg.Page[sg.Rule]{}, err
	}
	return page, nil
}

// decodeRules reads a page of rules and makes sure that it answers what was asked. The NIC type counts too: a classic
// group of whose two sides one was listed twice would lack half of its rules. A page without rules must name the group
// itself.
func decodeRules(body, region, group, nic string) (page sg.Page[sg.Rule], err error) {
	p := rulesPage{
		nic: nic,
		restart: func() {
			if page.Items = page.Items[:0]; page.Items == nil {
				page.Items = make([]sg.Rule, 0, len(body)/bytesPerRule+1)
			}
		},
		each: func(f *sg.Fields) { page.Items = append(page.Items, sg.NewRule(f)) },
	}
	if err := p.decode(body); err != nil {
		return page, err
	}
	switch {
	case !p.listed:
		return page, errNoRules
	case p.group != "" && p.group != group:
		return page, errOtherGroup
	case p.region != "" && p.region != region:
		return page, errOtherRegion
	case p.group == "" && len(page.Items) == 0:
		return page, errNotSaid
	}
	page.Next = p.next
	return page, nil
}

// rulesPage is a page of rules, but for the rules: these go to each as they come, and restart is called where their
// list begins, as by [scanner.wrapped].
type rulesPage struct {
	next, group, region string
	nic                 string // that was asked for; empty for any
	listed              bool
	restart             func()
	each                func(*sg.Fields)
}

func (p *rulesPage) decode(body string) error {
	var f sg.Fields
	var direction string
	member := func(s *scanner, key string) error { return s.ruleField(key, &f, &direction) }
	rule := func(s *scanner) error {
		f, direction = sg.Fields{}, ""
		if err := s.object(member); err != nil {
			return err
		}
		switch {
		case direction != "" && !strings.EqualFold(direction, "egress"):
			return s.fail(errDirection)
		case p.nic != "" && f.NICType != "" && !strings.EqualFold(f.NICType, p.nic):
			return s.fail(errNIC)
		}
		p.each(&f)
		return nil
	}
	return decodeObject(body, func(s *scanner, key string) error {
		if key != "Permissions" {
			return s.fields(key, field{"NextToken", &p.next}, field{"SecurityGroupId", &p.group},
				field{"RegionId", &p.region})
		}
		p.listed = true
		return s.wrapped("Permission", p.restart, rule)
	})
}

// ruleField reads the value of one key of a rule.
func (s *scanner) ruleField(key string, f *sg.Fields, direction *string) error {
	var into *string
	switch key {
	case "SecurityGroupRuleId":
		into = &f.ID
	case "Direction":
		into = direction
	case "IpProtocol":
		into = &f.Protocol
	case "PortRange":
		into = &f.PortRange
	case "SourcePortRange":
		into = &f.SourcePorts
	case "PortRangeListId":
		into = &f.PortListID
	case "DestCidrIp":
		into = &f.CIDR4
	case "Ipv6DestCidrIp":
		into = &f.CIDR6
	case "DestGroupId":
		into = &f.GroupID
	case "DestGroupOwnerAccount":
		into = &f.GroupOwner
	case "DestPrefixListId":
		into = &f.PrefixListID
	case "SourceGroupId", "SourcePrefixListId":
		return s.first(&f.SourceOther)
	case "SourceCidrIp":
		into = &f.SourceCIDR4
	case "Ipv6SourceCidrIp":
		into = &f.SourceCIDR6
	case "Policy":
		into = &f.Policy
	case "Priority":
		into = &f.Priority
	case "NicType":
		into = &f.NICType
	case "Description":
		into = &f.Description
	case "CreateTime":
		into = &f.Created
	default:
		return s.skip()
	}
	return s.scalar(into)
}
