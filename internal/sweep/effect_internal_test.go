package sweep

import (
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// Some faults of a group show only after its visit, when its rules were kept as if they were all: nothing may be said of
// it then, nor of the groups that share an interface with it.
func TestWhatBreaksAGroupAfterItsVisitMakesEffectsUnknown(t *testing.T) {
	t.Parallel()
	for _, scope := range []reach.Scope{reach.ScopeGroup, reach.ScopeInterface} {
		for _, broken := range []string{"", "sg-a", "sg-b"} {
			e := newEffects(scope)
			e.combined("cn-hangzhou", []scanner.Combination{{Groups: []string{"sg-a", "sg-b"}, Interfaces: 1}})
			finding := decision.Finding{Group: keepGroup(e, "sg-a")}
			keepGroup(e, "sg-b")
			if broken != "" {
				e.broken[groupKey{"cn-hangzhou", broken}] = "it was listed twice with different contents"
				if broken == "sg-a" {
					finding.Incomplete = "it was listed twice with different contents"
				}
			}
			each, _ := e.Effects([]decision.Finding{finding}, []bool{true})
			known := broken == "" || broken == "sg-b" && scope == reach.ScopeGroup
			if got := each[0]; (got.Class != reach.Unknown) != known {
				t.Errorf("scope %s, %q broken: %s", scope, broken, got.Class)
			}
		}
	}
}

// keepGroup keeps a group with one rule.
func keepGroup(e *effects, id string) *sg.Group {
	g := &scanner.Group{Group: sg.Group{Region: "cn-hangzhou", ID: id, Type: sg.TypeEnterprise, VPC: "vpc-1"}}
	g.Rules = []sg.Rule{sg.NewRule(&sg.Fields{
		ID: "sgr-" + id, Protocol: "tcp", PortRange: "443/443", CIDR4: "192.0.2.0/24", NICType: sg.NICIntranet,
		Policy: "accept", Priority: "1",
	})}
	e.keep(g, []int{0})
	return &g.Group
}
