package scanner

import (
	"cmp"
	"slices"
	"strings"
)

// Result says how far a scan came. Its order is fixed: regions by ID, problems by region, group, list and rule.
type Result struct {
	Regions  []Region
	Problems []Problem // everything that was not read whole
}

// Region is what was read of one region.
type Region struct {
	ID string
	// Complete says that all groups were listed, and that every group and every list that rules use was read whole.
	// A group that was deleted during the scan, and proven to be, takes nothing away, unless too many were.
	Complete bool
	Groups   int // visited
	Rules    int // of the groups visited
	Gone     int // listed and then proven to be gone, so not visited
	// Err says why there can be groups that were neither visited nor proven to be gone: the listing broke off, the region
	// was given up, or too many groups were gone. It is nil if every group that exists was visited.
	Err error
}

// Problem is something that could not be read whole. Fields that do not apply are empty; without a region the
// regions themselves could not be listed.
type Problem struct {
	Region string
	Group  string
	List   string // of prefixes or of ports
	Rule   string
	Err    error
}

// Complete tells whether everything in scope was read whole.
func (r *Result) Complete() bool {
	return len(r.Problems) == 0 && len(r.Regions) > 0
}

func newResult(regions []Region, problems []Problem) *Result {
	broken := make(map[string]bool, len(regions))
	for _, p := range problems {
		broken[p.Region] = true
	}
	for i := range regions {
		regions[i].Complete = !broken[regions[i].ID]
	}
	slices.SortFunc(regions, func(a, b Region) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			strings.Compare(a.Region, b.Region),
			strings.Compare(a.Group, b.Group),
			strings.Compare(a.List, b.List),
			strings.Compare(a.Rule, b.Rule),
			strings.Compare(a.Err.Error(), b.Err.Error()),
		)
	})
	return &Result{Regions: regions, Problems: problems}
}
