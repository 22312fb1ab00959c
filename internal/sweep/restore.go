package sweep

import (
	"context"
	"errors"
	"fmt"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// RestoreList gives the restores that are open.
type RestoreList interface {
	// OpenRestores gives the open restores of an account by its name, oldest first.
	OpenRestores(ctx context.Context, account string) ([]revoker.RestoreWork, error)
}

// Restore carries out the open restores of an account, one after the other. It is not bound by mode, pause or limits:
// it is what one needs when all is red. The caller holds the lock of the account. What it returns with the error is
// what was restored in spite of it.
func Restore(
	ctx context.Context, o SettleOptions, list RestoreList, journal revoker.RestoreJournal,
) ([]revoker.Restore, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	work, err := list.OpenRestores(ctx, o.Account.Name)
	if err != nil {
		return nil, fmt.Errorf("reading the open restores of account %s: %w", o.Account.Name, err)
	}
	if len(work) == 0 {
		return nil, nil
	}
	c, err := newChecker(ctx, &o)
	if err != nil {
		return nil, err
	}
	r, err := revoker.New(revoker.Options{
		Journal: o.Journal, Restores: journal, Checker: c, Sender: o.Sender, Now: o.Now, Wait: o.Wait, NewID: o.NewID,
		Reached: o.Reached,
	})
	if err != nil {
		return nil, fmt.Errorf("restoring in account %s: %w", o.Account.Name, err)
	}
	var restored []revoker.Restore
	var errs []error
	for i := range work {
		result, err := r.Restore(ctx, &work[i])
		if err != nil {
			of := &work[i].Restore
			errs = append(errs, fmt.Errorf("restoring rule %s of group %s: %w", of.Rule.ID, of.Ref.Group, err))
			continue
		}
		restored = append(restored, result)
	}
	return restored, errors.Join(errs...)
}
