package main

import (
	"context"
	"errors"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// sender hands calls of the revoker to the cloud. It is the only way by which this program changes anything there.
type sender struct {
	client *ecsapi.Client
	now    func() time.Time
	hold   func(ctx context.Context) error // keeps revoking calls from being sent
}

// Send implements [revoker.Sender].
func (s sender) Send(ctx context.Context, call *revoker.Call) revoker.Answer {
	write := &ecsapi.Write{
		Action: call.Action, Region: sg.Region{ID: call.Ref.Region}, Parameters: map[string]string{}, NotAfter: call.Deadline,
	}
	if call.Action == revoker.ActionRevoke { // restoring is what one needs when all is red
		write.Hold = s.hold
	}
	for _, p := range call.Request() {
		write.Parameters[p.Name] = p.Value
	}
	id, err := s.client.Write(ctx, write)
	answer := revoker.Answer{State: revoker.CallSucceeded, Class: ecsapi.OK, RequestID: id, At: s.now()}
	if err == nil {
		return answer
	}
	answer.State, answer.Class, answer.Detail = revoker.CallUnknown, ecsapi.Transient, err.Error()
	if e, ok := errors.AsType[*ecsapi.Error](err); ok {
		answer.State, answer.Class, answer.Code, answer.RequestID = revoker.StateOf(e.Class), e.Class, e.Code, e.RequestID
	}
	return answer
}
