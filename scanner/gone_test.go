package scanner_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

func TestScanProvesThatAGroupIsGone(t *testing.T) {
	tests := []struct {
		name     string
		gone     int    // how many readings of the rules say that the group is gone
		exists   []bool // what looking for the group says, in turn
		fail     func(call) error
		problems []string
		regions  []string
		calls    map[string]int
	}{
		{
			name: "neither found twice: it leaves the scope silently",
			gone: 9, exists: []bool{false, false},
			regions: []string{"cn-a complete=true groups=1 rules=1 err=<nil>"},
			calls:   map[string]int{"exists": 2, "rules": 3},
		},
		{
			name: "found at once: read again from the start",
			gone: 1, exists: []bool{true},
			regions: []string{"cn-a complete=true groups=2 rules=4 err=<nil>"},
			calls:   map[string]int{"exists": 1, "rules": 5},
		},
		{
			name: "found at the second look: read again from the start",
			gone: 1, exists: []bool{false, true},
			regions: []string{"cn-a complete=true groups=2 rules=4 err=<nil>"},
			calls:   map[string]int{"exists": 2, "rules": 5},
		},
		{
			name: "gone at the second reading",
			gone: 9, exists: []bool{true, false, false},
			regions: []string{"cn-a complete=true groups=1 rules=1 err=<nil>"},
			calls:   map[string]int{"exists": 3, "rules": 5},
		},
		{
			name: "found whenever looked for: incomplete, and not asked for ever",
			gone: 9, exists: []bool{true, true},
			regions: []string{"cn-a complete=false groups=2 rules=3 err=<nil>"},
			problems: []string{"region=cn-a group=sg-1 list= rule=: " +
				"reading rules: page 2: security group not found, and yet it is listed"},
			calls: map[string]int{"exists": 2, "rules": 5},
		},
		{
			name: "looking fails: incomplete",
			gone: 9, fail: failing("exists cn-a sg-1"),
			regions: []string{"cn-a complete=false groups=2 rules=3 err=<nil>"},
			problems: []string{"region=cn-a group=sg-1 list= rule=: " +
				"reading rules: page 2: security group not found, and looking for the group: broken"},
			calls: map[string]int{"exists": 1, "rules": 3},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCloud("cn-a")
			c.add("cn-a", "sg-1", rules("r1", 3)...) // 2 pages, the second fails
			c.add("cn-a", "sg-2", rules("r2", 1)...)
			gone, looks := test.gone, test.exists
			c.fail = func(c call) error {
				if c.String() == "rules cn-a sg-1 1" && gone > 0 {
					gone--
					return sg.ErrGroupGone
				}
				if test.fail != nil {
					return test.fail(c)
				}
				return nil
			}
			c.exists = func(call, bool) bool {
				look := looks[0]
				looks = looks[1:]
				return look
			}

			got := mustScan(t, c, nil)

			equal(t, "regions", got.regions(), test.regions)
			equal(t, "problems", got.problems(), test.problems)
			calls := c.count()
			delete(calls, "groups")
			delete(calls, "regions")
			equal(t, "calls", calls, test.calls)
		})
	}
}

func TestScanReadsNoListsOfAGroupThatIsGone(t *testing.T) {
	c := newCloud("cn-a")
	c.add("cn-a", "sg-1", append([]sg.Rule{toList("r1", "pl-1")}, rules("r", 2)...)...)
	c.exists = func(call, bool) bool { return false }
	c.fail = func(c call) error {
		if c.String() == "rules cn-a sg-1 1" {
			return sg.ErrGroupGone
		}
		return nil
	}

	got := mustScan(t, c, nil)

	equal(t, "regions", got.regions(), []string{"cn-a complete=true groups=0 rules=0 err=<nil>"})
	if n := c.count()["list"]; n != 0 {
		t.Errorf("%d lists were read", n)
	}
}

func TestScanLetsTimePassBetweenTwoLooks(t *testing.T) {
	goneCloud := func(looks *[]time.Time) *cloud {
		c := newCloud("cn-a")
		c.add("cn-a", "sg-1", rules("r", 1)...)
		c.fail = failingGone
		c.exists = func(call, bool) bool {
			*looks = append(*looks, time.Now())
			return false
		}
		return c
	}
	t.Run("a second", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var looks []time.Time
			got := mustScan(t, goneCloud(&looks), func(o *scanner.Options) { o.LookAgain = 0 })
			equal(t, "regions", got.regions(), []string{"cn-a complete=true groups=0 rules=0 err=<nil>"})
			if len(looks) != 2 || looks[1].Sub(looks[0]) < time.Second {
				t.Errorf("looked at %v, want two looks a second apart", looks)
			}
		})
	})
	t.Run("but not after the end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var looks []time.Time
			c := goneCloud(&looks)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			begin := time.Now()
			opts := scanner.Options{Groups: c, Rules: c, Regions: []string{"*"}, LookAgain: time.Hour}
			if _, err := scanner.Scan(ctx, opts, func(*scanner.Group) error { return nil }); err == nil {
				t.Error("got no error")
			}
			if took := time.Since(begin); took != time.Minute || len(looks) != 1 {
				t.Errorf("took %v and %d looks, want 1m and one", took, len(looks))
			}
		})
	})
}

func TestScanDoubtsThatManyGroupsAreGone(t *testing.T) {
	tests := []struct {
		listed, gone int
		want         string
	}{
		{10, 10, "cn-a complete=true groups=0 rules=0 err=<nil>"}, // few
		{110, 11, "cn-a complete=true groups=99 rules=0 err=<nil>"},
		{109, 11, "cn-a complete=false groups=98 rules=0 err=11 of 109 groups were listed and then could not be found: " +
			"too many to believe that they are gone"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d of %d", test.gone, test.listed), func(t *testing.T) {
			c := newCloud("cn-a")
			for i := range test.listed {
				c.add("cn-a", fmt.Sprintf("sg-%03d", i))
			}
			last := fmt.Sprintf("sg-%03d", test.gone-1)
			c.fail = failingGroups(sg.ErrGroupGone, func(id string) bool { return id <= last })
			c.exists = func(call, bool) bool { return false }

			got := mustScan(t, c, nil)

			equal(t, "regions", got.regions(), []string{test.want})
			if gone := got.result.Regions[0].Gone; gone != test.gone {
				t.Errorf("%d groups are counted as gone, want %d", gone, test.gone)
			}
			if got.result.Complete() != (got.result.Regions[0].Err == nil) || len(got.result.Problems) > 1 {
				t.Errorf("the scan is complete: %t, problems %q", got.result.Complete(), got.problems())
			}
		})
	}
}
