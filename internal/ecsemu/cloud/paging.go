package cloud

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"sort"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// listing is how something is listed by NextToken and MaxResults.
//
// A token names the listing, and the last element of its page. It is refused in any other listing: of another account,
// region, action or parent. It says nothing of filters, as no document does: with other ones it goes on at the same
// place, unless [Era.PageTokenFilters] says otherwise. That its element is gone by then is no obstacle, and nothing is
// told twice or left out by it.
type listing struct {
	name string // What is listed, beside the account and the region.
	// MaxResults may be from low to high, and is the fallback if absent. If both are the same, it is no parameter.
	low, fallback, high int
	badSize, badToken   wire.Code
	// order compares the keys of two elements as they are listed.
	order func(a, b string) int
}

// idListing is a listing of at most 100 a page by descending ID, as most are.
func idListing(name string) listing {
	return listing{
		name: name, low: 1, fallback: 10, high: 100, badSize: wire.CodeParameter, badToken: wire.CodeParameter,
		order: descending,
	}
}

// nextPage picks the page of a listing that a request asks for, of elements in the order of their keys. The token is
// that of the page after it; empty if there is none.
func nextPage[E any](c *call, l listing, all []E, key func(E) string) (page []E, token string, err error) {
	size, ok := c.params.Int("MaxResults", l.fallback, l.low, l.high)
	if l.low == l.high {
		size, ok = l.low, true
	}
	if !ok {
		return nil, "", wire.Refusef(l.badSize,
			fmt.Sprintf("The parameter MaxResults must be a number from %d to %d.", l.low, l.high))
	}
	scope := strings.Join([]string{l.name, c.account.id, c.region.id}, " ")
	if asked := c.params.Get("NextToken"); asked != "" {
		last, ok := c.decodeToken(scope, asked)
		if !ok {
			return nil, "", wire.Refusef(l.badToken, "The parameter NextToken is invalid.")
		}
		all = all[sort.Search(len(all), func(i int) bool { return l.order(key(all[i]), last) > 0 }):]
	}
	if len(all) <= size {
		return all, "", nil
	}
	return all[:size], c.encodeToken(scope, key(all[size-1])), nil
}

// numbers are what listings by page number tell of themselves.
type numbers struct {
	TotalCount int `json:"TotalCount"`
	PageNumber int `json:"PageNumber"`
	PageSize   int `json:"PageSize"`
}

// numberedPage picks the page that PageNumber and PageSize ask for.
func numberedPage[E any](c *call, fallback, highest int, all []E) ([]E, numbers, error) {
	number, okNumber := c.params.Int("PageNumber", 1, 1, 1<<30)
	size, okSize := c.params.Int("PageSize", fallback, 1, highest)
	if !okNumber || !okSize {
		return nil, numbers{}, wire.Refusef(wire.CodeParameter,
			fmt.Sprintf("The parameter PageNumber must be at least 1, and PageSize from 1 to %d.", highest))
	}
	from := min((number-1)*size, len(all))
	return all[from:min(from+size, len(all))], numbers{TotalCount: len(all), PageNumber: number, PageSize: size}, nil
}

// asksByToken tells whether a request pages by tokens, where it could as well by numbers.
func (c *call) asksByToken() bool {
	return c.params.Get("MaxResults") != "" || c.params.Get("NextToken") != ""
}

func descending(a, b string) int { return cmp.Compare(b, a) }

// encodeToken makes a token, which looks opaque so that no client is tempted to make one up.
func (c *call) encodeToken(listing, position string) string {
	text := c.bound(listing) + "\x00" + position
	if c.era.PageTokenLifetime > 0 {
		text += "\x00" + c.now.Format(time.RFC3339Nano)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// decodeToken gives the position of a token, if it is one of the listing and good.
func (c *call) decodeToken(listing, token string) (position string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", false
	}
	position, ok = strings.CutPrefix(string(text), c.bound(listing)+"\x00")
	if !ok || c.era.PageTokenLifetime == 0 {
		return position, ok
	}
	position, given, _ := strings.Cut(position, "\x00")
	at, err := time.Parse(time.RFC3339Nano, given)
	return position, err == nil && c.now.Sub(at) < c.era.PageTokenLifetime
}

// bound gives what tokens of a listing are for: along with its filters, if they matter.
func (c *call) bound(listing string) string {
	if !c.era.PageTokenFilters {
		return listing
	}
	filters := maps.Clone(c.params)
	delete(filters, "NextToken")
	delete(filters, "MaxResults")
	sum := fingerprint(c.action.Name, filters)
	return listing + " " + string(sum[:])
}
