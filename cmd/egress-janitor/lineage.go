package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
)

// lineageKey is under which the store keeps, among what sets held, which policies the last complete sweep went by, and
// which earlier ones have exceptions that still count. No set has a key without a file.
const lineageKey = "policies"

// maxChanged bounds how many earlier sets count for exceptions that were changed only. Those with exceptions that vanished
// are never dropped: only a person, or their end, lets go of them.
const maxChanged = 8

// lineage is where the present policies come from.
type lineage struct {
	change  *policy.Change // from those that were used last; nil if there is none, or nothing is known
	earlier []*policy.Set  // whose exceptions still count
	hashes  []string       // of earlier
}

// ancestors are policies of earlier sweeps, read once. The zero value is ready for use, also by several goroutines.
type ancestors struct {
	mu   sync.Mutex
	sets map[string]*policy.Set // by hash
}

// of gives the policies with a hash; nil if the store does not have them.
func (a *ancestors) of(ctx context.Context, db *store.SQL, hash string, at time.Time) (*policy.Set, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if set, known := a.sets[hash]; known {
		return set, nil
	}
	files, ok, err := db.Policies(ctx, hash)
	if err != nil || !ok {
		return nil, err
	}
	set, err := policiesOf(files, at)
	if err != nil {
		return nil, fmt.Errorf("the policies %s of an earlier sweep, whose exceptions may still count, cannot be used any more "+
			"(%w): look at what was changed since, then run `egress-janitor policy accept-change`", shortHash(hash), err)
	}
	if a.sets == nil {
		a.sets = map[string]*policy.Set{}
	}
	a.sets[hash] = set
	return set, nil
}

// lineage asks the store where the policies come from. It is asked anew for every sweep and every check, since a person may
// accept a change at any time.
func (e *engine) lineage(ctx context.Context) (*lineage, error) {
	l := &lineage{}
	if e.store == nil || len(e.policies.Policies) == 0 {
		return l, nil
	}
	used, err := e.store.UsedSets(ctx)
	if err != nil {
		return nil, err
	}
	last, known := used[lineageKey]
	if !known {
		return l, nil
	}
	present, now, changed := e.policies.Hash(), e.now(), 0
	for _, hash := range slices.Concat([]string{last.SHA256}, strings.Fields(last.Place)) {
		if hash == present || slices.Contains(l.hashes, hash) {
			continue
		}
		set, err := e.ancestors.of(ctx, e.store, hash, last.At)
		if err != nil {
			return nil, err
		}
		if set == nil {
			continue
		}
		if hash == last.SHA256 {
			l.change = policy.Compare(set, e.policies, now)
		}
		missed := set.Missed(e.policies, now)
		if len(missed.Vanished) == 0 && len(missed.Changed) > 0 {
			changed++
		}
		if missed.None() || len(missed.Vanished) == 0 && changed > maxChanged {
			continue
		}
		l.earlier, l.hashes = append(l.earlier, set), append(l.hashes, hash)
	}
	return l, nil
}

// use is what is recorded of the lineage.
func (l *lineage) use(policies *policy.Set, actor string) store.SetUse {
	return store.SetUse{
		Key: lineageKey, Name: lineageKey, Place: strings.Join(l.hashes, " "), SHA256: policies.Hash(),
		Elements: len(policies.Exceptions), Actor: actor,
	}
}

// keepLineage records that a sweep went by the present policies. One that was not complete may not have shown what they
// change.
func (e *engine) keepLineage(ctx context.Context, l *lineage, result *sweep.Result) error {
	if !result.Complete() {
		return nil
	}
	return e.store.UseSets(ctx, []store.SetUse{l.use(e.policies, cmp.Or(result.Actor, "unknown"))})
}

// kept are the names of the exceptions that still count, each once.
func (l *lineage) kept(policies *policy.Set, now time.Time) []*policy.Exception {
	var list []*policy.Exception
	for _, set := range l.earlier {
		missed := set.Missed(policies, now)
		for _, x := range slices.Concat(missed.Vanished, missed.Changed) {
			if !slices.ContainsFunc(list, func(y *policy.Exception) bool { return y.Name == x.Name && y.Expires.Equal(x.Expires) }) {
				list = append(list, x)
			}
		}
	}
	slices.SortFunc(list, func(a, b *policy.Exception) int { return cmp.Compare(a.Name, b.Name) })
	return list
}
