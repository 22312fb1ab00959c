package scanner

import (
	"cmp"
	"crypto/sha256"
	"io"
	"slices"
	"strconv"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// fingerprint stands for all attributes of a group, or for a text. It is kept in their place for every group of a
// region: it is small whatever the cloud sends, and holds on to no page.
type fingerprint [sha256.Size]byte

func fingerprintOf(text string) fingerprint { return sha256.Sum256([]byte(text)) }

// fingerprintOfGroup leaves out the region, which does not differ, and the order of the tags, which the cloud does not
// promise.
func fingerprintOfGroup(g *sg.Group) (f fingerprint) {
	h := sha256.New()
	write := func(text string) { // with its length, so that no text runs into the next
		_, _ = io.WriteString(h, strconv.Itoa(len(text))+":"+text) // a hash never fails
	}
	for _, text := range []string{
		g.ID, g.Name, g.Description, string(g.Type), g.VPC, g.ResourceGroup, strconv.FormatBool(g.ServiceManaged),
	} {
		write(text)
	}
	tags := slices.SortedFunc(slices.Values(g.Tags), func(a, b sg.Tag) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	for _, tag := range tags {
		write(tag.Key)
		write(tag.Value)
	}
	return fingerprint(h.Sum(nil))
}

func sameGroup(a, b *sg.Group) bool { return fingerprintOfGroup(a) == fingerprintOfGroup(b) }
