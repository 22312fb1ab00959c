package revoker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Settled is what one run of [Revoker.Settle] came to.
type Settled struct {
	Endings []Ending // of revocations that ended, in the order in which they did
	Open    int      // revocations that are left open, to be settled later
	// Stop says that the credentials may not do this, and what to do about it: other groups of the account would fail
	// the same way. Empty: they may well be settled.
	Stop string
}

// maxStalls is how many rounds of one Settle may come to nothing: calls that were throttled or too late to be sent, and
// listings that contradict one another.
const maxStalls = 3

// settlement is one run of Settle.
type settlement struct {
	r       *Revoker
	work    Work // what is open, and what was sent; kept equal to what is on record
	sight   sight
	checked map[string]bool // revocations whose rule the check has seen, and so decided about
	settled Settled
	stalls  int
}

// Settle works on the open revocations of one group until none is open, or until nothing more can be done now: then
// some are left open, and Settle is to be called again with what is on record, in some seconds. It takes up to a few
// minutes. The result is valid beside an error, which leaves everything open that has not ended: the group could not be
// read or decided about, the journal failed, or ctx is done. The work is not changed.
func (r *Revoker) Settle(ctx context.Context, work *Work) (Settled, error) {
	if err := work.validate(); err != nil {
		return Settled{Open: len(work.Revocations)}, fmt.Errorf("settling group %s: %w", work.Ref.Group, err)
	}
	s := settlement{r: r, work: Work{
		Ref: work.Ref, Revocations: slices.Clone(work.Revocations), Calls: slices.Clone(work.Calls),
	}}
	err := s.run(ctx)
	s.settled.Open = len(s.work.Revocations)
	if err != nil {
		err = fmt.Errorf("settling group %s: %w", work.Ref.Group, err)
	}
	return s.settled, err
}

// validate refuses work that could act on one rule twice.
func (w *Work) validate() error {
	ids, rules := map[string]bool{}, map[string]bool{}
	for i := range w.Revocations {
		v := &w.Revocations[i]
		key := v.Rule.Key()
		switch {
		case v.Ref != w.Ref:
			return fmt.Errorf("revocation %s is of group %s", v.ID, v.Ref.Group)
		case v.Outcome != "":
			return fmt.Errorf("revocation %s has ended: %s", v.ID, v.Outcome)
		case ids[v.ID] || rules[key]:
			return fmt.Errorf("revocation %s, or another one of its rule, twice", v.ID)
		}
		ids[v.ID], rules[key] = true, true
	}
	return nil
}

func (s *settlement) run(ctx context.Context) error {
	for len(s.work.Revocations) > 0 && s.stalls < maxStalls {
		if err := context.Cause(ctx); err != nil {
			return err //nolint:wrapcheck // the caller says what of
		}
		again, err := s.round(ctx)
		if err != nil || !again {
			return err
		}
	}
	return nil
}

// round checks the group once and does what can be done by that. It tells whether another round may do more.
func (s *settlement) round(ctx context.Context) (again bool, err error) {
	check, err := s.check(ctx)
	if err != nil {
		return false, err
	}
	standing, contradicted, err := s.endChecked(ctx, check)
	if err != nil {
		return false, err
	}
	calls, err := s.plan(standing)
	if err != nil {
		return false, err
	}
	if len(calls) == 0 {
		if contradicted {
			s.stalls++
		}
		return contradicted, nil
	}
	readAt := check.ReadAt
	if now := s.r.o.Now(); readAt.After(now) { // a clock was set back; a call must not live for longer by that
		readAt = now
	}
	return true, s.carryOut(ctx, calls, readAt.Add(SendWithin))
}

// check reads the group and has it decided about again.
func (s *settlement) check(ctx context.Context) (*Check, error) {
	check, err := s.r.o.Checker.Check(ctx, &s.work)
	if err != nil {
		return nil, fmt.Errorf("checking again: %w", err)
	}
	s.r.o.Reached(StepChecked)
	s.sight.observe(&check.Listing, s.work.Revocations)
	s.checked = map[string]bool{}
	for i := range s.work.Revocations {
		v := &s.work.Revocations[i]
		_, s.checked[v.ID] = s.sight.rule(v)
	}
	return check, s.listAgain(ctx)
}

// list lists the group, twice if need be.
func (s *settlement) list(ctx context.Context) error {
	if err := s.listOnce(ctx); err != nil {
		return err
	}
	return s.listAgain(ctx)
}

func (s *settlement) listAgain(ctx context.Context) error {
	if !s.sight.unproven(s.work.Revocations) {
		return nil
	}
	return s.listOnce(ctx)
}

func (s *settlement) listOnce(ctx context.Context) error {
	listing, err := s.r.o.Checker.List(ctx, s.work.Ref)
	if err != nil {
		return fmt.Errorf("listing rules: %w", err)
	}
	s.sight.observe(listing, s.work.Revocations)
	s.r.o.Reached(StepListed)
	return nil
}

// endChecked ends what a check shows to be over, and gives what still stands. Contradicted says that listings did not
// agree about a rule.
func (s *settlement) endChecked(
	ctx context.Context, check *Check,
) (standing []Revocation, contradicted bool, err error) {
	var endings []Ending
	for i := range s.work.Revocations {
		v := &s.work.Revocations[i]
		switch verdict, ending := s.judge(v, check); verdict {
		case ended:
			endings = append(endings, ending)
		case stands:
			standing = append(standing, *v)
		case held:
			_, there := s.sight.rule(v)
			contradicted = contradicted || !there || !s.checked[v.ID]
		}
	}
	return standing, contradicted, s.finish(ctx, endings)
}

// finish ends revocations, on record first.
func (s *settlement) finish(ctx context.Context, endings []Ending) error {
	if len(endings) == 0 {
		return nil
	}
	if err := s.r.o.Journal.Finish(ctx, endings); err != nil {
		return fmt.Errorf("recording outcomes: %w", err)
	}
	s.r.o.Reached(StepFinished)
	over := make(map[string]bool, len(endings))
	for i := range endings {
		over[endings[i].Revocation] = true
	}
	s.work.Revocations = slices.DeleteFunc(s.work.Revocations, func(v Revocation) bool { return over[v.ID] })
	s.settled.Endings = append(s.settled.Endings, endings...)
	return nil
}

// plan makes the calls for what stands: repeats of earlier ones, then the fewest new ones. Forms are never mixed.
// What is in flight and in no repeat must wait.
func (s *settlement) plan(standing []Revocation) ([]Call, error) {
	now := s.r.o.Now()
	ids := make(map[string]bool, len(standing))
	for i := range standing {
		ids[standing[i].ID] = true
	}
	calls := trail(s.work.Calls).repeats(now, ids)
	repeated := trail(calls)
	var together, single, flat []Revocation
	for i := range standing {
		v := &standing[i]
		switch {
		case len(repeated.of(v.ID)) > 0 || trail(s.work.Calls).of(v.ID).inFlight(now):
		case v.Rule.ID == "":
			flat = append(flat, *v)
		case s.alone(v, ids):
			single = append(single, *v)
		default:
			together = append(together, *v)
		}
	}
	batches := [][]Revocation{together}
	for i := range single {
		batches = append(batches, single[i:i+1])
	}
	for _, batch := range batches {
		more, err := NewRevokeCalls(s.r.o.NewID, s.work.Ref, batch)
		if err != nil {
			return nil, err
		}
		calls = append(calls, more...)
	}
	for i := range flat {
		call, err := NewFlatCall(s.r.o.NewID(), &flat[i])
		if err != nil {
			return nil, err
		}
		calls = append(calls, call)
	}
	return calls, nil
}

// carryOut sends calls until one of them is answered with something that must be understood first, then looks for
// their effect.
func (s *settlement) carryOut(ctx context.Context, calls []Call, deadline time.Time) error {
	var sent trail
	throttled := false
	for i := range calls {
		call := &calls[i]
		if ctx.Err() != nil {
			break
		}
		now := s.r.o.Now()
		if call.Recorded, call.Deadline = now, deadline; now.After(deadline) {
			break // the rest after another check
		}
		if err := s.r.transmit(ctx, s.r.o.Journal, call, ""); err != nil {
			return err
		}
		s.work.Calls = append(s.work.Calls, *call)
		sent = append(sent, *call)
		throttled = call.Answer.Class == sg.ClassThrottled
		if call.Answer.Class == sg.ClassDenied {
			s.settled.Stop = describe(call.Answer)
		}
		if !goesOn(call.Answer.Class) {
			break
		}
	}
	if !sent.counts() {
		s.stalls++
	}
	if err := s.confirm(ctx, sent); err != nil || !throttled {
		return err
	}
	return s.r.untilNextMinute(ctx)
}

// goesOn tells whether further calls may follow an answer without another check.
func goesOn(class sg.Class) bool {
	return class == sg.ClassOK || class == sg.ClassGone || class == sg.ClassInvalid
}

// counts tells whether any of the calls was sent and not throttled.
func (t trail) counts() bool { return t.tried() > 0 }

// confirm lists the group until what the calls may have removed is gone, and ends what is. What was refused is left to
// the next check, but for a single rule of which the cloud says that it is gone: the listing may take a while to agree.
func (s *settlement) confirm(ctx context.Context, sent trail) error {
	awaited := trail{}
	for i := range sent {
		lone := len(sent[i].Carries) == 1 && sent[i].Answer.Class == sg.ClassGone
		if sent[i].State == CallSucceeded || sent[i].State == CallUnknown || lone {
			awaited = append(awaited, sent[i])
		}
	}
	if len(awaited) == 0 {
		return nil
	}
	err := s.r.poll(ctx, func() (bool, error) {
		if err := s.list(ctx); err != nil {
			return false, err
		}
		return s.goneAll(awaited), nil
	})
	if err != nil {
		return err
	}
	var endings []Ending
	for i := range s.work.Revocations {
		if e, ok := s.gone(&s.work.Revocations[i]); ok {
			endings = append(endings, e)
		}
	}
	return s.finish(ctx, endings)
}

// goneAll tells whether every rule that the calls carry is proven to be gone.
func (s *settlement) goneAll(calls trail) bool {
	for i := range calls {
		if !all(calls[i].Carries, s.sight.proven) {
			return false
		}
	}
	return true
}
