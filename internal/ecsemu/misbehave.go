package ecsemu

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// loopToken is the token that a looping listing goes on with, for ever.
const loopToken = "AAAAAloopAAAAA"

const htmlPage = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Please sign in</h1></body></html>\n"

// withFaults carries a request out, or does what a fault has it do instead.
func (s *Server) withFaults(q *request) (reply, error) {
	fault := s.faults.strike(q, s.clock())
	if fault == nil {
		return s.plainly(q, nil)
	}
	if !pause(q.http.Context(), fault.Latency) {
		return reply{broken: connectionClosed}, nil
	}
	return fault.row.play(s, q, fault)
}

// plainly carries a request out as it is.
func (s *Server) plainly(q *request, _ *armedFault) (reply, error) {
	return s.carryOut(q, s.seen(q))
}

// done is plainly, with a refusal as a reply like any other.
func (s *Server) done(q *request) reply {
	answer, err := s.plainly(q, nil)
	if err != nil {
		return s.failure(q, err)
	}
	return answer
}

func (s *Server) playError(q *request, f *armedFault) (reply, error) {
	return s.alteredFailure(q, f.refusal(s.errors, wire.CodeServiceUnavailable), f.Fields)
}

func (s *Server) playErrorAfter(q *request, f *armedFault) (reply, error) {
	effect := s.done(q).effect
	answer, err := s.alteredFailure(q, f.refusal(s.errors, wire.CodeInternal), f.Fields)
	answer.effect = effect
	return answer, err
}

func (s *Server) playThrottle(q *request, f *armedFault) (reply, error) {
	code := cmp.Or(wire.Code(f.Code), wire.CodeThrottlingUser)
	return s.throttled(q, code, []meter{
		{header: headerPerAPI, limit: 1, left: time.Second}, {header: headerPerAll, limit: 1, left: time.Second},
	}), nil
}

func (s *Server) playAnswer(q *request, f *armedFault) (reply, error) {
	header := map[string]string{"Content-Type": cmp.Or(f.ContentType, q.format.ContentType())}
	if f.Location != "" {
		header["Location"] = f.Location
	}
	return reply{status: cmp.Or(f.Status, http.StatusOK), header: header, body: []byte(f.Body)}, nil
}

func (s *Server) playHTML(_ *request, f *armedFault) (reply, error) {
	return reply{
		status: cmp.Or(f.Status, http.StatusOK), header: map[string]string{"Content-Type": "text/html; charset=utf-8"},
		body: []byte(htmlPage),
	}, nil
}

func (s *Server) playEmptyBody(q *request, _ *armedFault) (reply, error) {
	return reply{status: http.StatusOK, header: q.header()}, nil
}

func (s *Server) playClose(q *request, f *armedFault) (reply, error) {
	return reply{broken: connectionClosed, deliver: f.ending(q)}, nil
}

func (s *Server) playLoseAnswer(q *request, f *armedFault) (reply, error) {
	answer := s.done(q)
	answer.broken, answer.deliver = connectionClosed, f.ending(q)
	return answer, nil
}

func (s *Server) playTruncate(q *request, _ *armedFault) (reply, error) {
	answer := s.done(q)
	answer.broken = cutInHalf
	return answer, nil
}

func (s *Server) playDrip(q *request, f *armedFault) (reply, error) {
	answer := s.done(q)
	answer.deliver = func(w http.ResponseWriter, r reply) { drip(q.http.Context(), w, r, f.Interval) }
	return answer, nil
}

func (s *Server) playOversize(q *request, f *armedFault) (reply, error) {
	answer := s.done(q)
	answer.deliver = func(w http.ResponseWriter, r reply) { oversize(w, r, cmp.Or(f.Size, defaultOversize), f.Gzip) }
	return answer, nil
}

func (s *Server) playPast(q *request, f *armedFault) (reply, error) {
	return s.carryOut(q, f.past)
}

func (s *Server) playIgnore(q *request, _ *armedFault) (reply, error) {
	return s.carryOut(q, s.cloud.Snapshot())
}

// playEditBefore has somebody else change the group that a request is about: the rule that the fault names, or those
// that the request names.
func (s *Server) playEditBefore(q *request, f *armedFault) (reply, error) {
	s.cloud.Edit(q.edit(f))
	return s.plainly(q, f)
}

func (s *Server) playEditAfter(q *request, f *armedFault) (reply, error) {
	change := q.edit(f)
	before := s.cloud.Held(change)
	answer := s.done(q)
	if f.Edit == cloud.EditRecreate {
		s.cloud.PutBack(change, before)
	} else {
		s.cloud.Edit(change)
	}
	return answer, nil
}

func (s *Server) playDeleteGroup(q *request, f *armedFault) (reply, error) {
	s.cloud.Edit(q.change(cloud.EditDeleteGroup))
	return s.plainly(q, f)
}

func (s *Server) playForgetToken(q *request, f *armedFault) (reply, error) {
	s.cloud.ForgetToken(q.call())
	return s.plainly(q, f)
}

func (s *Server) playCallBefore(q *request, f *armedFault) (reply, error) {
	s.callByOther(q, f)
	return s.plainly(q, f)
}

func (s *Server) playCallAfter(q *request, f *armedFault) (reply, error) {
	answer, err := s.plainly(q, f)
	if err == nil {
		s.callByOther(q, f)
	}
	return answer, err
}

// callByOther makes the call that a fault names. If it is refused, the fault's report says why.
func (s *Server) callByOther(q *request, f *armedFault) {
	params := wire.Params{}
	for _, name := range []string{"RegionId", "SecurityGroupId", "PrefixListId"} {
		if value := q.Params.Get(name); value != "" {
			params[name] = value
		}
	}
	maps.Copy(params, f.Params)
	_, err := s.cloud.Do(&cloud.Call{
		Action: s.cloud.Named(f.Params["Action"]), Params: params, RequestID: s.cloud.RequestID(),
		Caller: s.cloud.Owner(q.caller.Account), Secure: true,
	})
	if err != nil {
		s.faults.fail(f, err)
	}
}

// edit is the edit of a fault to the group that a request is about.
func (q *request) edit(f *armedFault) cloud.Change {
	change := q.change(f.Edit)
	change.Rules = q.Params.Texts("SecurityGroupRuleId")
	if f.Rule != "" {
		change.Rules = []string{f.Rule}
	}
	return change
}

// change is an edit to the group that a request is about. Where it names no rules, it is of those that the request is
// about: of ingress, if its action is about that alone.
func (q *request) change(edit cloud.Edit) cloud.Change {
	ofIngress := []string{"AuthorizeSecurityGroup", "RevokeSecurityGroup", "ModifySecurityGroupRule"}
	return cloud.Change{
		Edit: edit, Ingress: slices.Contains(ofIngress, q.do.Name), Account: q.caller.Account,
		Region: q.Params.Get("RegionId"), Group: q.Params.Get("SecurityGroupId"),
	}
}
