package daemon

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
)

var errStopping = errors.New("the daemon stops")

// load reads a generation and makes it the current one. On an error the last one stays.
func (d *daemon) load(ctx context.Context) error {
	generation, err := d.Load(ctx)
	if err != nil {
		return err
	}
	if err := generation.validate(); err != nil {
		if generation != nil && generation.Close != nil {
			generation.Close()
		}
		return err
	}
	d.recoverEarly(ctx, generation)
	d.generations.replace(generation)
	d.Log.Info("configuration loaded", zap.String("mode", generation.Mode),
		zap.String("policy_hash", generation.PolicyHash), zap.Int("accounts", len(generation.Accounts)),
		zap.Bool("scheduled", generation.Schedule != nil))
	return nil
}

// reloads serves one request for a reload after the other until ctx ends.
func (d *daemon) reloads(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.Reload:
			// Whoever sent the signal is told by the log.
			_ = d.reload(ctx)
		case answer := <-d.reloadAsked:
			answer <- d.reload(ctx)
		}
	}
}

// reload has logged the error that it gives: somebody who asked by a signal has no other way to know.
func (d *daemon) reload(ctx context.Context) error {
	err := protect(ctx, d.load)
	if err == nil {
		d.visits.forgive()
		err = d.arm(ctx)
	}
	if ctx.Err() != nil {
		return errStopping
	}
	d.Observer.reloaded(err == nil)
	if err != nil {
		d.Log.Error("reload failed, everything stays as it was", failure(err)...)
		return err
	}
	d.startRound()
	return nil
}

// ask requests a reload and waits for it until asker ends. It works on without the asker.
func (d *daemon) ask(asker, ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case d.reloadAsked <- answer:
	case <-asker.Done():
		return fmt.Errorf("asking for a reload: %w", asker.Err())
	case <-ctx.Done():
		return errStopping
	}
	select {
	case err := <-answer:
		return err
	case <-asker.Done():
		return fmt.Errorf("waiting for the reload: %w", asker.Err())
	case <-ctx.Done():
		return errStopping
	}
}
