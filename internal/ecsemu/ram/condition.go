package ram

import (
	"errors"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// condition is one key under one operator. It changes nothing and may be asked by many at once.
type condition struct {
	key     string
	negated bool
	tests   []test // one per value of the policy
}

// test tells whether a value of a request matches one value of a policy.
type test func(got string) bool

// holds tells whether the condition does. Negation is applied last, to all: a negated operator is the opposite of its
// positive, also where the key is absent.
func (c *condition) holds(context map[string][]string) bool {
	matched := slices.ContainsFunc(context[c.key], func(got string) bool {
		return slices.ContainsFunc(c.tests, func(matches test) bool { return matches(got) })
	})
	return matched != c.negated
}

// operator is how values are compared. Its compiler refuses values of a policy that it cannot compare with.
type operator struct {
	compile compiler
	negated bool
}

type compiler func(want string) (test, error)

// findOperator gives the operator of a name, with regard to case.
func findOperator(name string) (operator, bool) {
	equal := func(order int) bool { return order == 0 }
	less := func(order int) bool { return order < 0 }
	atMost := func(order int) bool { return order <= 0 }
	greater := func(order int) bool { return order > 0 }
	atLeast := func(order int) bool { return order >= 0 }
	op, ok := map[string]operator{
		"StringEquals":              {compile: compileEquals},
		"StringNotEquals":           {compile: compileEquals, negated: true},
		"StringEqualsIgnoreCase":    {compile: compileEqualsIgnoreCase},
		"StringNotEqualsIgnoreCase": {compile: compileEqualsIgnoreCase, negated: true},
		"StringLike":                {compile: compileLike},
		"StringNotLike":             {compile: compileLike, negated: true},

		"NumericEquals":            {compile: compileNumber(equal)},
		"NumericNotEquals":         {compile: compileNumber(equal), negated: true},
		"NumericLessThan":          {compile: compileNumber(less)},
		"NumericLessThanEquals":    {compile: compileNumber(atMost)},
		"NumericGreaterThan":       {compile: compileNumber(greater)},
		"NumericGreaterThanEquals": {compile: compileNumber(atLeast)},

		"DateEquals":            {compile: compileDate(equal)},
		"DateNotEquals":         {compile: compileDate(equal), negated: true},
		"DateLessThan":          {compile: compileDate(less)},
		"DateLessThanEquals":    {compile: compileDate(atMost)},
		"DateGreaterThan":       {compile: compileDate(greater)},
		"DateGreaterThanEquals": {compile: compileDate(atLeast)},

		"Bool": {compile: compileBool},

		"IpAddress":    {compile: compileAddress},
		"NotIpAddress": {compile: compileAddress, negated: true},
	}[name]
	return op, ok
}

func compileEquals(want string) (test, error) {
	return func(got string) bool { return got == want }, nil
}

func compileEqualsIgnoreCase(want string) (test, error) {
	return func(got string) bool { return strings.EqualFold(got, want) }, nil
}

func compileLike(want string) (test, error) {
	return glob(want).match, nil
}

func compileBool(want string) (test, error) {
	if want != "true" && want != "false" {
		return nil, errors.New(`neither "true" nor "false"`)
	}
	return compileEquals(want)
}

func compileNumber(holds func(order int) bool) compiler {
	return func(want string) (test, error) {
		number, ok := parseNumber(want)
		if !ok {
			return nil, errors.New("not a decimal number")
		}
		return func(got string) bool {
			other, ok := parseNumber(got)
			return ok && holds(other.Cmp(number))
		}, nil
	}
}

// parseNumber reads a decimal number exactly: IDs of accounts have more digits than a float64 keeps apart. Exponents are
// refused, since a few characters of them would be gigabytes of digits.
func parseNumber(s string) (*big.Rat, bool) {
	const maxDigits = 100 // far more than anything that is counted needs
	if len(s) > maxDigits || strings.Trim(s, "0123456789+-.") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func compileDate(holds func(order int) bool) compiler {
	return func(want string) (test, error) {
		date, err := time.Parse(time.RFC3339, want)
		if err != nil {
			return nil, errors.New("not a date like 2026-01-02T15:04:05Z")
		}
		return func(got string) bool {
			other, err := time.Parse(time.RFC3339, got)
			return err == nil && holds(other.Compare(date))
		}, nil
	}
}

func compileAddress(want string) (test, error) {
	block, err := netip.ParsePrefix(want)
	if err != nil {
		address, err := netip.ParseAddr(want)
		if err != nil || address.Zone() != "" {
			return nil, errors.New("neither an IP address nor a CIDR block")
		}
		block = netip.PrefixFrom(address, address.BitLen())
	}
	const mapped = 96 // bits before the IPv4 address in one that is mapped to IPv6
	if block.Addr().Is4In6() && block.Bits() >= mapped {
		block = netip.PrefixFrom(block.Addr().Unmap(), block.Bits()-mapped)
	}
	return func(got string) bool {
		address, err := netip.ParseAddr(got)
		return err == nil && block.Contains(address.Unmap().WithZone(""))
	}, nil
}
