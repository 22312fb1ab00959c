package revoker

import (
	"context"
	"fmt"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// recorder is what sending needs of either journal.
type recorder interface {
	Record(ctx context.Context, call *Call) error
	Answer(ctx context.Context, callID string, answer Answer) error
}

// transmit records a call, sends it, and records the answer. All that ever changes anything in the cloud goes through
// here. After an error nothing more may be sent: what is on record is not known.
//
// It never fails for what the cloud says: see the call's state and answer.
func (r *Revoker) transmit(ctx context.Context, journal recorder, call *Call, prefix string) error {
	call.State, call.Answer = CallRecorded, Answer{}
	recorded := *call
	if err := journal.Record(ctx, &recorded); err != nil {
		return fmt.Errorf("recording call %s: %w", call.ID, err)
	}
	r.o.Reached(prefix + StepCallRecorded)
	answer := r.send(ctx, call)
	r.o.Reached(prefix + StepSent)
	if err := r.answer(ctx, journal, call.ID, answer); err != nil {
		return fmt.Errorf("recording the answer to call %s: %w", call.ID, err)
	}
	call.State, call.Answer = answer.State, answer
	r.o.Reached(prefix + StepAnswered)
	return nil
}

// send sends a recorded call unless its time is over: recording may have taken long.
func (r *Revoker) send(ctx context.Context, call *Call) Answer {
	if now := r.o.Now(); now.After(call.Deadline) {
		return Answer{State: CallUnsent, Class: sg.ClassUnsent, Detail: "recorded too late to be sent", At: now}
	}
	sent := *call
	answer := r.o.Sender.Send(ctx, &sent)
	switch answer.State {
	case CallSucceeded, CallRefused, CallUnknown, CallUnsent:
	case CallRecorded: // says nothing
		answer.State = StateOf(answer.Class)
	default:
		answer.State = StateOf(answer.Class)
	}
	if answer.At.IsZero() {
		answer.At = r.o.Now()
	}
	return answer
}

// answerWithin bounds how long the end of a process waits for an answer to be recorded.
const answerWithin = 5 * time.Second

// answer records an answer even if ctx ended while it was waited for: it is the one thing that cannot be had again.
func (r *Revoker) answer(ctx context.Context, journal recorder, id string, answer Answer) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	return journal.Answer(ctx, id, answer) //nolint:wrapcheck // the caller says which call it is of
}

// untilNextMinute waits until the quota of the cloud, which is counted by the minute, begins anew.
func (r *Revoker) untilNextMinute(ctx context.Context) error {
	now := r.o.Now()
	return r.wait(ctx, now.Truncate(time.Minute).Add(time.Minute).Sub(now))
}

func (r *Revoker) wait(ctx context.Context, d time.Duration) error {
	if err := r.o.Wait(ctx, d); err != nil {
		return fmt.Errorf("waiting: %w", err)
	}
	return nil
}

// poll calls look at once and then at growing intervals, until it says that it has seen enough, or for [PollFor].
func (r *Revoker) poll(ctx context.Context, look func() (enough bool, err error)) error {
	const first, longest = 500 * time.Millisecond, 4 * time.Second
	waited, interval := time.Duration(0), first
	for {
		enough, err := look()
		if err != nil || enough || waited >= PollFor {
			return err
		}
		d := min(interval, PollFor-waited)
		if err := r.wait(ctx, d); err != nil {
			return err
		}
		waited, interval = waited+d, min(2*interval, longest)
	}
}
