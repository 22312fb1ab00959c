package ecsemu

import (
	"context"
	"maps"
	"net/http"
	"time"
)

// serveAPI answers one request of the API. It is on record before it is answered, so that a client that has its
// answer finds it there.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	requestID := s.ids.request()
	params, err := readParameters(r)
	var answer reply
	if err == nil {
		answer, err = s.answer(r, params, requestID)
	}
	if err != nil {
		answer = s.failure(err, r.Host, requestID)
	}
	s.record.add(recorded(params, answer, s.clock()))
	answer.send(w)
}

func recorded(params parameters, answer reply, now time.Time) Request {
	kept := maps.Clone(params)
	delete(kept, "Signature")
	status := answer.status
	if answer.broken == connectionClosed {
		status = 0
	}
	return Request{
		Time: now.UTC(), Action: params.get("Action"), Parameters: kept, AccessKeyID: params.get("AccessKeyId"),
		Status: status, Code: string(answer.code), Effect: answer.effect,
	}
}

// answer decides on a request. Its errors are refusals.
func (s *Server) answer(r *http.Request, params parameters, requestID string) (reply, error) {
	if !pause(r.Context(), s.latency) {
		return reply{broken: connectionClosed}, nil
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return reply{}, refuse(codeMethod)
	}
	if err := params.format(r.Header.Get("Accept")); err != nil {
		return reply{}, err
	}
	if params.get("Action") == "" && r.Header.Get("Authorization") == "" {
		return reply{}, missing("Action")
	}
	key, err := s.authenticate(r.Method, r.Header.Get("Authorization"), params)
	if err != nil {
		return reply{}, err
	}
	do, err := s.find(params)
	if err != nil {
		return reply{}, err
	}
	counter := throttleKey{account: key.Account, action: params.get("Action")}
	if s.knowsRegion(key.Account, params.get("RegionId")) {
		counter.region = params.get("RegionId")
	}
	if wait, ok := s.throttle.take(counter, s.clock()); !ok {
		return s.throttled(s.throttle.quota, wait, r.Host, requestID), nil
	}
	return s.withFaults(r, &request{do: do, key: key, params: params, id: requestID, host: r.Host})
}

// knowsRegion keeps regions that a client makes up from filling the counters.
func (s *Server) knowsRegion(account, region string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.world.accounts[account].regions[region] != nil
}

// request is one that passed the gateway.
type request struct {
	do     action
	key    AccessKey
	params parameters
	id     string
	host   string
}

// carryOut does what was asked, on the world as it is, or on another one if that is not nil.
func (s *Server) carryOut(q *request, other *world, change func(response any)) (reply, error) {
	response, changed, err := s.perform(q, other)
	if err != nil {
		return reply{}, err
	}
	if change != nil {
		change(response)
	}
	answer, err := success(response)
	answer.effect = changed && other == nil
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
