package revoker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// restoringRule gives a cloud without rules in which rule sgr-0 is to be created again.
func restoringRule() *cloud {
	c := newCloud()
	c.journal.restore = revoker.Restore{
		ID: "x0", Revocation: "v0", Ref: ref, Rule: rule(0), Actor: "somebody", Created: c.clock.now,
	}
	return c
}

// restored restores as a command does that is called again until the restore has ended, for two days at most.
func (c *cloud) restored(ctx context.Context, t interface{ Fatal(args ...any) }, reached func(string)) {
	for range 2 * 24 * 60 * 4 {
		if c.journal.restore.Outcome != "" {
			return
		}
		if _, err := c.restoreOnce(ctx, reached); err != nil {
			t.Fatal(err)
		}
		c.pass(15 * time.Second)
	}
}

func TestRestoresEndAsTheCloudIsFoundToBe(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(c *cloud)
		want    revoker.RestoreOutcome
		id      string // of the rule that is there
		calls   int
	}{
		{"all goes well", func(*cloud) {}, revoker.Restored, "sgr-new-2", 1},
		{"the answer is lost before the effect", func(c *cloud) {
			c.faults = []fault{lostBefore}
		}, revoker.Restored, "sgr-new-2", 2},
		{"the answer is lost after the effect", func(c *cloud) {
			c.faults = []fault{lostAfter}
		}, revoker.Restored, "sgr-new-2", 1},
		{"throttled twice", func(c *cloud) {
			c.faults = []fault{throttled, throttled}
		}, revoker.Restored, "sgr-new-2", 3},
		{"too late to be sent", func(c *cloud) { c.faults = []fault{unsent} }, revoker.Restored, "sgr-new-3", 1},
		{"success without effect, once", func(c *cloud) { c.faults = []fault{hollow} }, revoker.Restored, "sgr-new-3", 2},
		{"success without effect, for ever", func(c *cloud) {
			c.faults = slices.Repeat([]fault{hollow}, 100)
		}, revoker.RestoreFailed, "", 5},
		{"no answer, for ever", func(c *cloud) {
			c.faults = slices.Repeat([]fault{lostBefore}, 100)
		}, revoker.RestoreFailed, "", 5},
		{"the effect comes when nobody waits for it any more", func(c *cloud) {
			c.faults = []fault{lostLate, lostBefore, lostBefore, lostBefore, lostBefore}
		}, revoker.Restored, "sgr-new-2", 5},
		{"a repeat is refused while the first call may still take effect", func(c *cloud) {
			c.faults = []fault{lostLate, goneLie}
		}, revoker.Restored, "sgr-new-2", 2},
		{"denied", func(c *cloud) { c.faults = []fault{denied} }, revoker.RestoreFailed, "", 1},
		{"refused as wrong, as for a quota", func(c *cloud) { c.faults = []fault{invalid} }, revoker.RestoreFailed, "", 1},
		{"the peer is gone", func(c *cloud) { c.faults = []fault{peerGone} }, revoker.RestoreFailed, "", 1},
		{"the group is gone before", func(c *cloud) { c.gone = true }, revoker.RestoreFailed, "", 0},
		{"the group is gone right before the call", func(c *cloud) {
			c.onSend = func() { c.gone = true }
		}, revoker.RestoreFailed, "", 1},
		{"the rule is there", func(c *cloud) { c.rules = rules(1) }, revoker.AlreadyThere, "sgr-0", 0},
		{"the rule is there, spelled in another way", func(c *cloud) {
			c.rules = []sg.Rule{sg.NewRule(&sg.Fields{
				ID: "sgr-7", Protocol: "tcp", PortRange: "443/443", SourcePorts: "-1/-1", CIDR4: "192.0.0.0", Policy: "accept",
				Priority: "1", NICType: "Intranet", Description: "by hand",
			})}
		}, revoker.AlreadyThere, "sgr-7", 0},
		{"its priority is one that cannot be written", func(c *cloud) {
			c.journal.restore.Rule.Priority = 110
		}, revoker.RestoreFailed, "", 0},
		{"it is a day old", func(c *cloud) { c.pass(revoker.GiveUpAfter + time.Second) }, revoker.RestoreFailed, "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := restoringRule()
			test.prepare(c)
			c.restored(t.Context(), t, nil)
			c.hold(t)
			got := c.journal.restore
			if got.Outcome != test.want || got.RuleID != test.id || len(c.sends) != test.calls {
				t.Errorf("got %s (%s), rule %q after %d calls; want %s, rule %q after %d",
					got.Outcome, got.Detail, got.RuleID, len(c.sends), test.want, test.id, test.calls)
			}
			if got.Outcome == revoker.RestoreFailed && got.Detail == "" || got.Ended.IsZero() {
				t.Errorf("no detail or no end in %+v", got)
			}
		})
	}
}

// Whatever fails and wherever the process ends, a restore ends once, and one that says so has its rule, once.
func TestWhateverHappensARestoreEndsOnceAndTruly(t *testing.T) {
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		c := restoringRule()
		c.faults = anyFaults(t)
		crashes := rapid.SliceOfN(rapid.IntRange(0, 20), 0, 6).Draw(t, "crashes")
		goneAt, steps := rapid.IntRange(0, 40).Draw(t, "group gone after"), 0
		c.restored(ctx, t, func(string) {
			if steps++; steps == goneAt {
				c.gone = true
			}
			if slices.Contains(crashes, steps) {
				panic(crash{})
			}
		})
		c.hold(t)
		switch got := c.journal.restore; got.Outcome {
		case revoker.Restored, revoker.AlreadyThere:
			if !c.gone && (len(c.rules) != 1 || c.rules[0].ID != got.RuleID) {
				t.Errorf("%s as %s, and there are %v", got.Outcome, got.RuleID, c.rules)
			}
		case revoker.RestoreFailed:
			if !c.gone && len(c.rules) != 0 {
				t.Errorf("failed (%s), and there is %v", got.Detail, c.rules)
			}
		default:
			t.Error("still open")
		}
	})
}

func TestARestoreThatCannotBeRecordedIsNotSent(t *testing.T) {
	for method, calls := range map[string]int{"Record": 0, "Answer": 1, "FinishRestore": 1} {
		c := restoringRule()
		c.journal.fail[method] = true
		r, err := c.restoreOnce(t.Context(), nil)
		if !errors.Is(err, errJournal) || r.Outcome != "" || len(c.sends) != calls {
			t.Errorf("%s: got outcome %q after %d calls, error %v", method, r.Outcome, len(c.sends), err)
		}
		delete(c.journal.fail, method)
		c.restored(t.Context(), t, nil)
		if got := c.journal.restore; got.Outcome != revoker.Restored || len(c.rules) != 1 {
			t.Errorf("%s: got %s (%s) in the end, with rules %v", method, got.Outcome, got.Detail, c.rules)
		}
	}
}

func TestARestoreStopsWhereItIsToldTo(t *testing.T) {
	c := restoringRule()
	ctx, cancel := context.WithCancel(t.Context())
	c.onSend = cancel
	if r, err := c.restoreOnce(ctx, nil); !errors.Is(err, context.Canceled) || r.Outcome != "" {
		t.Errorf("got outcome %q, error %v", r.Outcome, err)
	}
	if state := c.journal.calls[c.sends[0].ID].State; state != revoker.CallSucceeded {
		t.Errorf("the call is on record as %s", state)
	}
	if _, err := c.restoreOnce(t.Context(), nil); err != nil || c.journal.restore.Outcome != revoker.Restored {
		t.Errorf("got %+v, error %v in the end", c.journal.restore, err)
	}
}

func TestARestoreFailsAtOnceWhenItsPeerIsGone(t *testing.T) {
	c := restoringRule()
	c.faults = []fault{peerGone}
	if r, err := c.restoreOnce(t.Context(), nil); err != nil || r.Outcome != revoker.RestoreFailed {
		t.Errorf("got outcome %q, error %v", r.Outcome, err)
	}
}

func TestARestoreThatHasEndedIsRefused(t *testing.T) {
	c := restoringRule()
	c.journal.restore.Outcome = revoker.Restored
	if _, err := c.restoreOnce(t.Context(), nil); err == nil || c.lists != 0 {
		t.Errorf("got error %v after %d listings", err, c.lists)
	}
}
