package ecsapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

const actionPrefixList = "DescribePrefixListAttributes"

var (
	errNoEntries = errors.New("no list of entries in it")
	errOtherList = errors.New("it is about another prefix list than asked for")
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
