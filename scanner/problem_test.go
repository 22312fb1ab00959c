package scanner_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

var errBroken = errors.New("broken")

// failing gives errBroken for the calls named, as call.String spells them.
func failing(calls ...string) func(call) error {
	return func(c call) error {
		for _, name := range calls {
			if c.String() == name {
				return errBroken
			}
		}
		return nil
	}
}

func TestScanNamesWhatCouldNotBeRead(t *testing.T) {
	tests := []struct {
		name     string
		fail     func(call) error
		regions  []string
		problems []string
		partial  map[string]string // why groups are incomplete
	}{
		{
			name:     "the regions: then nothing is known",
			fail:     failing("regions"),
			problems: []string{"region= group= list= rule=: listing regions: broken"},
		},
		{
			name: "all groups of a region: the others go on",
			fail: func(c call) error {
				if c.op == "groups" && c.region == "cn-a" {
					return fmt.Errorf("no such action for you: %w", sg.ErrDenied)
				}
				return nil
			},
			regions: []string{
				"cn-a complete=false groups=0 rules=0 err=listing groups: page 1: no such action for you: denied by the cloud",
				"cn-b complete=true groups=1 rules=2 err=<nil>",
			},
			problems: []string{
				"region=cn-a group= list= rule=: listing groups: page 1: no such action for you: denied by the cloud",
			},
		},
		{
			name: "a later page of groups: those before are read",
			fail: failing("groups cn-a 1"),
			regions: []string{
				"cn-a complete=false groups=2 rules=6 err=listing groups: page 2: broken",
				"cn-b complete=true groups=1 rules=2 err=<nil>",
			},
			problems: []string{"region=cn-a group= list= rule=: listing groups: page 2: broken"},
		},
		{
			name: "a later page of rules: the rules before are handed out as incomplete",
			fail: failing("rules cn-a sg-1 1"),
			regions: []string{
				"cn-a complete=false groups=3 rules=7 err=<nil>",
				"cn-b complete=true groups=1 rules=2 err=<nil>",
			},
			problems: []string{"region=cn-a group=sg-1 list= rule=: reading rules: page 2: broken"},
			partial:  map[string]string{"cn-a/sg-1": "reading rules: page 2: broken"},
		},
		{
			name: "one side of a classic group",
			fail: failing("rules cn-a sg-3 intranet"),
			regions: []string{
				"cn-a complete=false groups=3 rules=7 err=<nil>",
				"cn-b complete=true groups=1 rules=2 err=<nil>",
			},
			problems: []string{"region=cn-a group=sg-3 list= rule=: reading rules: intranet: page 1: broken"},
			partial:  map[string]string{"cn-a/sg-3": "reading rules: intranet: page 1: broken"},
		},
		{
			name: "a list that two groups use: the groups are whole, the region is not",
			fail: failing("list cn-a pl-1"),
			regions: []string{
				"cn-a complete=false groups=3 rules=9 err=<nil>",
				"cn-b complete=true groups=1 rules=2 err=<nil>",
			},
			problems: []string{"region=cn-a group= list=pl-1 rule=: reading prefix list pl-1: broken"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCloud("cn-a", "cn-b")
			c.add("cn-a", "sg-1", append(rules("r1", 3), toList("r1-4", "pl-1"))...)
			c.add("cn-a", "sg-2", append(rules("r2", 1), toList("r2-2", "pl-1"))...)
			c.addClassic("cn-a", "sg-3", rules("r3", 1), rules("r4", 2))
			c.add("cn-b", "sg-4", rules("r5", 2)...)
			c.regions["cn-a"].lists["pl-1"] = sg.PrefixList{ID: "pl-1"}
			c.fail = test.fail

			got := mustScan(t, c, nil)

			equal(t, "regions", got.regions(), test.regions)
			equal(t, "problems", got.problems(), test.problems)
			partial := map[string]string{}
			for key, g := range got.visited {
				if g.Incomplete != "" {
					partial[key] = g.Incomplete
				}
			}
			equal(t, "incomplete groups", partial, test.partial)
			if got.result.Complete() {
				t.Error("the scan claims to be complete")
			}
		})
	}
}

func TestScanAsksForABrokenListOnce(t *testing.T) {
	c := newCloud("cn-a")
	for i := range 20 {
		c.add("cn-a", fmt.Sprintf("sg-%d", i), toList("r1", "pl-1"), toList("r2", "pl-1"))
	}
	c.fail = failing("list cn-a pl-1")

	got := mustScan(t, c, func(o *scanner.Options) { o.Workers = 8 })

	if n := c.count()["list"]; n != 1 {
		t.Errorf("the list was asked for %d times", n)
	}
	equal(t, "problems", got.problems(),
		[]string{"region=cn-a group= list=pl-1 rule=: reading prefix list pl-1: broken"})
	for key, g := range got.visited {
		if g.Rules[0].Destination.List != nil || g.Rules[1].Destination.List != nil {
			t.Errorf("a rule of %s has a list that could not be read", key)
		}
	}
}

func TestScanReadsAPortListOncePerRegion(t *testing.T) {
	c := newCloud("cn-a", "cn-b")
	c.add("cn-a", "sg-1", withPortList("r1", "prl-1"), withPortList("r2", "prl-1"))
	c.add("cn-a", "sg-2", withPortList("r3", "prl-1"), withPortList("r4", "prl-2"))
	c.add("cn-b", "sg-3", withPortList("r5", "prl-1"))
	mail := sg.PortList{ID: "prl-1", Ranges: []sg.PortRange{{Low: 25, High: 25}}}
	c.regions["cn-a"].ports["prl-1"] = mail

	got := mustScan(t, c, nil)

	if n := c.count()["ports"]; n != 3 {
		t.Errorf("port lists were asked for %d times, want 3 times", n)
	}
	equal(t, "problems", got.problems(), []string{
		"region=cn-a group= list=prl-2 rule=: reading port list prl-2: no such port list",
		"region=cn-b group= list=prl-1 rule=: reading port list prl-1: no such port list",
	})
	for group, want := range map[string][]*sg.PortList{
		"cn-a/sg-1": {&mail, &mail}, "cn-a/sg-2": {&mail, nil}, "cn-b/sg-3": {nil},
	} {
		var lists []*sg.PortList
		for i := range got.visited[group].Rules {
			lists = append(lists, got.visited[group].Rules[i].PortList)
		}
		equal(t, "lists of "+group, lists, want)
		if why := got.visited[group].Incomplete; why != "" {
			t.Errorf("%s has all of its rules, but is incomplete: %s", group, why)
		}
	}
}

func TestPortListsThatWereReadLeaveTheRegionComplete(t *testing.T) {
	c := newCloud("cn-a")
	c.add("cn-a", "sg-1", withPortList("r1", "prl-1"))
	c.regions["cn-a"].ports["prl-1"] = sg.PortList{ID: "prl-1"}
	equal(t, "regions", mustScan(t, c, nil).regions(), []string{"cn-a complete=true groups=1 rules=1 err=<nil>"})

	delete(c.regions["cn-a"].ports, "prl-1")
	equal(t, "regions", mustScan(t, c, nil).regions(), []string{"cn-a complete=false groups=1 rules=1 err=<nil>"})
}

func TestScanDoesNotTakeNoRegionsForAll(t *testing.T) {
	tests := []struct {
		name    string
		regions []sg.Region
		problem string
	}{
		{"none", nil, "region= group= list= rule=: listing regions: the cloud named none"},
		{"one without a name", []sg.Region{{ID: "cn-a"}, {}}, "region= group= list= rule=: listing regions: one has no name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newCloud("cn-a")
			got := mustScan(t, c, func(o *scanner.Options) { o.Groups = regionLister{cloud: c, regions: test.regions} })
			equal(t, "problems", got.problems(), []string{test.problem})
			if got.result.Complete() {
				t.Error("the scan claims to be complete")
			}
		})
	}
	t.Run("one twice is read once", func(t *testing.T) {
		c := newCloud("cn-a")
		twice := regionLister{cloud: c, regions: []sg.Region{{ID: "cn-a"}, {ID: "cn-a"}}}
		got := mustScan(t, c, func(o *scanner.Options) { o.Groups = twice })
		equal(t, "regions", got.regions(), []string{"cn-a complete=true groups=0 rules=0 err=<nil>"})
	})
}
