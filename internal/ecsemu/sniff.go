package ecsemu

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// tlsHandshake is the first byte of a TLS connection; no HTTP request begins with it.
const tlsHandshake = 0x16

// sniffListener accepts plain and TLS connections on one port.
type sniffListener struct {
	net.Listener

	config *tls.Config
}

func (l *sniffListener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &sniffConn{Conn: raw, config: l.config}, nil
}

// sniffConn finds out what it is at its first Read, so that a client that sends nothing holds up nobody else.
type sniffConn struct {
	net.Conn // The connection as it came; deadlines apply to it in either case.

	config *tls.Config
	once   sync.Once
	err    error
	secure atomic.Pointer[tls.Conn]
	plain  net.Conn
}

func (c *sniffConn) Read(p []byte) (int, error) {
	c.once.Do(c.sniff)
	if c.err != nil {
		return 0, c.err
	}
	if secure := c.secure.Load(); secure != nil {
		return secure.Read(p)
	}
	return c.plain.Read(p)
}

func (c *sniffConn) sniff() {
	var first [1]byte
	if _, c.err = c.Conn.Read(first[:]); c.err != nil {
		return
	}
	c.plain = &prefixedConn{Conn: c.Conn, prefix: first[:]}
	if first[0] == tlsHandshake {
		c.secure.Store(tls.Server(c.plain, c.config))
	}
}

// Write is only called for an answer, and so after a Read.
func (c *sniffConn) Write(p []byte) (int, error) {
	if secure := c.secure.Load(); secure != nil {
		return secure.Write(p)
	}
	return c.Conn.Write(p)
}

func (c *sniffConn) Close() error {
	if secure := c.secure.Load(); secure != nil {
		return secure.Close()
	}
	return c.Conn.Close()
}

// connKey is where a request's context has its connection.
type connKey struct{}

// rememberConn puts a connection into the context of its requests. The HTTP server, which knows TLS connections by
// their type, takes all of them for plain ones.
func rememberConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// secure tells whether a request came over TLS.
func secure(r *http.Request) bool {
	conn, ok := r.Context().Value(connKey{}).(*sniffConn)
	return ok && conn.secure.Load() != nil
}

// prefixedConn gives back bytes that were read already.
type prefixedConn struct {
	net.Conn

	prefix []byte
}

func (c *prefixedConn) Read(p []byte) (int, error) {
	if len(c.prefix) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.prefix)
	c.prefix = c.prefix[n:]
	return n, nil
}
