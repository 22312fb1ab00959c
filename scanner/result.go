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
	// A group that was deleted during the scan, and proven to be, takes nothing away.
	Complete bool
	Groups   int   // visited
	Rules    int   // of the groups visited
	Err      error // why the listing of groups broke off; nil if it did not
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
