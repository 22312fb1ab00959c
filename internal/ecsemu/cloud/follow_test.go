package cloud

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"
)

// TestWhatFollowsKnowsAllOfARegion fails once a region holds something that noteChanges does not compare.
func TestWhatFollowsKnowsAllOfARegion(t *testing.T) {
	known := map[string]bool{
		"id": true, "order": true, "groups": true, "lists": true, "portLists": true, "vpcs": true, "cards": true,
		"groupQuota": true,
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[region]()) {
		if !known[field.Name] {
			t.Errorf("a region has %s, and nobody tells those who follow of its changes", field.Name)
		}
	}
}

func followed(tb testing.TB, groups, rules int, now *time.Time) (*Cloud, *Action) {
	tb.Helper()
	estate := &Estate{Regions: []Region{{ID: "r"}}}
	for g := range groups {
		group := Group{ID: fmt.Sprintf("sg-%05d", g), VPC: "vpc-1"}
		for i := range rules {
			group.Egress = append(group.Egress, Rule{Protocol: "tcp", Ports: fmt.Sprintf("%d/%d", i+1, i+1), Peer: "10.0.0.0/8"})
		}
		estate.Regions[0].Groups = append(estate.Regions[0].Groups, group)
	}
	c, err := New(Options{Estate: estate, Clock: func() time.Time { return *now }})
	if err != nil {
		tb.Fatal(err)
	}
	return c, c.Named("ModifySecurityGroupAttribute")
}

func (c *Cloud) rename(tb testing.TB, do *Action, i int) {
	tb.Helper()
	_, err := c.Do(&Call{Action: do, Caller: c.Owner(DefaultAccount), Params: map[string]string{
		"RegionId": "r", "SecurityGroupId": fmt.Sprintf("sg-%05d", i%5000), "Description": fmt.Sprintf("change %d", i),
	}})
	if err != nil {
		tb.Fatal(err)
	}
}

// TestWhatLagsIsBounded has a clock that stands still.
func TestWhatLagsIsBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	c, do := followed(t, 1, 0, &now)
	w := c.Follow(time.Second)
	for i := range maxPending + 10 {
		c.rename(t, do, 5000*i)
	}
	if got := len(w.behind.pending); got != maxPending {
		t.Errorf("got %d changes that are to come, want at most %d", got, maxPending)
	}
	if got := w.accounts[DefaultAccount].regions["r"].groups["sg-00000"].Description; got != "change 45000" && got == "" {
		t.Errorf("got description %q: what was too much did not show", got)
	}
	c.Unfollow(w)
	if c.followed != nil || len(c.followers) != 0 {
		t.Error("something is left of what followed")
	}
}

// BenchmarkWriteWithLag is of 5,000 groups with 200 rules, 100 writes a second, and a lag of a minute.
func BenchmarkWriteWithLag(b *testing.B) {
	for _, lag := range []time.Duration{0, time.Minute} {
		b.Run(lag.String(), func(b *testing.B) {
			now := time.Unix(1e9, 0)
			c, do := followed(b, 5000, 200, &now)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			if lag > 0 {
				c.Follow(lag)
			}
			i := 0
			for b.Loop() {
				c.rename(b, do, i)
				now = now.Add(10 * time.Millisecond)
				i++
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc)/1e6-float64(before.HeapAlloc)/1e6, "MB-more")
			runtime.KeepAlive(c)
		})
	}
}
