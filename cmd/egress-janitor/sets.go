package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// setKey tells sets apart, in whatever directory a command is run.
func setKey(source *policy.Source) string {
	file, err := filepath.Abs(filepath.FromSlash(source.File))
	if err != nil { // there is no present directory: the name is all there is
		file = source.File
	}
	return file + "#" + source.Set
}

// setUse is what a set holds now.
func setUse(source *policy.Source, actor string) store.SetUse {
	return store.SetUse{
		Key: setKey(source), Name: source.Set, Place: source.Place, SHA256: source.SHA256,
		Elements: source.Elements, Addresses: source.Addresses, Actor: actor,
	}
}

// doubt says why what a set holds is not trusted, going by what it held when it was last used. The first contents are
// trusted: whoever wrote the policy has looked at them.
func doubt(used map[string]store.SetUse, source *policy.Source) string {
	last, known := used[setKey(source)]
	if !known || last.SHA256 == source.SHA256 {
		return ""
	}
	change := policy.Size{Elements: last.Elements, Addresses: last.Addresses}.Change(source.Size())
	if change == "" {
		return ""
	}
	return fmt.Sprintf("%s; look at it, then run `egress-janitor policy accept-set %s`", change, source.Set)
}

// trusted gives the policies with what is known now of the sets that they use. It is asked anew for every sweep and every
// check, since a person may accept a set at any time.
func (e *engine) trusted(ctx context.Context) (*policy.Set, error) {
	if e.store == nil || len(e.policies.Sources()) == 0 {
		return e.policies, nil
	}
	used, err := e.store.UsedSets(ctx)
	if err != nil {
		return nil, err
	}
	return e.policies.Doubting(func(source *policy.Source) string { return doubt(used, source) }), nil
}

// useSets records what a recorded sweep has used of sets without doubt: what comes later is compared with it.
func (e *engine) useSets(ctx context.Context, policies *policy.Set, result *sweep.Result) error {
	var uses []store.SetUse
	for _, source := range policies.Sources() {
		if policies.Stale(source, result.Started) == "" {
			uses = append(uses, setUse(source, result.Actor))
		}
	}
	if len(uses) == 0 {
		return nil
	}
	return e.store.UseSets(ctx, uses)
}

// unkeptFiles are the files that policies came from, until the store keeps them.
type unkeptFiles struct {
	mu   sync.Mutex
	list []store.PolicyFile
}

// keepPolicies has the store keep the files that the policies were read from, once: what a sweep says of a hash can then
// be looked up.
func (e *engine) keepPolicies(ctx context.Context) error {
	if e.files == nil {
		return nil
	}
	e.files.mu.Lock()
	defer e.files.mu.Unlock()
	if len(e.files.list) == 0 {
		return nil
	}
	if err := e.store.RecordPolicies(ctx, e.policies.Hash(), e.files.list); err != nil {
		return err
	}
	e.files.list = nil // they may be large
	return nil
}

// unreadSets are the sets that a sweep went without. What a policy would have found by them it did not find, so a sweep
// without them was not whole.
func unreadSets(policies *policy.Set) []scanner.Problem {
	var problems []scanner.Problem
	for _, source := range policies.Sources() {
		if source.Problem != "" {
			problems = append(problems, scanner.Problem{
				List: "set " + source.Set, Err: errors.New(source.Place + ": " + source.Problem),
			})
		}
	}
	return problems
}
