package revoker_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// settled settles as a daemon does, every 15 seconds, until nothing is open, for two days at most.
func settled(t *testing.T, c *cloud) (last revoker.Settled) {
	t.Helper()
	for range 2 * 24 * 60 * 4 {
		if len(c.journal.work().Revocations) == 0 {
			break
		}
		s, _, err := c.settle(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		last = s
		c.pass(15 * time.Second)
	}
	c.hold(t)
	return last
}

// hold checks what must hold whatever happened.
func (c *cloud) hold(t interface {
	Helper()
	Errorf(format string, args ...any)
},
) {
	t.Helper()
	for _, text := range c.faulty {
		t.Errorf("against the protocol: %s", text)
	}
	for _, id := range c.journal.falsely {
		t.Errorf("%s was confirmed while its rule was there", id)
	}
}

func TestRevocationsEndAsTheCloudIsFoundToBe(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(c *cloud)
		want    string // outcome of v0, and its attribution
		calls   int
		left    bool // the rule is still there
	}{
		{"all goes well", func(*cloud) {}, "confirmed answered", 1, false},
		{"the answer is lost before the effect: the same call again", func(c *cloud) {
			c.faults = []fault{lostBefore}
		}, "confirmed answered", 2, false},
		{"the answer is lost after the effect", func(c *cloud) {
			c.faults = []fault{lostAfter}
		}, "confirmed presumed", 1, false},
		{"the effect comes when nobody waits for it any more", func(c *cloud) {
			c.faults = []fault{lostLate, lostBefore, lostBefore, lostBefore, lostBefore}
		}, "confirmed presumed", 5, false},
		{"success, and it takes a while to be seen", func(c *cloud) {
			c.faults = []fault{lagging}
		}, "confirmed answered", 1, false},
		{"success without effect, once", func(c *cloud) { c.faults = []fault{hollow} }, "confirmed answered", 2, false},
		{"success without effect, for ever", func(c *cloud) {
			c.faults = slices.Repeat([]fault{hollow}, 100)
		}, "failed", 5, true},
		{"no answer, for ever", func(c *cloud) { c.faults = slices.Repeat([]fault{lostBefore}, 100) }, "failed", 5, true},
		{"throttled twice", func(c *cloud) { c.faults = []fault{throttled, throttled} }, "confirmed answered", 3, false},
		{"denied", func(c *cloud) { c.faults = []fault{denied} }, "failed", 1, true},
		{"refused as wrong", func(c *cloud) { c.faults = []fault{invalid} }, "failed", 1, true},
		{"refused since a service manages the group", func(c *cloud) { c.faults = []fault{protected} }, "withdrawn", 1, true},
		{"the token is known from another call", func(c *cloud) { c.faults = []fault{mismatch} }, "failed", 1, true},
		{"the cloud is still at work on it", func(c *cloud) {
			c.faults = []fault{inProgress, inProgress}
		}, "confirmed answered", 3, false},
		{"a peer is said to be gone, which says nothing", func(c *cloud) {
			c.faults = []fault{peerGone}
		}, "confirmed answered", 2, false},
		{"the rule is said to be gone, but is not", func(c *cloud) {
			c.faults = []fault{goneLie}
		}, "confirmed answered", 2, false},
		{"the group is said to be gone, but is not", func(c *cloud) {
			c.faults = []fault{groupLie}
		}, "confirmed answered", 2, false},
		{"too late to be sent, twice", func(c *cloud) { c.faults = []fault{unsent, unsent} }, "confirmed answered", 1, false},
		{"the rule was removed before", func(c *cloud) { c.remove("sgr-0") }, "already_absent", 0, false},
		{"the group was removed before", func(c *cloud) { c.gone = true }, "already_absent", 0, true},
		{"the rule is removed by somebody else right before the call", func(c *cloud) {
			c.onSend = func() { c.remove("sgr-0") }
		}, "already_absent", 1, false},
		{"the rule is removed by somebody else, and it takes a while to be seen", func(c *cloud) {
			c.onSend = func() { c.linger([]string{"sgr-0"}); c.remove("sgr-0") }
		}, "already_absent", 1, false},
		{"the group is removed right before the call", func(c *cloud) {
			c.onSend = func() { c.gone = true }
		}, "already_absent", 1, true},
		{"the rule was changed under its ID", func(c *cloud) { c.rules[0].Description = "not the same" }, "changed", 0, true},
		{"the decision is another one now", func(c *cloud) { c.withdraw["v0"] = "exempt" }, "withdrawn", 0, true},
		{"the rule was changed after a call of which the answer was lost", func(c *cloud) {
			c.faults = []fault{lostBefore}
			c.onSend = func() { c.rules[0].Description = "not the same" }
		}, "changed", 1, true},
		{"the decision is another one after a call that works late", func(c *cloud) {
			c.faults = []fault{lostLate}
			c.onSend = func() { c.withdraw["v0"] = "exempt" }
		}, "confirmed presumed", 1, false},
		{"a listing of two pages skips the rule now and then", func(c *cloud) { c.pages = 2 }, "confirmed answered", 1, false},
		{"every check skips the rule, and every listing after it has it", func(c *cloud) {
			c.pages, c.skips = 2, 2
		}, "failed", 0, true},
		{"it is a day old", func(c *cloud) { c.pass(revoker.GiveUpAfter + time.Second) }, "failed", 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := revoking(1)
			test.prepare(c)
			settled(t, c)
			v := c.journal.revocations[0]
			if got := strings.TrimSpace(string(v.Outcome) + " " + string(v.Attribution)); got != test.want {
				t.Errorf("got %s (%s), want %s", got, v.Detail, test.want)
			}
			if len(c.sends) != test.calls || c.has("sgr-0") != test.left {
				t.Errorf("got %d calls, and the rule is there: %t; want %d, %t", len(c.sends), c.has("sgr-0"), test.calls, test.left)
			}
			if v.Outcome != revoker.Confirmed && v.Detail == "" {
				t.Error("no detail says why")
			}
		})
	}
}

func TestWithoutFaultsNoCallAndNoListingIsWasted(t *testing.T) {
	for _, test := range []struct{ rules, calls int }{{1, 1}, {100, 1}, {101, 2}, {250, 3}} {
		c := revoking(test.rules)
		s, _, err := c.settle(t.Context(), nil)
		if err != nil || s.Open != 0 || len(s.Endings) != test.rules {
			t.Fatalf("got %d endings, %d open, error %v", len(s.Endings), s.Open, err)
		}
		if len(c.sends) != test.calls || c.checks != 1 || c.lists != 1 {
			t.Errorf("%d rules: got %d calls, %d checks, %d listings, want %d, 1, 1",
				test.rules, len(c.sends), c.checks, c.lists, test.calls)
		}
		c.hold(t)
	}
}

func TestARuleThatWasCreatedAgainIsLeftAlone(t *testing.T) {
	for _, f := range []fault{"", lostBefore, lostAfter, hollow, goneLie} {
		c := revoking(1)
		again := rule(0)
		c.faults = []fault{f}
		c.onSend = func() { // under another ID, with the same content, each time before a call works
			c.remove("sgr-0")
			if len(c.rules) == 0 {
				c.add(again.Fields())
			}
		}
		settled(t, c)
		if len(c.removed) != 0 || len(c.rules) != 1 {
			t.Errorf("%s: removed %v", f, c.removed)
		}
	}
}

func TestABatchOfWhichRulesAreWrongIsSplit(t *testing.T) {
	c := revoking(4)
	c.poison = []string{"sgr-0", "sgr-2"}
	settled(t, c)
	want := map[string]revoker.Outcome{
		"v0": revoker.Failed, "v1": revoker.Confirmed, "v2": revoker.Failed, "v3": revoker.Confirmed,
	}
	if diff := cmp.Diff(want, c.journal.outcomes()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if len(c.sends) != 5 || c.checks != 3 {
		t.Errorf("got %d calls after %d checks, want one of four rules and four of one, after 3", len(c.sends), c.checks)
	}
}

func TestABatchOfWhichOneRuleIsGoneGoesOnWithTheRest(t *testing.T) {
	c := revoking(3)
	c.onSend = func() { c.remove("sgr-1"); c.onSend = nil }
	settled(t, c)
	want := map[string]revoker.Outcome{"v0": revoker.Confirmed, "v1": revoker.AlreadyAbsent, "v2": revoker.Confirmed}
	if diff := cmp.Diff(want, c.journal.outcomes()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if len(c.sends) != 2 || len(c.sends[1].Carries) != 2 {
		t.Errorf("got calls %+v, want one of three rules and one of two", c.sends)
	}
	if c.sends[0].ClientToken() == c.sends[1].ClientToken() {
		t.Error("another set of rules has the token of the first")
	}
}

func TestABatchThatIsSaidToBeGoneButIsAllThereIsSplit(t *testing.T) {
	c := revoking(3)
	c.faults = []fault{goneLie}
	settled(t, c)
	if len(c.sends) != 4 || len(c.removed) != 3 {
		t.Errorf("got %d calls that removed %v, want one of three rules and three of one", len(c.sends), c.removed)
	}
}

func TestDeniedStopsTheAccountAndEndsWhatIsNotInFlight(t *testing.T) {
	c := revoking(101) // two calls
	c.faults = []fault{lostBefore, denied, denied}
	s := settled(t, c)
	if s.Stop != "Code.denied" {
		t.Errorf("got stop %q", s.Stop)
	}
	if got := c.journal.outcomes(); got["v100"] != revoker.Failed || got["v0"] != revoker.Failed {
		t.Errorf("got %v and %v, want both failed", got["v0"], got["v100"])
	}
}

func TestNothingIsSentOrEndedThatCannotBeKnown(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name    string
		prepare func(c *cloud)
		calls   int
	}{
		{"the group cannot be checked", func(c *cloud) { c.checkErr = broken }, 0},
		{"a second listing of many pages fails", func(c *cloud) { c.pages, c.listErr = 2, broken }, 0},
		{"the rules cannot be listed after the call", func(c *cloud) { c.listErr = broken }, 1},
		{"the call cannot be recorded", func(c *cloud) { c.journal.fail["Record"] = true }, 0},
		{"the answer cannot be recorded", func(c *cloud) { c.journal.fail["Answer"] = true }, 1},
		{"the outcome cannot be recorded", func(c *cloud) { c.journal.fail["Finish"] = true }, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := revoking(101)
			test.prepare(c)
			s, _, err := c.settle(t.Context(), nil)
			if err == nil || s.Open != 101 || len(s.Endings) != 0 {
				t.Errorf("got %d open, %d endings, error %v", s.Open, len(s.Endings), err)
			}
			if test.name == "the rules cannot be listed after the call" {
				test.calls = 2
			}
			if len(c.sends) != test.calls {
				t.Errorf("got %d calls, want %d", len(c.sends), test.calls)
			}
			c.hold(t)
		})
	}
}

func TestWhenTheProcessIsToldToEndTheAnswerIsStillRecorded(t *testing.T) {
	c := revoking(101)
	ctx, cancel := context.WithCancel(t.Context())
	c.onSend = cancel
	s, _, err := c.settle(ctx, nil)
	if !errors.Is(err, context.Canceled) || s.Open != 101 || len(c.sends) != 1 {
		t.Errorf("got %d open after %d calls, error %v; want all open after 1", s.Open, len(c.sends), err)
	}
	if state := c.journal.calls[c.sends[0].ID].State; state != revoker.CallSucceeded {
		t.Errorf("the call is on record as %s", state)
	}
	c.onSend = nil
	settled(t, c)
	if len(c.removed) != 101 {
		t.Errorf("removed %d rules, want 101", len(c.removed))
	}
}

func TestACallIsNotSentAfterItsTime(t *testing.T) {
	c := revoking(1)
	slow := 0
	r := func(step string) {
		if step == revoker.StepCallRecorded && slow < 2 {
			slow++
			c.pass(revoker.SendWithin + time.Millisecond)
		}
	}
	if _, _, err := c.settle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	var states []revoker.CallState
	for _, id := range c.journal.order {
		states = append(states, c.journal.calls[id].State)
	}
	want := []revoker.CallState{revoker.CallUnsent, revoker.CallUnsent, revoker.CallSucceeded}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	c.hold(t)
}

func TestACallThatWouldBeTooLateIsNotEvenRecorded(t *testing.T) {
	c := revoking(101)
	slow := func(step string) {
		if step == revoker.StepAnswered {
			c.pass(revoker.SendWithin + time.Millisecond)
		}
	}
	if _, _, err := c.settle(t.Context(), slow); err != nil {
		t.Fatal(err)
	}
	if len(c.journal.order) != 2 || c.checks != 2 {
		t.Errorf("got %d calls on record after %d checks, want 2 after 2", len(c.journal.order), c.checks)
	}
	c.hold(t)
}

func TestACallDoesNotLiveLongerForAClockThatIsAhead(t *testing.T) {
	c := revoking(1)
	c.ahead = time.Hour
	settled(t, c)
	if call := c.sends[0]; call.Deadline.Sub(call.Recorded) > revoker.SendWithin {
		t.Errorf("the call may be sent for %s", call.Deadline.Sub(call.Recorded))
	}
}

func TestListingsThatContradictEachOtherAreReadAgainAFewTimes(t *testing.T) {
	c := revoking(1)
	c.pages, c.skips = 2, 2
	if s, _, err := c.settle(t.Context(), nil); err != nil || s.Open != 1 || c.checks != 3 {
		t.Errorf("got %d open after %d checks, error %v; want 1 after 3", s.Open, c.checks, err)
	}
}

func TestAGroupThatIsGoneNeedsNoSecondListing(t *testing.T) {
	c := revoking(1)
	c.pages, c.gone = 2, true
	if settled(t, c); c.lists != 0 {
		t.Errorf("got %d listings", c.lists)
	}
}

func TestSettleGivesUpForNowWhenNothingGetsThrough(t *testing.T) {
	for _, f := range []fault{throttled, unsent} {
		c := revoking(1)
		c.faults = slices.Repeat([]fault{f}, 10)
		s, _, err := c.settle(t.Context(), nil)
		if err != nil || s.Open != 1 || len(c.faults) != 7 {
			t.Errorf("%s: got %d open after %d calls, error %v; want 1 after 3", f, s.Open, 10-len(c.faults), err)
		}
		if f == throttled && c.clock.now.Second() != 0 && c.clock.now.Sub(c.sends[0].Recorded) < 2*time.Minute {
			t.Errorf("throttled calls were repeated within the minute")
		}
		c.hold(t)
	}
}

func TestWorkThatContradictsItselfIsRefused(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(w *revoker.Work)
	}{
		{"another group", func(w *revoker.Work) { w.Revocations[1].Ref.Group = "sg-2" }},
		{"one that has ended", func(w *revoker.Work) { w.Revocations[1].Outcome = revoker.Failed }},
		{"an ID twice", func(w *revoker.Work) { w.Revocations[1].ID = "v0" }},
		{"a rule twice", func(w *revoker.Work) { w.Revocations[1].Rule = w.Revocations[0].Rule }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := revoking(2)
			w := c.journal.work()
			test.spoil(w)
			if _, err := c.revoker(nil).Settle(t.Context(), w); err == nil || len(c.sends) != 0 {
				t.Errorf("got error %v after %d calls", err, len(c.sends))
			}
		})
	}
}
