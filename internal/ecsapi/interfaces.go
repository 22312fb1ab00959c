package ecsapi

import (
	"context"
	"errors"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

const (
	actionInterfaces = "DescribeNetworkInterfaces"
	// interfacesPerPage is the most that the cloud gives. Asking for a number selects the paging by token.
	interfacesPerPage = "500"
)

var (
	errNoInterfaces = errors.New("no list of interfaces in it")
	errNoGroupsOf   = errors.New("an interface that does not say its security groups")
)

// Interfaces lists one page of the network interfaces of a region. The token of the first page is empty.
func (c *Client) Interfaces(ctx context.Context, region sg.Region, token string) (sg.Page[sg.Interface], error) {
	q := &request{
		product: productECS, version: versionECS, action: actionInterfaces, region: region,
		params: map[string]string{"MaxResults": interfacesPerPage},
	}
	if token != "" {
		q.params["NextToken"] = token
	}
	var page sg.Page[sg.Interface]
	err := c.read(ctx, q, func(body string) (err error) {
		page, err = decodeInterfaces(body)
		return err
	})
	if err != nil {
		return sg.Page[sg.Interface]{}, err
	}
	return page, nil
}

// decodeInterfaces reads a page of interfaces. An answer does not say which region it is of. Each interface must say in
// which groups it is: one that is taken for being in none would hide what a rule does to it.
func decodeInterfaces(body string) (page sg.Page[sg.Interface], err error) {
	var listed bool
	err = decodeObject(body, func(s *scanner, key string) error {
		if key != "NetworkInterfaceSets" {
			return s.fields(key, field{"NextToken", &page.Next})
		}
		listed = true
		return s.wrapped("NetworkInterfaceSet", func() { page.Items = nil }, func(s *scanner) error {
			card, err := s.networkInterface()
			page.Items = append(page.Items, card)
			return err
		})
	})
	if err == nil && !listed {
		err = errNoInterfaces
	}
	return page, err
}

func (s *scanner) networkInterface() (card sg.Interface, err error) {
	said := false
	err = s.object(func(s *scanner, key string) error {
		if key != "SecurityGroupIds" {
			return s.fields(key, field{"NetworkInterfaceId", &card.ID}, field{"InstanceId", &card.Instance})
		}
		said = true
		return s.wrapped("SecurityGroupId", func() { card.Groups = nil }, func(s *scanner) error {
			var id string
			err := s.scalar(&id)
			card.Groups = append(card.Groups, id)
			return err
		})
	})
	switch {
	case err != nil:
	case card.ID == "":
		err = s.fail(errNoID)
	case !said:
		err = s.fail(errNoGroupsOf)
	}
	return card, err
}
