package ecsemu

import (
	"cmp"
	"maps"
	"net/http"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// loopToken is the token that a looping listing goes on with, for ever.
const loopToken = "AAAAAloopAAAAA"

const htmlPage = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Please sign in</h1></body></html>\n"

// withFaults carries a request out, or does what a fault has it do instead.
func (s *Server) withFaults(q *request) (reply, error) {
	fault := s.faults.strike(q)
	if fault == nil {
		return s.carryOut(q, nil, nil)
	}
	if !pause(q.http.Context(), fault.Latency) {
		return reply{broken: connectionClosed}, nil
	}
	switch fault.Kind {
	case FaultError:
		return s.failure(q, fault.refusal(s.errors, wire.CodeServiceUnavailable)), nil
	case FaultHTML:
		return reply{
			status: cmp.Or(fault.Status, http.StatusOK), header: map[string]string{"Content-Type": "text/html; charset=utf-8"},
			body: []byte(htmlPage),
		}, nil
	case FaultThrottle:
		return s.throttled(q, 1, time.Second), nil
	case FaultEmptyBody:
		return reply{status: http.StatusOK, header: q.header()}, nil
	case FaultClose:
		return reply{broken: connectionClosed}, nil
	case FaultStale:
		return s.carryOut(q, fault.past, nil)
	case FaultLoopToken:
		return s.loop(q)
	case FaultTruncate, FaultLoseAnswer, FaultErrorAfter:
		return s.spoil(q, fault), nil
	case FaultIgnore:
		return s.carryOut(q, s.cloud.Snapshot(), nil)
	case FaultEditBefore:
		s.edit(q, fault)
	case FaultDeleteGroup:
		s.cloud.Edit(q.change(cloud.EditDeleteGroup))
	case FaultLatency:
	}
	return s.carryOut(q, nil, nil)
}

// spoil carries a request out and keeps the client from learning it.
func (s *Server) spoil(q *request, fault *armedFault) reply {
	answer, err := s.carryOut(q, nil, nil)
	if err != nil {
		answer = s.failure(q, err)
	}
	switch fault.Kind { //nolint:exhaustive // The others do not come here.
	case FaultTruncate:
		answer.broken = cutInHalf
	case FaultErrorAfter:
		effect := answer.effect
		answer = s.failure(q, fault.refusal(s.errors, wire.CodeInternal))
		answer.effect = effect
	default:
		answer.broken = connectionClosed
	}
	return answer
}

// loop answers with the first page, whatever page was asked for.
func (s *Server) loop(q *request) (reply, error) {
	first := *q
	asked := *q.Request
	first.Request = &asked
	asked.Params = maps.Clone(q.Params)
	delete(asked.Params, "NextToken")
	if q.Params.Get("NextToken") != "" && q.Params.Get("MaxResults") == "" {
		// Without either, a listing of groups would change to its other style.
		asked.Params["MaxResults"] = "10"
	}
	return s.carryOut(&first, nil, func(response any) {
		if page, ok := response.(cloud.Paged); ok {
			page.SetNextToken(loopToken)
		}
	})
}

// edit has somebody else change the group that a request is about: the rule that the fault names, or those that the
// request names.
func (s *Server) edit(q *request, fault *armedFault) {
	change := q.change(fault.Edit)
	change.Rules = q.Params.Texts("SecurityGroupRuleId")
	if fault.Rule != "" {
		change.Rules = []string{fault.Rule}
	}
	s.cloud.Edit(change)
}

// change is an edit to the group that a request is about.
func (q *request) change(edit cloud.Edit) cloud.Change {
	return cloud.Change{
		Edit: edit, Account: q.caller.Account, Region: q.Params.Get("RegionId"), Group: q.Params.Get("SecurityGroupId"),
	}
}

// refusal is the error that a fault answers with.
func (f *armedFault) refusal(table wire.Errors, fallback wire.Code) *wire.Refusal {
	code := cmp.Or(wire.Code(f.Code), fallback)
	return &wire.Refusal{
		Code: code, Status: cmp.Or(f.Status, table[code].Status, http.StatusServiceUnavailable),
		Message: cmp.Or(f.Message, table[code].Message, "This error was asked for by a fault."),
	}
}
