package ecsapi

import (
	"context"
	"errors"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

const (
	actionGroups = "DescribeSecurityGroups"
	// groupsPerPage is the most that the cloud gives. Asking for a number selects the paging by token.
	groupsPerPage = "100"
)

var (
	errNoGroups     = errors.New("no list of groups in it")
	errOtherGroup   = errors.New("it is about another group than asked for")
	errOtherRegion  = errors.New("it is about another region than asked for")
	errManyGroups   = errors.New("more than one group of one id")
	errNotWhole     = errors.New("it goes on, though one group was asked for")
	errEmptyGroupID = errors.New("no group id to ask for")
)

// Groups lists one page of the security groups of a region. The token of the first page is empty.
func (c *Client) Groups(ctx context.Context, region sg.Region, token string) (sg.Page[sg.Group], error) {
	q := &request{
		product: productECS, version: versionECS, action: actionGroups, region: region,
		params: map[string]string{"MaxResults": groupsPerPage},
	}
	if token != "" {
		q.params["NextToken"] = token
	}
	var page sg.Page[sg.Group]
	err := c.read(ctx, q, func(body string) (err error) {
		page, err = decodeGroups(body, region.ID)
		return err
	})
	if err != nil {
		return sg.Page[sg.Group]{}, err
	}
	return page, nil
}

// Group looks for one group by its ID and says whether it is there. A listing that does not find the group is the only
// proof that it is gone, and only if it says so twice.
func (c *Client) Group(ctx context.Context, region sg.Region, id string) (sg.Group, bool, error) {
	q := &request{
		product: productECS, version: versionECS, action: actionGroups, region: region,
		params: map[string]string{"MaxResults": groupsPerPage, "SecurityGroupId": id},
	}
	if id == "" { // would list any group
		return sg.Group{}, false, c.fail(q, Invalid, fault{errEmptyGroupID.Error(), ""})
	}
	var found []sg.Group
	err := c.read(ctx, q, func(body string) error {
		page, err := decodeGroups(body, region.ID)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if page.Items[i].ID != id {
				return errOtherGroup
			}
		}
		switch found = page.Items; {
		case len(found) > 1:
			return errManyGroups
		case len(found) == 0 && page.Next != "":
			return errNotWhole
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		return sg.Group{}, false, err
	}
	return found[0], true, nil
}

// decodeGroups reads a page of groups and makes sure that it answers what was asked. A page without groups must name the
// region itself: it is taken for the end of a listing, or for the proof that a group is gone.
func decodeGroups(body, region string) (page sg.Page[sg.Group], err error) {
	var listed bool
	var of string
	err = decodeObject(body, func(s *scanner, key string) error {
		if key != "SecurityGroups" {
			return s.fields(key, field{"NextToken", &page.Next}, field{"RegionId", &of})
		}
		listed = true
		return s.wrapped("SecurityGroup", func() { page.Items = nil }, func(s *scanner) error {
			g, err := s.group()
			g.Region = region
			page.Items = append(page.Items, g)
			return err
		})
	})
	switch {
	case err != nil:
		return page, err
	case !listed:
		return page, errNoGroups
	case of != "" && of != region:
		return page, errOtherRegion
	case of == "" && len(page.Items) == 0:
		return page, errNotSaid
	}
	return page, nil
}

func (s *scanner) group() (g sg.Group, err error) {
	var kind, managed string
	err = s.object(func(s *scanner, key string) error {
		if key == "Tags" {
			return s.tags(&g)
		}
		return s.fields(key,
			field{"SecurityGroupId", &g.ID}, field{"SecurityGroupName", &g.Name},
			field{"Description", &g.Description}, field{"SecurityGroupType", &kind}, field{"VpcId", &g.VPC},
			field{"ResourceGroupId", &g.ResourceGroup}, field{"ServiceManaged", &managed})
	})
	if err == nil && g.ID == "" {
		err = s.fail(errNoID)
	}
	g.Type = sg.GroupType(kind)
	g.ServiceManaged = isManaged(managed)
	return g, err
}

// isManaged reads a bool. What is not clearly false counts as managed, since managed groups are left alone.
func isManaged(text string) bool {
	return text != "" && text != "0" && !strings.EqualFold(text, "false")
}

func (s *scanner) tags(g *sg.Group) error {
	if s.next() == 'n' {
		g.Tags = nil
		return s.literal("null")
	}
	_, err := s.maybeWrapped("Tag", func() { g.Tags = nil }, func(s *scanner) error {
		var t sg.Tag
		err := s.object(func(s *scanner, key string) error {
			return s.fields(key, field{"TagKey", &t.Key}, field{"TagValue", &t.Value})
		})
		g.Tags = append(g.Tags, t)
		return err
	})
	return err
}
