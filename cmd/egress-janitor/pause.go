package main

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/store"
)

func newPause(sys system) *cobra.Command {
	return newSwitch(sys, &switchCommand{
		use:   "pause",
		short: "Let nothing be revoked until resume",
		long: `Pause has every daemon and command that uses the store of the config revoke nothing more, from the next call on:
revocations that were decided and not sent are withdrawn when they are checked again. Sweeps go on and report. Restoring
stays possible. It needs no credentials and works beside a running daemon.`,
		example: `  egress-janitor pause --reason "incident 4711: payments cannot reach the bank"`,
		set: func(ctx context.Context, s *store.SQL, reason string) error {
			return s.Pause(ctx, operator(), reason)
		},
		done: "Paused: nothing is revoked until `egress-janitor resume`.",
	})
}

func newResume(sys system) *cobra.Command {
	return newSwitch(sys, &switchCommand{
		use:   "resume",
		short: "Arm a new store, or end a pause",
		long: `Resume lets revoke again what mode, policies and limits allow. A new store, or one that does not fit its checkpoint
file, revokes nothing until this was said: who lost the record of what was removed should know it before more is.

Clocks of grace, limits and the mode stay what they are. A pause file stays in force until it is removed.`,
		example: `  egress-janitor resume --reason "reviewed the first reports with the platform team"`,
		set: func(ctx context.Context, s *store.SQL, reason string) error {
			return s.Resume(ctx, operator(), reason)
		},
		done: "Armed and not paused: what mode, policies and limits allow is revoked.",
	})
}

// switchCommand is what pause and resume differ in.
type switchCommand struct {
	use, short, long, example string

	set  func(ctx context.Context, s *store.SQL, reason string) error
	done string
}

func newSwitch(sys system, c *switchCommand) *cobra.Command {
	var file, reason string
	cmd := &cobra.Command{
		Use: c.use, Short: c.short, Long: c.long, Example: c.example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(reason) == "" {
				return usageError{errors.New("--reason is needed: it is recorded, and shown to whoever wonders")}
			}
			return sys.setSwitch(cmd.Context(), file, reason, c)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", defaultConfig, "config file")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}

func (s system) setSwitch(ctx context.Context, file, reason string, c *switchCommand) (err error) {
	conf, err := s.readConfig(file)
	if err != nil {
		return err
	}
	db, err := s.openStore(ctx, conf)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := c.set(ctx, db, reason); err != nil {
		return err
	}
	if c.use == "resume" && conf.Mode == config.ModeAudit {
		s.say("Armed and not paused. The mode is audit, so nothing is revoked yet.")
		return nil
	}
	s.say("%s", c.done)
	if why := pausedByFile(conf); why != "" && c.use == "resume" {
		s.say("egress-janitor: warning: %s", why)
	}
	return nil
}

// held says why nothing is revoked now in any account, or nothing. Reports name one reason for each rule, which may be
// another one that comes before. In the mode audit only a store that was tampered with or lost is worth a word.
func held(ctx context.Context, c *config.Config, db *store.SQL) (string, error) {
	switches, err := db.Switches(ctx)
	if err != nil || c.Mode == config.ModeAudit {
		return switches.Behind, err
	}
	return cmp.Or(switches.Hold(), pausedByFile(c)), nil
}
