package decision

import (
	"fmt"
	"time"
)

// Kept is an exception that an earlier set of policies has and the present one has lost: it exempts the rule as long as
// nobody said that it is to end. The zero value is none.
type Kept struct {
	Exception string    // its name
	Until     time.Time // when it would have expired
}

// kept holds what every policy that makes it a candidate would leave alone, were the earlier exceptions still there. A
// file that was cut looks like one from which somebody has removed exceptions, so that must be said in another way.
func kept(f *Finding) string {
	detail := ""
	for i, verdict := range f.Decision.Policies {
		if verdict.Action != Candidate {
			continue
		}
		if i >= len(f.Kept) || f.Kept[i].Exception == "" {
			return ""
		}
		if detail == "" {
			k := &f.Kept[i]
			detail = fmt.Sprintf("the exception %s, until %s, has vanished from the policies, or was changed, as if its file had "+
				"been cut; to end an exception give it a date in the past, or run `egress-janitor policy accept-change`",
				k.Exception, stamp(k.Until))
		}
	}
	return detail
}
