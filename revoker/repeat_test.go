package revoker_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/revoker"
)

func TestARepeatIsTheSameCallByteForByte(t *testing.T) {
	for _, f := range []fault{lostBefore, throttled, inProgress} {
		c := revoking(3)
		c.faults = []fault{f}
		settled(t, c)
		if len(c.sends) != 2 {
			t.Fatalf("%s: got %d calls, want 2", f, len(c.sends))
		}
		if diff := cmp.Diff(c.sends[0].Request(), c.sends[1].Request()); diff != "" {
			t.Errorf("%s: the repeat differs (-first +repeat):\n%s", f, diff)
		}
		if c.sends[0].ID == c.sends[1].ID {
			t.Errorf("%s: the repeat has the record of the first call", f)
		}
	}
}

func TestACallOfWhichNoAnswerIsKnownWaitsWhenItCannotBeRepeated(t *testing.T) {
	c := revoking(2)
	c.faults = []fault{lostBefore}
	c.onSend = func() { c.withdraw["v1"] = "exempt"; c.onSend = nil }
	s, _, err := c.settle(t.Context(), nil)
	if err != nil || s.Open != 2 || len(c.sends) != 1 {
		t.Fatalf("got %d open after %d calls, error %v; want 2 after 1", s.Open, len(c.sends), err)
	}
	flight := c.sends[0].Deadline.Add(revoker.Flight)
	settled(t, c)
	if got := c.journal.outcomes(); got["v0"] != revoker.Confirmed || got["v1"] != revoker.Withdrawn {
		t.Errorf("got %v", got)
	}
	if second := c.sends[1]; second.Recorded.Before(flight) || second.ClientToken() == c.sends[0].ClientToken() {
		t.Errorf("the second call went at %s under token %s; the first was in flight until %s",
			second.Recorded, second.ClientToken(), flight)
	}
}

func TestAnOldCallIsNotRepeated(t *testing.T) {
	c := revoking(1)
	c.faults = []fault{lostBefore}
	c.crashAt(t, revoker.StepAnswered)
	c.pass(revoker.RepeatWithin + time.Second)
	settled(t, c)
	if len(c.sends) != 2 || c.sends[0].ClientToken() == c.sends[1].ClientToken() {
		t.Errorf("got %d calls, want a second one with another token", len(c.sends))
	}
}

// crashAt settles until the process ends after a step.
func (c *cloud) crashAt(t *testing.T, step string) {
	t.Helper()
	_, crashed, _ := c.settle(t.Context(), func(reached string) {
		if reached == step {
			panic(crash{})
		}
	})
	if !crashed {
		t.Fatalf("step %s was not reached", step)
	}
}

func TestACallIsRepeatedAfterACrashThatTookItsAnswer(t *testing.T) {
	c := revoking(1)
	c.faults = []fault{lostBefore}
	c.crashAt(t, revoker.StepSent)
	settled(t, c)
	if len(c.sends) != 2 || c.sends[0].ClientToken() != c.sends[1].ClientToken() {
		t.Errorf("got calls %+v, want one and its repeat", c.sends)
	}
}

func TestACallWhoseAnswerACrashTookMayStillTakeEffect(t *testing.T) {
	c := revoking(1)
	c.faults = []fault{lostLate}
	c.onSend = func() { c.withdraw["v0"] = "exempt" }
	c.crashAt(t, revoker.StepSent)
	settled(t, c)
	if v := c.journal.revocations[0]; v.Outcome != revoker.Confirmed || v.Attribution != revoker.Presumed {
		t.Errorf("got %s (%s), want confirmed presumed", v.Outcome, v.Detail)
	}
}

func TestARepeatThatWasNotSentIsMadeAgain(t *testing.T) {
	c := revoking(1)
	c.faults = []fault{lostBefore, unsent}
	settled(t, c)
	if len(c.sends) != 2 || c.sends[0].ClientToken() != c.sends[1].ClientToken() || len(c.journal.order) != 3 {
		t.Errorf("got calls %v, of which %d were sent; want one, a repeat that was not sent, and another one",
			c.journal.order, len(c.sends))
	}
}
