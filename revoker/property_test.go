package revoker_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// anyFaults draws what goes wrong with the first requests.
func anyFaults(t *rapid.T) []fault {
	return rapid.SliceOfN(rapid.SampledFrom([]fault{
		"", lostBefore, lostAfter, lostLate, hollow, lagging, throttled, denied, invalid, protected, mismatch, inProgress,
		unsent, peerGone, goneLie, groupLie,
	}), 0, 12).Draw(t, "faults")
}

// anyRules draws the rules of a group, some of them without an ID.
func anyRules(t *rapid.T) []sg.Rule {
	all := rules(rapid.IntRange(1, 4).Draw(t, "rules"))
	for i := range all {
		if rapid.IntRange(0, 3).Draw(t, "has no ID") == 3 {
			all[i] = flat(i)
		}
	}
	return all
}

// event draws what somebody else does to the group right after one of the steps.
func (c *cloud) event(t *rapid.T) func() {
	at := rapid.IntRange(0, 3).Draw(t, "rule of the event")
	id := []string{"v0", "v1", "v2", "v3"}[at]
	target := c.journal.revocations[at%len(c.journal.revocations)].Rule
	switch rapid.SampledFrom([]string{"none", "removed", "created again", "changed", "withdrawn", "group removed"}).
		Draw(t, "event") {
	case "removed":
		return func() { c.remove(target.Key()) }
	case "created again":
		if target.ID == "" { // right before the call works this is the one race that the flat form cannot win
			return func() {}
		}
		return func() { c.remove(target.Key()); c.add(target.Fields()) }
	case "changed":
		return func() {
			for i := range c.rules {
				if c.rules[i].Key() == target.Key() && target.ID != "" {
					c.rules[i].Description = "changed"
				}
			}
		}
	case "withdrawn":
		return func() { c.withdraw[id] = "exempt" }
	case "group removed":
		return func() { c.gone = true }
	default:
		return func() {}
	}
}

// Whatever fails, whoever else works on the group and wherever the process ends: no call without its record, no rule
// removed but those that were to be, no success without proof, and one outcome for each revocation.
func TestWhateverHappensEveryRevocationEndsOnceAndTruly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := revokingRules(anyRules(t)...)
		c.faults, c.pages = anyFaults(t), rapid.IntRange(1, 2).Draw(t, "pages")
		crashes := rapid.SliceOfN(rapid.IntRange(0, 30), 0, 6).Draw(t, "crashes")
		steps, eventAt, event := 0, rapid.IntRange(0, 20).Draw(t, "event after"), c.event(t)
		reached := func(string) {
			steps++
			if steps == eventAt {
				event()
			}
			if slices.Contains(crashes, steps) {
				panic(crash{})
			}
		}
		for range 24 * 60 * 4 {
			if len(c.journal.work().Revocations) == 0 {
				break
			}
			if _, _, err := c.settle(t.Context(), reached); err != nil {
				t.Fatal(err)
			}
			c.pass(15 * time.Second)
		}
		c.pass(time.Hour) // whatever is late comes now
		c.hold(t)
		c.judge(t)
	})
}

// judge compares what is on record with what happened.
func (c *cloud) judge(t *rapid.T) {
	for _, v := range c.journal.revocations {
		key := v.Rule.Key()
		ours := slices.Contains(c.removed, key)
		switch v.Outcome {
		case revoker.Confirmed:
			if !c.gone && c.has(key) {
				t.Errorf("%s is confirmed, and its rule is there", v.ID)
			}
		case revoker.AlreadyAbsent, revoker.Changed, revoker.Withdrawn, revoker.Failed:
			if ours {
				t.Errorf("%s is %s, and a call of ours removed its rule", v.ID, v.Outcome)
			}
		default:
			t.Errorf("%s is still open", v.ID)
		}
	}
	slices.Sort(c.removed)
	if unique := slices.Compact(slices.Clone(c.removed)); len(unique) != len(c.removed) {
		t.Errorf("rules were removed twice: %v", c.removed)
	}
	for _, key := range c.removed {
		if !slices.ContainsFunc(c.journal.revocations, func(v revoker.Revocation) bool { return v.Rule.Key() == key }) {
			t.Errorf("rule %s was removed, and nothing asked for it", key)
		}
	}
}
