package ecsapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

const (
	actionPrefixList = "DescribePrefixListAttributes"
	actionPortList   = "DescribePortRangeListEntries"
)

var (
	errNoEntries = errors.New("no list of entries in it")
	errOtherList = errors.New("it is about another prefix list than asked for")
	errNoListID  = errors.New("no id of a list to ask for")
)

// PrefixList reads a prefix list whole: one entry that cannot be understood fails it, since a list that is known in
// part must not pass for a smaller one.
func (c *Client) PrefixList(ctx context.Context, region sg.Region, id string) (sg.PrefixList, error) {
	q := &request{
		product: productECS, version: versionECS, action: actionPrefixList, region: region,
		params: map[string]string{"PrefixListId": id},
	}
	var list sg.PrefixList
	err := c.read(ctx, q, func(body string) (err error) {
		list, err = decodePrefixList(body, id)
		return err
	})
	if err != nil {
		return sg.PrefixList{}, err
	}
	return list, nil
}

func decodePrefixList(body, id string) (list sg.PrefixList, err error) {
	var listed bool
	var of string
	err = decodeObject(body, func(s *scanner, key string) error {
		if key != "Entries" {
			return s.fields(key, field{"PrefixListId", &of}, field{"PrefixListName", &list.Name})
		}
		listed = true
		return s.wrapped("Entry", func() { list.Entries = nil }, func(s *scanner) error { return s.entry(&list) })
	})
	switch {
	case err != nil:
		return list, err
	case !listed:
		return list, errNoEntries
	case of != "" && of != id:
		return list, errOtherList
	case of == "" && len(list.Entries) == 0:
		return list, errNotSaid
	}
	list.ID = id
	return list, nil
}

func (s *scanner) entry(list *sg.PrefixList) error {
	var cidr string
	err := s.object(func(s *scanner, key string) error { return s.fields(key, field{"Cidr", &cidr}) })
	if err != nil {
		return err
	}
	prefix, err := sg.ParseCloudCIDR(cidr)
	if err != nil {
		return fmt.Errorf("entry %d: %w", len(list.Entries)+1, err)
	}
	list.Entries = append(list.Entries, prefix)
	return nil
}

// PortList reads a port list whole: one entry that cannot be understood fails it. Answers do not say which list they are
// about, nor what it is called.
func (c *Client) PortList(ctx context.Context, region sg.Region, id string) (sg.PortList, error) {
	q := &request{
		product: productECS, version: versionECS, action: actionPortList, region: region,
		params: map[string]string{"PortRangeListId": id},
	}
	if id == "" {
		return sg.PortList{}, c.fail(q, Invalid, fault{errNoListID.Error(), ""})
	}
	list := sg.PortList{ID: id}
	err := c.read(ctx, q, func(body string) (err error) {
		list.Ranges, err = decodePortList(body)
		return err
	})
	if err != nil {
		return sg.PortList{}, err
	}
	return list, nil
}

// decodePortList reads the entries of a port list, which are right under their name, without a wrapper as other lists
// have. Null is no list: since the answer names nothing, a list that is empty must at least be spelled out.
func decodePortList(body string) (ranges []sg.PortRange, err error) {
	var listed bool
	err = decodeObject(body, func(s *scanner, key string) error {
		if key != "Entries" {
			return s.skip()
		}
		if s.next() == 'n' {
			return s.fail(errShape)
		}
		listed, ranges = true, nil
		return s.list(func(s *scanner) error {
			var ports string
			err := s.object(func(s *scanner, key string) error { return s.fields(key, field{"PortRange", &ports}) })
			if err != nil {
				return err
			}
			one, err := sg.ParseCloudPorts(sg.TCP, ports) // only rules for TCP and UDP can have a port list
			if err != nil {
				return fmt.Errorf("entry %d: %w", len(ranges)+1, err)
			}
			ranges = append(ranges, one)
			return nil
		})
	})
	if err == nil && !listed {
		err = errNoEntries
	}
	return ranges, err
}
