package revoker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// restoring is one run of Restore.
type restoring struct {
	r       *Revoker
	restore Restore
	calls   trail
	stalls  int
}

// Restore works on one open restore until a complete listing of the group has the rule, or until it is known that it
// cannot be created. If nothing more can be done now the result has no outcome, and Restore is to be called again with
// what is on record, in some seconds. It takes up to a few minutes. An error leaves the restore open: the group could
// not be listed, the journal failed, or ctx is done. The work is not changed.
func (r *Revoker) Restore(ctx context.Context, work *RestoreWork) (Restore, error) {
	s := restoring{r: r, restore: work.Restore, calls: slices.Clone(trail(work.Calls))}
	err := s.run(ctx)
	if err != nil {
		err = fmt.Errorf("restoring a rule of group %s: %w", work.Restore.Ref.Group, err)
	}
	return s.restore, err
}

func (s *restoring) run(ctx context.Context) error {
	switch {
	case s.r.o.Restores == nil:
		return errors.New("no journal for restores")
	case s.restore.Outcome != "":
		return fmt.Errorf("restore %s has ended: %s", s.restore.ID, s.restore.Outcome)
	}
	for s.stalls < maxStalls {
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

// round lists the group once and does what can be done by that. It tells whether another round may do more.
func (s *restoring) round(ctx context.Context) (again bool, err error) {
	there, gone, err := s.look(ctx)
	switch {
	case err != nil:
		return false, err
	case there != nil:
		return false, s.found(ctx, there)
	case gone:
		return false, s.finish(ctx, RestoreFailed, "", "the group does not exist any more")
	}
	now := s.r.o.Now()
	inFlight := s.inFlight()
	if why := s.objection(); why != "" {
		if inFlight {
			return false, nil
		}
		return false, s.finish(ctx, RestoreFailed, "", why)
	}
	call, err := s.call(inFlight)
	switch {
	case err != nil:
		return false, s.finish(ctx, RestoreFailed, "", err.Error())
	case call == nil:
		return false, nil
	}
	call.Recorded, call.Deadline = now, now.Add(SendWithin)
	if err := s.r.transmit(ctx, s.r.o.Restores, call, RestorePrefix); err != nil {
		return false, err
	}
	s.calls = append(s.calls, *call)
	return s.await(ctx, call)
}

// await looks for the effect of a call.
func (s *restoring) await(ctx context.Context, call *Call) (again bool, err error) {
	switch {
	case call.Answer.Class == sg.ClassThrottled:
		s.stalls++
		return true, s.r.untilNextMinute(ctx)
	case call.State == CallUnsent:
		s.stalls++
		return true, nil
	case call.State == CallRefused:
		return true, nil
	}
	var there *sg.Rule
	err = s.r.poll(ctx, func() (bool, error) {
		rule, gone, err := s.look(ctx)
		there = rule
		return rule != nil || gone, err
	})
	if err != nil || there == nil {
		return true, err
	}
	return false, s.found(ctx, there)
}

// look lists the group for a rule that says what the restored one said.
func (s *restoring) look(ctx context.Context) (there *sg.Rule, gone bool, err error) {
	listing, err := s.r.o.Checker.List(ctx, s.restore.Ref)
	if err != nil {
		return nil, false, fmt.Errorf("listing rules: %w", err)
	}
	s.r.o.Reached(RestorePrefix + StepListed)
	for i := range listing.Rules {
		if saysTheSame(&listing.Rules[i], &s.restore.Rule) {
			return &listing.Rules[i], false, nil
		}
	}
	return nil, listing.Gone, nil
}

// saysTheSame compares what rules mean and not how they are spelled, which may change when a rule is created again.
// Descriptions are no part of it: to the cloud, too, rules that differ in them alone are equal.
func saysTheSame(a, b *sg.Rule) bool {
	sameDestination := a.Destination.Kind == b.Destination.Kind
	switch a.Destination.Kind {
	case sg.CIDR4, sg.CIDR6:
		sameDestination = sameDestination && a.Destination.CIDR == b.Destination.CIDR
	case sg.PeerGroup, sg.FromList, sg.NoDestination:
		sameDestination = sameDestination && a.Destination.Text == b.Destination.Text
	}
	return sameDestination && a.Unreadable == "" && b.Unreadable == "" &&
		a.Protocol == b.Protocol && a.Ports == b.Ports && a.SourcePorts == b.SourcePorts && a.PortListID == b.PortListID &&
		a.Source.CIDR == b.Source.CIDR && a.Action == b.Action && a.Priority == b.Priority &&
		(a.NICType == b.NICType || a.NICType == "" || b.NICType == "")
}

func (s *restoring) found(ctx context.Context, rule *sg.Rule) error {
	if s.calls.maySent() {
		return s.finish(ctx, Restored, rule.ID, "")
	}
	return s.finish(ctx, AlreadyThere, rule.ID, "a rule that says the same was there before a call of ours")
}

func (s *restoring) finish(ctx context.Context, outcome RestoreOutcome, ruleID, detail string) error {
	restore := s.restore
	restore.Outcome, restore.RuleID, restore.Detail, restore.Ended = outcome, ruleID, detail, s.r.o.Now()
	finished := restore
	if err := s.r.o.Restores.FinishRestore(ctx, &finished); err != nil {
		return fmt.Errorf("recording the outcome: %w", err)
	}
	s.restore = restore
	s.r.o.Reached(RestorePrefix + StepFinished)
	return nil
}

// final tells whether an answer of a class to a restore says that no call can create the rule.
func final(class sg.Class) bool {
	return slices.Contains([]sg.Class{
		sg.ClassGroupGone, sg.ClassPeerGone, sg.ClassProtected, sg.ClassDenied, sg.ClassInvalid, sg.ClassIdempotency,
	}, class)
}

// inFlight tells whether a call may still take effect. Of a peer that is gone, an answer says enough here.
func (s *restoring) inFlight() bool {
	calls := slices.DeleteFunc(slices.Clone(s.calls), func(c Call) bool { return final(c.Answer.Class) })
	return calls.inFlight(s.r.o.Now())
}

// objection says why no more calls are made, if so.
func (s *restoring) objection() string {
	for i := range s.calls {
		if final(s.calls[i].Answer.Class) {
			return "the cloud refuses to create the rule: " + describe(s.calls[i].Answer)
		}
	}
	switch n := s.calls.tried(); {
	case n >= MaxCalls:
		return fmt.Sprintf("the rule is still not there after %d calls; the last one: %s", n, s.calls.last())
	case s.r.o.Now().Sub(s.restore.Created) > GiveUpAfter:
		return fmt.Sprintf("the rule is still not there after %s; the last call: %s", GiveUpAfter, s.calls.last())
	}
	return ""
}

// call gives the call to make now: a repeat of the last one or a new one, or none while one is in flight that may not
// be repeated.
func (s *restoring) call(inFlight bool) (*Call, error) {
	repeats := s.calls.repeats(s.r.o.Now(), map[string]bool{s.restore.ID: true})
	if len(repeats) > 0 {
		return &repeats[len(repeats)-1], nil
	}
	if inFlight {
		return nil, nil //nolint:nilnil // no call is a good answer
	}
	call, err := NewRestoreCall(s.r.o.NewID(), &s.restore)
	if err != nil {
		return nil, err
	}
	return &call, nil
}
