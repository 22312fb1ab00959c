package ecsemu

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/http"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// request is one that came in, and what is known of it so far.
type request struct {
	*wire.Request

	http   *http.Request
	id     string
	action string // The name that was asked for.
	keyID  string
	format wire.Format
	caller *cloud.Credential
	do     *cloud.Action
}

// serveAPI answers one request of the API. It is on record before it is answered, so that a client that has its
// answer finds it there.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	q, err := s.take(r)
	var answer reply
	if err == nil {
		answer, err = s.answer(q) //nolint:contextcheck // Its context is in q, with the rest of the request.
	}
	if err != nil {
		answer = s.failure(q, err)
	}
	s.record.add(q.recorded(answer, s.clock()))
	answer.send(w)
}

// take reads a request. With an error it gives what could be read, so that the refusal has the form that was asked for.
func (s *Server) take(r *http.Request) (*request, error) {
	read, malformed := wire.Read(r)
	q := &request{
		Request: read, http: r, id: s.cloud.RequestID(), action: read.Params.Get("Action"), keyID: read.Params.Get("AccessKeyId"),
	}
	newer := acs.SchemeOf(r.Header) == acs.ACS3
	if newer {
		q.action, q.keyID = r.Header.Get("X-Acs-Action"), ""
	}
	var err error
	q.format, err = wire.FormatOf(read.Params, r.Header, newer)
	return q, cmp.Or(malformed, err)
}

// recorded is the request as it is kept: without what would let others sign like its sender.
func (q *request) recorded(answer reply, now time.Time) Request {
	kept := maps.Clone(q.Params)
	status := answer.status
	if answer.broken == connectionClosed {
		status = 0
	}
	return Request{
		Time: now.UTC(), Action: q.action, Parameters: kept, AccessKeyID: q.keyID,
		Status: status, Code: string(answer.code), Effect: answer.effect, Scheme: schemeName(q.http.Header),
		Format: q.format.String(), TLS: secure(q.http), Source: q.source(),
	}
}

// answer decides on a request. Its errors are refusals.
func (s *Server) answer(q *request) (reply, error) {
	if !pause(q.http.Context(), s.latency) {
		return reply{broken: connectionClosed}, nil
	}
	if q.http.Method != http.MethodGet && q.http.Method != http.MethodPost {
		return reply{}, wire.Refuse(wire.CodeMethod)
	}
	claim, err := q.readClaim()
	if err != nil {
		return reply{}, err
	}
	q.keyID = claim.KeyID
	if q.caller, err = s.authenticate(claim); err != nil {
		return reply{}, err
	}
	if q.do, err = s.cloud.Find(claim.Version, claim.Action, q.Params); err != nil {
		return reply{}, err
	}
	if s.needsTLS && q.do.Version == cloud.VersionSTS && !secure(q.http) {
		return reply{}, wire.Refuse(wire.CodeNeedSSL)
	}
	return s.withinQuota(q)
}

// source is the address that a request came from.
func (q *request) source() string {
	host, _, _ := net.SplitHostPort(q.http.RemoteAddr) // Of no matter if it has another form; none is told then.
	return host
}

// call is the request as the cloud takes it.
func (q *request) call() *cloud.Call {
	return &cloud.Call{
		Action: q.do, Params: q.Params, RequestID: q.id, Caller: q.caller, Secure: secure(q.http), Source: q.source(),
	}
}

// carryOut does what was asked, on the world as it is, or on a snapshot if that is not nil.
func (s *Server) carryOut(q *request, snapshot *cloud.World) (reply, error) {
	var done cloud.Answer
	var err error
	if snapshot == nil {
		done, err = s.cloud.Do(q.call())
	} else {
		done, err = s.cloud.DoOn(snapshot, q.call())
	}
	if err != nil && done.Changed {
		answer := s.failure(q, err) // A part of it was done.
		answer.effect = true
		return answer, nil
	}
	if err != nil {
		return reply{}, err
	}
	answer, err := q.success(done.Response)
	answer.effect = done.Changed
	return answer, err
}

// pause waits. It is false if the client or the server went away meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
