package ecsapi

import (
	"context"
	"errors"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

const actionRegions = "DescribeRegions"

var (
	errNoRegions = errors.New("no regions in it")
	errNoID      = errors.New("an item without an id")
)

// Regions lists the regions that the account may use, with the ECS endpoint of each. From then on calls that
// name a region by its ID alone go to that endpoint, too. Regions that are sold out are
// among them: they can still hold groups. An answer without a region is an error, lest an empty world passes for a
// clean one.
func (c *Client) Regions(ctx context.Context) ([]sg.Region, error) {
	var regions []sg.Region
	err := c.read(ctx, &request{product: productECS, version: versionECS, action: actionRegions},
		func(body string) (err error) {
			regions, err = decodeRegions(body)
			return err
		})
	if err != nil {
		return nil, err
	}
	for _, r := range regions {
		c.endpoints.Store(r.ID, r.Endpoint)
	}
	return regions, nil
}

func decodeRegions(body string) (regions []sg.Region, err error) {
	err = decodeObject(body, func(s *scanner, key string) error {
		if key != "Regions" {
			return s.skip()
		}
		return s.wrapped("Region", func() { regions = nil }, func(s *scanner) error {
			var r sg.Region
			err := s.object(func(s *scanner, key string) error {
				return s.fields(key, field{"RegionId", &r.ID}, field{"RegionEndpoint", &r.Endpoint})
			})
			if err == nil && r.ID == "" {
				err = s.fail(errNoID)
			}
			regions = append(regions, r)
			return err
		})
	})
	if err == nil && len(regions) == 0 {
		err = errNoRegions
	}
	return regions, err
}
