package store

import (
	"context"
	"time"

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
	var list []revoker.Revocation
	for _, outcome := range []revoker.Outcome{revoker.Withdrawn, revoker.Failed} {
		records, err := history.Revocations(ctx, RevocationFilter{
			Account: account, Outcome: string(outcome), Since: now.Add(-doubtFor),
		})
		if err != nil {
			return nil, err
		}
		for i := range records {
			work := revoker.Work{Calls: records[i].Calls}
			if work.Sent() {
				list = append(list, records[i].Revocation)
			}
		}
	}
	return list, nil
}
