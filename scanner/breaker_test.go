package scanner_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// twenty is a cloud of two regions with 20 groups of one rule each.
func twenty() *cloud {
	c := newCloud("cn-a", "cn-b")
	for region := range c.regions {
		for i := range 20 {
			c.add(region, fmt.Sprintf("sg-%02d", i), rules("r", 1)...)
		}
	}
	return c
}

// failingGroups gives an error for the rules of groups in cn-a, by ID.
func failingGroups(err error, fails func(id string) bool) func(call) error {
	return func(c call) error {
		if c.op == "rules" && c.region == "cn-a" && fails(c.id) {
			return err
		}
		return nil
	}
}

func TestScanGivesUpARegionThatCannotBeRead(t *testing.T) {
	all := func(string) bool { return true }
	const healthy = "cn-b complete=true groups=20 rules=20 err=<nil>"
	tests := []struct {
		name    string
		fail    func(call) error
		region  string
		alone   int // problems of single groups
		calls   int // for rules of the region
		visited int
	}{
		{
			"five failures in a row", failingGroups(errBroken, all),
			"cn-a complete=false groups=5 rules=0 err=gave up after 5 groups in a row could not be read; " +
				"groups not read beside these: 15; the last: page 1: broken",
			5, 5, 5,
		},
		{
			"five in a row after some that passed", failingGroups(errBroken, func(id string) bool { return id > "sg-09" }),
			"cn-a complete=false groups=15 rules=10 err=gave up after 5 groups in a row could not be read; " +
				"groups not read beside these: 5; the last: page 1: broken",
			5, 15, 15,
		},
		{
			"five in a row at the end only", failingGroups(errBroken, func(id string) bool { return id != "sg-04" && id != "sg-09" && id != "sg-14" }),
			"cn-a complete=false groups=20 rules=3 err=gave up after 5 groups in a row could not be read; " +
				"groups not read beside these: 0; the last: page 1: broken",
			17, 20, 20,
		},
		{
			"four in a row again and again", failingGroups(errBroken, func(id string) bool { return !strings.ContainsAny(id[4:], "49") }),
			"cn-a complete=false groups=20 rules=4 err=<nil>",
			16, 20, 20,
		},
		{
			"the first is denied", failingGroups(sg.ErrDenied, all),
			"cn-a complete=false groups=0 rules=0 err=gave up, the cloud denies the reading of rules; " +
				"groups not read: 20: page 1: denied by the cloud",
			0, 1, 0,
		},
		{
			"many in a row are denied after a success", failingGroups(sg.ErrDenied, func(id string) bool { return id > "sg-09" }),
			"cn-a complete=false groups=20 rules=10 err=<nil>",
			10, 20, 20,
		},
		{
			"some are denied after a success", failingGroups(sg.ErrDenied, func(id string) bool { return id == "sg-03" || id == "sg-04" }),
			"cn-a complete=false groups=20 rules=18 err=<nil>",
			2, 20, 20,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := twenty()
			c.fail = test.fail

			got := mustScan(t, c, func(o *scanner.Options) { o.Workers = 1 })

			equal(t, "regions", got.regions(), []string{test.region, healthy})
			alone, visited, calls := 0, 0, 0
			for _, p := range got.result.Problems {
				if p.Group != "" {
					alone++
				}
			}
			for key := range got.visited {
				if strings.HasPrefix(key, "cn-a/") {
					visited++
				}
			}
			for _, call := range c.calls {
				if call.op == "rules" && call.region == "cn-a" {
					calls++
				}
			}
			regional := 0
			if got.result.Regions[0].Err != nil {
				regional = 1
			}
			if alone != test.alone || len(got.result.Problems) != test.alone+regional {
				t.Errorf("problems are %q, want %d of groups and %d of the region", got.problems(), test.alone, regional)
			}
			if visited != test.visited || calls != test.calls {
				t.Errorf("%d groups were visited after %d calls, want %d after %d", visited, calls, test.visited, test.calls)
			}
		})
	}
}

func TestGroupsThatAreGoneDoNotCountAsFailures(t *testing.T) {
	c := twenty()
	c.fail = failingGroups(sg.ErrGroupGone, func(id string) bool { return id < "sg-02" })
	c.exists = func(call, bool) bool { return false }

	got := mustScan(t, c, func(o *scanner.Options) { o.Workers = 1 })

	equal(t, "problems", got.problems(), []string(nil))
	if gone := got.result.Regions[0].Gone; gone != 2 {
		t.Errorf("%d groups are counted as gone, want 2", gone)
	}
}

// Of many workers, those that are at work when the region is given up are stopped, and their groups are no problems of
// their own.
func TestARegionThatHangsIsGivenUpWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := twenty()
		hung := make(chan struct{}) // never closed
		var started atomic.Int64
		c.block = func(_ context.Context, c call) <-chan struct{} {
			if c.op != "rules" || c.region != "cn-a" {
				return nil
			}
			if started.Add(1) > 5 { // the first five fail after 90 seconds, the others hang for ever
				return hung
			}
			late := make(chan struct{})
			time.AfterFunc(90*time.Second, func() { close(late) })
			return late
		}
		c.fail = failingGroups(errBroken, func(string) bool { return true })
		begin := time.Now()

		got := mustScan(t, c, func(o *scanner.Options) { o.Workers = 8 })

		if took := time.Since(begin); took != 90*time.Second {
			t.Errorf("the scan took %v, want 90s", took)
		}
		equal(t, "regions", got.regions(), []string{
			"cn-a complete=false groups=5 rules=0 err=gave up after 5 groups in a row could not be read; " +
				"groups not read beside these: 15; the last: page 1: broken",
			"cn-b complete=true groups=20 rules=20 err=<nil>",
		})
		if n := len(got.result.Problems); n != 6 {
			t.Errorf("got problems %q, want one of the region and five of groups", got.problems())
		}
	})
}

// A key without the grant costs one call a worker at most, not one a group, and makes one problem a region.
func TestADeniedReadingIsOneProblem(t *testing.T) {
	c := newCloud("cn-a")
	for i := range 500 {
		c.add("cn-a", fmt.Sprintf("sg-%d", i))
	}
	c.fail = failingGroups(sg.ErrDenied, func(string) bool { return true })

	got := mustScan(t, c, func(o *scanner.Options) { o.Workers = 8 })

	equal(t, "problems", got.problems(), []string{"region=cn-a group= list= rule=: " +
		"gave up, the cloud denies the reading of rules; groups not read: 500: page 1: denied by the cloud"})
	if n := c.count()["rules"]; n > 8 {
		t.Errorf("%d calls were denied, want no more than there are workers", n)
	}
}

// What is denied here is the look for a group that seemed gone: of the rules of other groups it says nothing.
func TestADeniedLookIsAProblemOfOneGroup(t *testing.T) {
	c := twenty()
	c.fail = func(c call) error {
		switch c.String() {
		case "rules cn-a sg-00":
			return sg.ErrGroupGone
		case "exists cn-a sg-00":
			return sg.ErrDenied
		}
		return nil
	}

	got := mustScan(t, c, func(o *scanner.Options) { o.Workers = 1 })

	equal(t, "problems", got.problems(), []string{"region=cn-a group=sg-00 list= rule=: reading rules: " +
		"page 1: security group not found, and looking for the group: denied by the cloud"})
	equal(t, "regions", got.regions(), []string{
		"cn-a complete=false groups=20 rules=19 err=<nil>", "cn-b complete=true groups=20 rules=20 err=<nil>",
	})
}

// One group that is somebody else's must not hide the others, even if it comes first.
func TestAFewDenialsAtTheBeginningAreProblemsOfTheirGroups(t *testing.T) {
	c := twenty()
	c.fail = failingGroups(sg.ErrDenied, func(id string) bool { return id < "sg-02" })

	got := mustScan(t, c, func(o *scanner.Options) { o.Workers, o.MaxDenials = 1, 3 })

	if n := len(got.result.Problems); n != 2 {
		t.Errorf("got problems %q, want one for each of the two groups", got.problems())
	}
	equal(t, "first region", got.regions()[0], "cn-a complete=false groups=20 rules=18 err=<nil>")
}
