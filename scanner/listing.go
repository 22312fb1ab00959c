package scanner

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// maxIdlePages is how many pages in a row may bring nothing new. Some are sound: filters and deletions leave empty ones.
const maxIdlePages = 3

// listing is one paged listing. It ends where the cloud gives no further token; anything else is an error, since the
// rest is then unknown.
type listing[T any] struct {
	maxPages int
	maxItems int // so many as fit on so many pages, if no page holds more than it should
	fetch    func(ctx context.Context, token string) (sg.Page[T], error)
	same     func(a, b *T) bool
	keep     func(items []T) (fresh int, err error) // fresh are those that were not known

	pages int // that were read
}

// read goes through the pages. What keep got before an error stays valid. Four defences against a listing that never
// ends are needed, because each misses what the others catch: a token that comes back, a page that comes back under a
// new token, pages that bring nothing new, and bounds for everything else.
func (l *listing[T]) read(ctx context.Context) error {
	var token string
	var last []T
	idle, items := 0, 0
	// Hashes, since tokens are parts of pages, and to keep one is to keep its page.
	seen := map[[sha256.Size]byte]bool{}
	for page := 1; ; page++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := l.fetch(ctx, token)
		if err != nil {
			return fmt.Errorf("page %d: %w", page, err)
		}
		l.pages = page
		if page > 1 && len(got.Items) > 0 && l.equal(last, got.Items) {
			return fmt.Errorf("page %d is page %d again: the listing does not advance", page, page-1)
		}
		fresh, err := l.keep(got.Items)
		if err != nil {
			return fmt.Errorf("page %d: %w", page, err)
		}
		if idle++; fresh > 0 {
			idle = 0
		}
		items += len(got.Items)
		next := sha256.Sum256([]byte(got.Next))
		switch {
		case got.Next == "":
			return nil
		case seen[next]:
			return fmt.Errorf("page %d names a next page that was read before: the listing runs in a circle", page)
		case idle >= maxIdlePages:
			return fmt.Errorf("pages %d to %d bring nothing new: the listing does not advance", page-idle+1, page)
		case page >= l.maxPages || items >= l.maxItems:
			return fmt.Errorf("no end after %d pages with %d entries", page, items)
		}
		seen[next] = true
		token, last = got.Next, got.Items
	}
}

func (l *listing[T]) equal(a, b []T) bool {
	return slices.EqualFunc(a, b, func(x, y T) bool { return l.same(&x, &y) })
}

func sameRule(a, b *sg.Rule) bool { return *a == *b }
