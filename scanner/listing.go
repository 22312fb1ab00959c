package scanner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// listing is one paged listing. It ends where the cloud gives no further token; anything else is an error, since the
// rest is then unknown.
type listing[T any] struct {
	maxPages int
	fetch    func(ctx context.Context, token string) (sg.Page[T], error)
	same     func(a, b *T) bool
	keep     func(items []T) error
}

// read goes through the pages. What keep got before an error stays valid. Three defences against a listing that
// never ends are needed, because each misses what the others catch: a token that comes back, a page that comes back
// under a new token, and a bound for everything else.
func (l *listing[T]) read(ctx context.Context) error {
	var token string
	var last []T
	seen := map[string]bool{}
	for page := 1; ; page++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := l.fetch(ctx, token)
		if err != nil {
			return fmt.Errorf("page %d: %w", page, err)
		}
		if page > 1 && len(got.Items) > 0 && l.equal(last, got.Items) {
			return fmt.Errorf("page %d is page %d again: the listing does not advance", page, page-1)
		}
		if err := l.keep(got.Items); err != nil {
			return fmt.Errorf("page %d: %w", page, err)
		}
		switch {
		case got.Next == "":
			return nil
		case seen[got.Next]:
			return fmt.Errorf("page %d names a next page that was read before: the listing runs in a circle", page)
		case page >= l.maxPages:
			return fmt.Errorf("no end after %d pages", page)
		}
		seen[got.Next] = true
		token, last = got.Next, got.Items
	}
}

func (l *listing[T]) equal(a, b []T) bool {
	return slices.EqualFunc(a, b, func(x, y T) bool { return l.same(&x, &y) })
}

func sameGroup(a, b *sg.Group) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Description == b.Description && a.Type == b.Type && a.VPC == b.VPC &&
		a.ResourceGroup == b.ResourceGroup && a.ServiceManaged == b.ServiceManaged && sameTags(a.Tags, b.Tags)
}

// sameTags compares sets: the cloud promises no order.
func sameTags(a, b []sg.Tag) bool {
	if len(a) != len(b) {
		return false
	}
	for _, tag := range a {
		if !slices.Contains(b, tag) {
			return false
		}
	}
	return true
}

func sameRule(a, b *sg.Rule) bool { return *a == *b }

var errNoID = errors.New("a group without an ID")
