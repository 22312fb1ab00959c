package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// DefaultWorkers is how many groups are settled at once.
const DefaultWorkers = 4

// SettleOptions say of which account open revocations are to be settled, by what, and with what. All but Workers,
// LookAgain and Reached are required. The caller holds the lock of the account.
type SettleOptions struct {
	Account  Account
	Identity Identifier
	Groups   scanner.GroupLister
	Rules    scanner.RuleReader
	// Interfaces is asked at [reach.ScopeInterface], and only where a decision depends on it.
	Interfaces scanner.InterfaceLister
	// Present is asked at every check what holds now: policies may have been loaded anew, a guard set or the mode
	// changed since the sweep decided, and since the last check.
	Present func() Present

	Worklist Worklist
	Journal  revoker.Journal
	Sender   revoker.Sender

	Now     func() time.Time
	Wait    func(context.Context, time.Duration) error
	NewID   func() string // of calls
	Workers int           // 0 means [DefaultWorkers]
	// LookAgain is the time between the two looks that prove a group to be gone; 0 means [scanner.DefaultLookAgain].
	LookAgain time.Duration
	Reached   func(step string)
}

// Present is what decisions go by now.
type Present struct {
	// Stop is why nothing may be carried out at all, whatever the rest says. Empty: something may.
	Stop     string
	Mode     string   // of the config: audit, manual or enforce
	Regions  []string // of the account
	Policies *policy.Set
	Terms    *decision.Terms
	Earlier  []*policy.Set // see [Options]
	Scope    reach.Scope   // see [Options]
}

func (o *SettleOptions) validate() error {
	for _, missing := range []bool{
		o.Account.Name == "", o.Identity == nil, o.Groups == nil, o.Rules == nil, o.Present == nil,
		o.Worklist == nil, o.Journal == nil, o.Sender == nil, o.Now == nil, o.Wait == nil, o.NewID == nil,
	} {
		if missing {
			return errors.New("settle options: something required is missing")
		}
	}
	return nil
}

// Settled is what became of the open revocations of an account.
type Settled struct {
	Endings []revoker.Ending
	Open    int    // still open: they need another round
	Stop    string // why the account was given up for now, such as a denial; empty if it was not
}

// Settle works off the open revocations of an account straight from the store, group by group. One group that cannot
// be settled does not stop the others, but a denial stops the account: every further call would be an alarm in
// somebody's audit trail. What it returns with the error is what was settled in spite of it.
func Settle(ctx context.Context, o SettleOptions) (*Settled, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	work, err := o.Worklist.Open(ctx, o.Account.Name)
	if err != nil {
		return nil, fmt.Errorf("reading the open work of account %s: %w", o.Account.Name, err)
	}
	if len(work) == 0 {
		return &Settled{}, nil
	}
	s, err := newSettler(ctx, &o)
	if err != nil {
		return &Settled{Open: count(work)}, err
	}
	s.all(ctx, work)
	if s.result.Stop != "" {
		s.fail(ctx, work)
	}
	return &s.result, errors.Join(s.errs...)
}

func count(work []revoker.Work) int {
	n := 0
	for i := range work {
		n += len(work[i].Revocations)
	}
	return n
}

// settler settles one account.
type settler struct {
	*SettleOptions

	revoker *revoker.Revoker

	mu     sync.Mutex
	result Settled
	errs   []error
	taken  map[sg.GroupRef]bool // groups that were worked on
}

func newSettler(ctx context.Context, o *SettleOptions) (*settler, error) {
	c, err := newChecker(ctx, o)
	if err != nil {
		return nil, err
	}
	r, err := revoker.New(revoker.Options{
		Journal: o.Journal, Checker: c, Sender: o.Sender, Now: o.Now, Wait: o.Wait, NewID: o.NewID, Reached: o.Reached,
	})
	if err != nil {
		return nil, fmt.Errorf("settling account %s: %w", o.Account.Name, err)
	}
	return &settler{SettleOptions: o, revoker: r, taken: map[sg.GroupRef]bool{}}, nil
}

// all has the groups settled by a bounded number of workers.
func (s *settler) all(ctx context.Context, work []revoker.Work) {
	queue := make(chan *revoker.Work)
	var wg sync.WaitGroup
	for range min(cmp.Or(s.Workers, DefaultWorkers), len(work)) {
		wg.Go(func() {
			for w := range queue {
				s.one(ctx, w)
			}
		})
	}
	for i := range work {
		queue <- &work[i]
	}
	close(queue)
	wg.Wait()
}

// one settles one group, unless the account was given up.
func (s *settler) one(ctx context.Context, w *revoker.Work) {
	s.mu.Lock()
	stopped := s.result.Stop != "" || ctx.Err() != nil
	if stopped {
		s.result.Open += len(w.Revocations)
	} else {
		s.taken[w.Ref] = true
	}
	s.mu.Unlock()
	if stopped {
		return
	}
	settled, err := s.revoker.Settle(ctx, w)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Endings = append(s.result.Endings, settled.Endings...)
	s.result.Open += settled.Open
	s.result.Stop = cmp.Or(s.result.Stop, settled.Stop)
	if err != nil {
		s.errs = append(s.errs, fmt.Errorf("settling group %s in %s: %w", w.Ref.Group, w.Ref.Region, err))
	}
}

// fail ends what the denial of an account has kept from being sent, so that it is not tried again and again. The next
// sweep finds these rules anew. What was, or may have been, sent stays open until a reading shows what came of it.
func (s *settler) fail(ctx context.Context, work []revoker.Work) {
	now := s.Now()
	for i := range work {
		w := &work[i]
		if s.taken[w.Ref] || w.Sent() {
			continue
		}
		endings := make([]revoker.Ending, 0, len(w.Revocations))
		for j := range w.Revocations {
			endings = append(endings, revoker.Ending{
				Revocation: w.Revocations[j].ID, Outcome: revoker.Failed, At: now,
				Detail: "not sent, since the account was stopped: " + s.result.Stop,
			})
		}
		if err := s.Journal.Finish(ctx, endings); err != nil {
			s.errs = append(s.errs, fmt.Errorf("recording that group %s was not settled: %w", w.Ref.Group, err))
			return
		}
		s.result.Endings = append(s.result.Endings, endings...)
		s.result.Open -= len(endings)
	}
}
