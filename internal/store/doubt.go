package store

import (
	"context"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// doubtFor is how long a revocation that was given up is doubted. A call takes effect within minutes, or never; later a
// missing rule is somebody else's doing.
const doubtFor = 48 * time.Hour

// Doubtful gives revocations of an account that ended as withdrawn or failed not long ago, though a call of theirs was,
// or may have been, sent: if the rule is gone now, it was presumably by us, and [SQL.Amend] says so.
func (s *SQL) Doubtful(ctx context.Context, account string) ([]revoker.Revocation, error) {
	return doubtful(ctx, s, account, s.now())
}

// Doubtful does what [SQL.Doubtful] does.
func (m *Memory) Doubtful(ctx context.Context, account string) ([]revoker.Revocation, error) {
	return doubtful(ctx, m, account, m.now())
}

type revocations interface {
	Revocations(ctx context.Context, f RevocationFilter) ([]RevocationRecord, error)
}

func doubtful(ctx context.Context, history revocations, account string, now time.Time) ([]revoker.Revocation, error) {
	records, err := history.Revocations(ctx, RevocationFilter{Account: account, Since: now.Add(-doubtFor)})
	if err != nil {
		return nil, err
	}
	type instance struct {
		ref sg.GroupRef
		key string
	}
	// What a later revocation of the same rule has removed, or is about to, the earlier one has not. The newest come first.
	later := map[instance]bool{}
	var list []revoker.Revocation
	for i := range records {
		r := &records[i]
		of := instance{r.Ref, r.Rule.Key()}
		switch r.Outcome {
		case revoker.Confirmed, "":
			later[of] = true
		case revoker.Withdrawn, revoker.Failed:
			work := revoker.Work{Calls: r.Calls}
			if work.Sent() && !later[of] {
				later[of] = true // of several, the latest
				list = append(list, r.Revocation)
			}
		case revoker.Changed, revoker.AlreadyAbsent:
		}
	}
	return list, nil
}
