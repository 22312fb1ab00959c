package scanner

import (
	"context"
	"errors"
	"fmt"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// ReadGroup reads one group as it is now: its attributes first, then its egress rules to the end of every listing, then
// the prefix lists and port lists that they use. Of opts, the clients, MaxRulePages and LookAgain count.
//
// pages is of the longest listing of rules: one of several pages can shift while it is read and so hide a rule.
//
// The group is nil, without an error, if it is proven not to exist: two looks with time in between did not find it.
// Whatever is not read whole is an error, even where [Scan] would give a group that is Incomplete, with one exception: a
// list that cannot be read leaves its rules without it ([sg.Rule.PortList], or List in [sg.Destination]). Rules that were
// read but not understood stay, marked as unreadable.
func ReadGroup(ctx context.Context, opts Options, region sg.Region, id string) (group *Group, pages int, err error) {
	opts, err = opts.withDefaults()
	if err == nil && (region.ID == "" || id == "") {
		err = errors.New("no region or no group")
	}
	if err != nil {
		return nil, 0, fmt.Errorf("group reading options: %w", err)
	}
	// Problems with lists go to a collector that nobody asks: rules without their list say the same.
	scan := newRegionScan(&opts, region, newCollector(&opts, nil, nil))
	reader := groupReader{regionScan: scan, index: map[string]int{}}
	group, err = reader.readNow(ctx, id)
	if err != nil {
		return nil, 0, fmt.Errorf("reading group %s in %s: %w", id, region.ID, err)
	}
	if group == nil {
		return nil, 0, nil
	}
	return group, reader.pages, nil
}

func (r *groupReader) readNow(ctx context.Context, id string) (*Group, error) {
	attributes, there, err := r.find(ctx, id)
	if err != nil || !there {
		return nil, err
	}
	attributes.Region = r.region.ID
	err = r.readOrProveGone(ctx, &attributes)
	if err == nil {
		err = r.conflicting()
	}
	switch {
	case errors.Is(err, errGone):
		return nil, nil //nolint:nilnil // see ReadGroup
	case err != nil:
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	r.lists.resolve(ctx, r.rules)
	if err := ctx.Err(); err != nil { // then lists are missing for no reason of theirs
		return nil, err
	}
	return &Group{Group: attributes, Rules: r.rules}, nil
}
