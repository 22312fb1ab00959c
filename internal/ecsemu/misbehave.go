package ecsemu

import (
	"cmp"
	"maps"
	"net/http"
	"time"
)

// loopToken is the token that a looping listing goes on with, for ever.
const loopToken = "AAAAAloopAAAAA"

const htmlPage = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Please sign in</h1></body></html>\n"

// withFaults carries a request out, or does what a fault has it do instead.
func (s *Server) withFaults(r *http.Request, q *request) (reply, error) {
	fault := s.faults.strike(q)
	if fault == nil {
		return s.carryOut(q, nil, nil)
	}
	if !pause(r.Context(), fault.Latency) {
		return reply{broken: connectionClosed}, nil
	}
	switch fault.Kind {
	case FaultError:
		return s.failure(fault.refusal(s.errors, codeServiceUnavailable), q.host, q.id), nil
	case FaultHTML:
		return reply{
			status: cmp.Or(fault.Status, http.StatusOK), header: map[string]string{"Content-Type": "text/html; charset=utf-8"},
			body: []byte(htmlPage),
		}, nil
	case FaultThrottle:
		return s.throttled(1, time.Second, q.host, q.id), nil
	case FaultEmptyBody:
		return reply{status: http.StatusOK, header: map[string]string{"Content-Type": contentJSON}}, nil
	case FaultClose:
		return reply{broken: connectionClosed}, nil
	case FaultStale:
		return s.carryOut(q, fault.past, nil)
	case FaultLoopToken:
		return s.loop(q)
	case FaultTruncate, FaultLoseAnswer, FaultErrorAfter:
		return s.spoil(q, fault), nil
	case FaultIgnore:
		return s.carryOut(q, s.twinWorld(), nil)
	case FaultEditBefore:
		s.edit(q, fault)
	case FaultDeleteGroup:
		s.deleteGroup(q)
	case FaultLatency:
	}
	return s.carryOut(q, nil, nil)
}

// spoil carries a request out and keeps the client from learning it.
func (s *Server) spoil(q *request, fault *armedFault) reply {
	answer, err := s.carryOut(q, nil, nil)
	if err != nil {
		answer = s.failure(err, q.host, q.id)
	}
	switch fault.Kind { //nolint:exhaustive // The others do not come here.
	case FaultTruncate:
		answer.broken = cutInHalf
	case FaultErrorAfter:
		effect := answer.effect
		answer = s.failure(fault.refusal(s.errors, codeInternal), q.host, q.id)
		answer.effect = effect
	default:
		answer.broken = connectionClosed
	}
	return answer
}

// twinWorld gives a copy of the world as it is.
func (s *Server) twinWorld() *world {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.world.clone()
}

// loop answers with the first page, whatever page was asked for.
func (s *Server) loop(q *request) (reply, error) {
	first := *q
	first.params = maps.Clone(q.params)
	delete(first.params, "NextToken")
	if q.params.get("NextToken") != "" && q.params.get("MaxResults") == "" {
		// Without either, a listing of groups would change to its other style.
		first.params["MaxResults"] = "10"
	}
	return s.carryOut(&first, nil, func(response any) {
		if page, ok := response.(paged); ok {
			page.setNextToken(loopToken)
		}
	})
}

func (s *Server) deleteGroup(q *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.world.accounts[q.key.Account].regions[q.params.get("RegionId")]; r != nil {
		r.deleteGroup(q.params.get("SecurityGroupId"))
	}
}

// refusal is the error that a fault answers with.
func (f *armedFault) refusal(table map[errorCode]errorRow, fallback errorCode) *refusal {
	code := cmp.Or(errorCode(f.Code), fallback)
	return &refusal{
		code: code, status: cmp.Or(f.Status, table[code].status, http.StatusServiceUnavailable),
		message: cmp.Or(f.Message, table[code].message, "This error was asked for by a fault."),
	}
}
