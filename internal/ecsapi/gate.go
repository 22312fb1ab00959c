package ecsapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// errLate says that a write came to its connection too late.
var errLate = errors.New("too late to send it")

// gate is the one way of a write to the network. It opens at most once, for the first byte, and not after its time.
// Who closes it before knows that not one byte was written and that none will be; who comes too late knows that some
// may have been.
type gate struct {
	until time.Time
	now   func() time.Time

	mu    sync.Mutex
	armed bool // what is written from now on is the call, and no longer the making of the connection
	open  bool // a byte of the call may have been written
	shut  bool
	late  bool // shut because its time had passed
}

// bound gives a context that ends when the gate can open no more, unless it was opened by then.
func (g *gate) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(g.until.Sub(g.now()), func() {
		if g.expire() {
			cancel()
		}
	})
	return ctx, func() { late.Stop(); cancel() }
}

func (g *gate) arm() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed = true
}

// pass is asked before every write to a connection of the call. An error means that nothing may be written.
func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.open:
		return nil
	case g.shut:
		return errLate
	case isPast(g.now(), g.until):
		g.shut, g.late = true, true
		return errLate
	}
	g.open = g.armed
	return nil
}

// close shuts the gate unless it was opened, and says whether it is shut.
func (g *gate) close() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = !g.open
	return g.shut
}

// expire is close for the reason that the time has passed.
func (g *gate) expire() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open && !g.shut {
		g.shut, g.late = true, true
	}
	return g.shut
}

// isLate tells whether the gate was shut because its time had passed.
func (g *gate) isLate() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.late
}

// send sends a request through the gate, on a connection of its own. A kept one could turn out to be closed just when
// the request is written, and then nobody knows whether the cloud saw it; and only on kept ones Go's transport repeats
// requests by itself. A new connection for each write costs little at the pace of writes.
func (g *gate) send(base http.RoundTripper, r *http.Request) (*http.Response, error) {
	kept, ok := base.(*http.Transport)
	if !ok { // nothing is known of it, so its first byte is as good as written
		g.arm()
		if err := g.pass(); err != nil {
			return nil, err
		}
		return base.RoundTrip(r)
	}
	call := r.Context()
	once := kept.Clone()
	once.DisableKeepAlives = true
	once.DialContext = func(_ context.Context, network, address string) (net.Conn, error) {
		// The context that a dial is given outlives the call, for connections that others could use.
		conn, err := kept.DialContext(call, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(call, func() {
			if g.close() {
				_ = conn.Close() // in the middle of a handshake, perhaps
			}
		})
		return &gatedConn{conn, g}, nil
	}
	// The connection is there, TLS and proxies included, and what follows is the request.
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { g.arm() }}
	return once.RoundTrip(r.WithContext(httptrace.WithClientTrace(call, trace)))
}

// gatedConn is a connection that is written to through a gate only.
type gatedConn struct {
	net.Conn
	gate *gate
}

// Write writes if the gate lets it.
func (c *gatedConn) Write(b []byte) (int, error) {
	if err := c.gate.pass(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// isPast compares by the wall clock as well: the other one stands still while a machine is suspended.
func isPast(now, until time.Time) bool {
	return now.After(until) || now.Round(0).After(until.Round(0))
}
