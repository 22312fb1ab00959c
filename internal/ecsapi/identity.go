package ecsapi

import (
	"context"
	"errors"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Products, and the version of each that is spoken here.
const (
	productECS = "Ecs"
	versionECS = "2014-05-26"
	productSTS = "Sts"
	versionSTS = "2015-04-01"
)

const actionIdentity = "GetCallerIdentity"

var errNoAccount = errors.New("no account in it")

// Identity tells who the credentials belong to (sts GetCallerIdentity). It is the cheapest proof that they are good.
// It needs no permission.
func (c *Client) Identity(ctx context.Context) (sg.Identity, error) {
	var identity sg.Identity
	err := c.read(ctx, &request{product: productSTS, version: versionSTS, action: actionIdentity},
		func(body string) (err error) {
			identity, err = decodeIdentity(body)
			return err
		})
	return identity, err
}

func decodeIdentity(body string) (identity sg.Identity, err error) {
	err = decodeObject(body, func(s *scanner, key string) error {
		return s.fields(key, field{"AccountId", &identity.AccountID}, field{"Arn", &identity.ARN})
	})
	if err == nil && identity.AccountID == "" {
		err = errNoAccount
	}
	return identity, err
}
