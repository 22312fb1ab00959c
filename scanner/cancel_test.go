package scanner_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// A bubble of synctest ends only when all goroutines in it have, so these tests also prove that none is left.

func TestScanEndsWithItsContext(t *testing.T) {
	for _, op := range []string{"regions", "groups", "rules", "list", "exists"} {
		t.Run("while a call is under way: "+op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := bigCloud()
				if op == "exists" {
					c.fail = failingGone
				}
				c.block = func(ctx context.Context, c call) <-chan struct{} {
					if c.op == op {
						return make(chan struct{}) // for ever
					}
					return nil
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				var result *scanner.Result
				var err error
				go func() {
					defer close(done)
					opts := scanner.Options{Groups: c, Rules: c, Regions: []string{"*"}, Workers: 2}
					result, err = scanner.Scan(ctx, opts, func(*scanner.Group) error { return nil })
				}()
				synctest.Wait() // until every goroutine is stuck
				select {
				case <-done:
					t.Fatal("the scan ended although a call does not")
				default:
				}
				cancel()
				<-done
				if !errors.Is(err, context.Canceled) || result != nil {
					t.Errorf("got result %v and error %v, want none and %v", result, err, context.Canceled)
				}
			})
		})
	}
	t.Run("before it began", func(t *testing.T) {
		c := bigCloud()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		opts := scanner.Options{Groups: c, Rules: c, Regions: []string{"cn-a"}}
		result, err := scanner.Scan(ctx, opts, func(*scanner.Group) error { return nil })
		if !errors.Is(err, context.Canceled) || result != nil {
			t.Errorf("got result %v and error %v, want none and %v", result, err, context.Canceled)
		}
		if len(c.calls) > 0 {
			t.Errorf("it made %d calls", len(c.calls))
		}
	})
	t.Run("during a visit, which is the last", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := bigCloud()
			ctx, cancel := context.WithCancel(t.Context())
			visits := 0
			opts := scanner.Options{Groups: c, Rules: c, Regions: []string{"*"}}
			_, err := scanner.Scan(ctx, opts, func(*scanner.Group) error {
				visits++
				synctest.Wait() // by now the other workers wait for their turn, or behind those that do
				cancel()
				return nil
			})
			if !errors.Is(err, context.Canceled) || visits != 1 {
				t.Errorf("got %d visits and error %v, want one and %v", visits, err, context.Canceled)
			}
		})
	})
}

func TestScanEndsWithTheFirstErrorOfVisit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bigCloud()
		errFull := errors.New("disk full")
		visits := 0
		opts := scanner.Options{Groups: c, Rules: c, Regions: []string{"*"}}
		result, err := scanner.Scan(t.Context(), opts, func(*scanner.Group) error {
			visits++
			if visits == 5 {
				return errFull
			}
			return nil
		})
		if !errors.Is(err, errFull) || result != nil {
			t.Errorf("got result %v and error %v, want none and %v", result, err, errFull)
		}
		if visits != 5 {
			t.Errorf("%d visits, want 5", visits)
		}
	})
}

func TestScanHoldsTheListingBackWhenWorkersAreBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("cn-a")
		for i := range 100 {
			c.add("cn-a", fmt.Sprintf("sg-%d", i))
		}
		release := make(chan struct{})
		c.block = func(_ context.Context, c call) <-chan struct{} {
			if c.op == "rules" {
				return release
			}
			return nil
		}
		go func() {
			synctest.Wait()
			// 2 workers hold a group each, 2 wait in the queue, and the listing holds a page of 2.
			if n := c.count()["groups"]; n > 3 {
				t.Errorf("%d pages of groups were fetched ahead", n)
			}
			close(release)
		}()
		got := mustScan(t, c, func(o *scanner.Options) { o.Workers = 2 })
		equal(t, "regions", got.regions(), []string{"cn-a complete=true groups=100 rules=0 err=<nil>"})
	})
}

func TestScanReadsRegionsSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("cn-a", "cn-b", "cn-c")
		for _, region := range []string{"cn-a", "cn-b", "cn-c"} {
			for i := range 10 {
				c.add(region, fmt.Sprintf("sg-%d", i))
			}
		}
		release := make(chan struct{})
		c.block = func(_ context.Context, c call) <-chan struct{} {
			if c.op == "rules" && c.region != "cn-c" {
				return release
			}
			return nil
		}
		go func() {
			synctest.Wait()
			byRegion := map[string]int{}
			for _, call := range c.calls {
				if call.op == "rules" {
					byRegion[call.region]++
				}
			}
			// The stuck regions have all of their workers at work, and do not hold up the third.
			equal(t, "readings by region", byRegion, map[string]int{"cn-a": 3, "cn-b": 3, "cn-c": 10})
			close(release)
		}()
		mustScan(t, c, nil)
	})
}

// bigCloud has 2 regions of 20 groups that use lists.
func bigCloud() *cloud {
	c := newCloud("cn-a", "cn-b")
	for region, e := range c.regions {
		for i := range 20 {
			c.add(region, fmt.Sprintf("sg-%d", i), toList("r1", "pl-1"), toList("r2", "pl-2"), rules("r", 1)[0])
		}
		e.lists["pl-1"], e.lists["pl-2"] = sg.PrefixList{}, sg.PrefixList{}
	}
	return c
}

// failingGone says of every group that it is gone.
func failingGone(c call) error {
	if c.op == "rules" {
		return sg.ErrGroupGone
	}
	return nil
}
