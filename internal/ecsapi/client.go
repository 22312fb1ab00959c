package ecsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

const (
	// maxAttempts bounds the attempts of a read that fails in passing.
	maxAttempts = 3
	// firstBackoff is the longest wait before the second attempt; it doubles with each.
	firstBackoff = 200 * time.Millisecond
	// maxThrottles bounds how often one call waits for a next window while calls of others pass.
	maxThrottles = 8
)

// Client calls the cloud for one set of credentials. It is safe for concurrent use.
type Client struct {
	options  Options
	endpoint endpoint
	limiter  *limiter
	pools    *pools
	redactor redactor
	// endpoints are those of regions, as the cloud has named them: some do not follow the rule.
	endpoints sync.Map
}

// New makes a client. It calls nobody: the first call will tell whether the credentials are good.
func New(o Options) (*Client, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("making an ecs client: %w", err)
	}
	e, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("making an ecs client: %w", err)
	}
	p, r := newPools(&o, e), newRedactor(o.Credentials)
	// From here on only pointers lead to the credentials: fmt prints what a client holds if the client is in a struct
	// and the verb is one that fits no pointer.
	o.Credentials = Credentials{}
	return &Client{options: o, endpoint: e, limiter: newLimiter(o.quota, o.Now), pools: p, redactor: r}, nil
}

// Close gives up the idle connections. Calls under way are not disturbed.
func (c *Client) Close() { c.pools.transport.CloseIdleConnections() }

// Format prints nothing but the type.
func (*Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "ecsapi.Client{}") }

// request is one call, before it is signed.
type request struct {
	product string
	version string
	action  string
	region  sg.Region // zero for calls that belong to no region
	params  map[string]string
	gate    *gate // of a call that changes something; nil for a read
	hold    func(ctx context.Context) error
}

// decode reads an answer. Its errors must not repeat texts of the answer.
type decode func(body string) error

// read makes a call that changes nothing: it is repeated if it fails in passing, and it waits if it is throttled.
func (c *Client) read(ctx context.Context, q *request, into decode) error {
	throttles := 0
	for attempt := 1; ; {
		err := c.call(ctx, q, into)
		if err == nil {
			return nil
		}
		switch {
		case err.Class == Throttled && !err.final && throttles < maxThrottles:
			throttles++ // the bucket knows how long to wait
			continue
		case err.Class != Transient || err.final || attempt >= maxAttempts:
			return err.Error
		}
		backoff := time.NewTimer(backoff(attempt))
		select {
		case <-backoff.C:
		case <-ctx.Done():
			backoff.Stop()
			return c.cancelled(ctx, q)
		}
		attempt++
	}
}

// backoff is the time before the attempt after this one: between half of the full time and all of it.
func backoff(attempt int) time.Duration {
	full := firstBackoff << (attempt - 1)
	return full/2 + rand.N(full/2) //nolint:gosec // jitter
}

// failure is an error together with what only this package needs to know.
type failure struct {
	*Error
	final bool // no further attempt can help
}

// call makes one attempt of a call: it waits for its turn, borrows a client, sends, and reads the answer. A write waits
// only for as long as it may be sent.
func (c *Client) call(ctx context.Context, q *request, into decode) *failure {
	bucket := c.limiter.bucket(q.region.ID, q.action)
	asked := c.options.Now()
	if q.gate != nil {
		var stop context.CancelFunc
		ctx, stop = q.gate.bound(ctx)
		defer stop()
	}
	window, err := bucket.enter(ctx)
	c.options.Observer.Wait(q.action, c.options.Now().Sub(asked))
	switch {
	case errors.Is(err, errGivenUp):
		return &failure{c.fail(q, Throttled, fault{errGivenUp.Error(), hintThrottle}), true}
	case err != nil:
		return q.judge(&failure{c.cancelled(ctx, q), true})
	}
	pool := c.pools.of(q.region.ID)
	s, err := pool.take(ctx)
	switch {
	case errors.Is(err, errSDK):
		return q.judge(&failure{c.brokenSDK(q), true})
	case err != nil:
		return q.judge(&failure{c.cancelled(ctx, q), true})
	}
	if q.hold != nil { // asked after all waiting, which can be long
		if err := q.hold(ctx); err != nil {
			pool.give(s)
			return &failure{c.fail(q, Unsent, fault{"nothing was sent: " + err.Error(), ""}), true}
		}
	}
	sent := c.options.Now()
	answer, failed := c.send(ctx, s, q)
	latency := c.options.Now().Sub(sent)
	pool.give(s)
	if failed == nil {
		failed = c.understand(q, &answer, into)
	}
	failed = q.judge(failed)
	class := OK
	if failed != nil {
		class = failed.Class
	}
	c.options.Observer.Call(q.action, class, latency)
	switch {
	case class == Throttled:
		bucket.throttled(window, askedWait(answer.header))
	case class != Transient && class != Cancelled && class != Unsent: // which say nothing of the quota
		bucket.passed(window)
	}
	return failed
}

// send has a borrowed client sign and send a call, and waits for the answer for as long as an attempt may take.
func (c *Client) send(ctx context.Context, s *session, q *request) (reply, *failure) {
	host, err := c.host(q)
	if err != nil {
		return reply{}, &failure{c.fail(q, Invalid, fault{err.Error(), "check accounts[].regions"}), true}
	}
	attempt, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	answer, err := s.do(attempt, q, c.endpoint.scheme(), host)
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return reply{}, &failure{c.cancelled(ctx, q), true}
	case errors.Is(err, errSDK):
		return reply{}, &failure{c.brokenSDK(q), false}
	default:
		failed := c.fail(q, Transient, faultOf(err))
		failed.HTTPStatus = answer.status
		return reply{}, &failure{failed, false}
	}
}

func (c *Client) host(q *request) (string, error) {
	if q.product == productSTS {
		return c.endpoint.ofSTS(), nil
	}
	region := q.region
	if told, ok := c.endpoints.Load(region.ID); ok && region.Endpoint == "" {
		region.Endpoint, _ = told.(string)
	}
	return c.endpoint.of(region)
}

// fail makes an error of our own words, or of words that must be cleaned.
func (c *Client) fail(q *request, class Class, f fault) *Error {
	return &Error{
		Action: q.action, Region: c.redactor.name(q.region.ID), Class: class,
		Message: c.redactor.message(f.message), hint: f.hint,
	}
}

// brokenSDK makes the error of a call that the SDK broke down over.
func (c *Client) brokenSDK(q *request) *Error {
	return c.fail(q, Transient, fault{errSDK.Error(), hintReport})
}

// cancelled makes the error of a call whose caller's context ended.
func (c *Client) cancelled(ctx context.Context, q *request) *Error {
	e := c.fail(q, Cancelled, fault{ctx.Err().Error(), ""})
	e.cause = ctx.Err()
	return e
}
