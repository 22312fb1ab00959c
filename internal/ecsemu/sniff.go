package ecsemu

import (
	"crypto/tls"
	"net"
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
