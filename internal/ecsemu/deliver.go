package ecsemu

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// defaultOversize is how much white space an answer that is too large has.
const defaultOversize = 1 << 30

// ending is how a reply that never comes is not sent. Nil closes the connection.
func (f *armedFault) ending(q *request) func(http.ResponseWriter, reply) {
	switch f.How {
	case EndHang:
		return func(http.ResponseWriter, reply) {
			<-q.http.Context().Done()
			panic(http.ErrAbortHandler)
		}
	case EndReset:
		return func(http.ResponseWriter, reply) {
			if conn, ok := q.http.Context().Value(connKey{}).(*sniffConn); ok {
				conn.reset()
			}
			panic(http.ErrAbortHandler)
		}
	case EndClose:
	}
	return nil
}

// reset closes a connection so that the client sees a reset.
func (c *sniffConn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // What cannot be reset is closed.
	}
	_ = c.Conn.Close() // Nothing is left to be said.
}

// drip sends a reply byte by byte.
func drip(ctx context.Context, w http.ResponseWriter, r reply, interval time.Duration) {
	r.head(w, strconv.Itoa(len(r.body)))
	control := http.NewResponseController(w)
	for i := range r.body {
		if i > 0 && !pause(ctx, interval) {
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write(r.body[i : i+1]); err != nil {
			return // The client is gone.
		}
		_ = control.Flush() // The next write tells.
	}
}

// oversize sends a reply and white space behind it, of which no more is held than is being sent.
func oversize(w http.ResponseWriter, r reply, size int64, compress bool) {
	out := io.Writer(w)
	if compress {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		defer packed.Close() //nolint:errcheck // The client is gone.
		out = packed
	}
	r.head(w, "")
	if _, err := out.Write(r.body); err != nil {
		return
	}
	blanks := bytes.Repeat([]byte(" "), 32<<10)
	for size > 0 {
		n := min(size, int64(len(blanks)))
		if _, err := out.Write(blanks[:n]); err != nil {
			return
		}
		size -= n
	}
}

// head sends all of a reply but its body. Without a length, the body is sent in chunks.
func (r reply) head(w http.ResponseWriter, length string) {
	for name, value := range r.header {
		w.Header().Set(name, value)
	}
	if length != "" {
		w.Header().Set("Content-Length", length)
	}
	w.WriteHeader(r.status)
}
