package ecsapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wire is a server that speaks no protocol by itself: serve gets each connection, and tells whether it got a byte.
type wire struct {
	url     string
	address string
	close   func() // waits until all connections were served

	accepted, written atomic.Int64 // connections, and those that got a byte
}

func newWire(t *testing.T, serve func(net.Conn)) *wire {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{url: "http://" + listener.Addr().String(), address: listener.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.accepted.Add(1)
			wg.Go(func() {
				defer conn.Close() //nolint:errcheck // the test is about what was read
				first := bufio.NewReader(conn)
				if _, err := first.Peek(1); err == nil {
					w.written.Add(1)
					serve(&peeked{conn, first})
				}
			})
		}
	})
	w.close = sync.OnceFunc(func() { _ = listener.Close(); wg.Wait() })
	t.Cleanup(w.close)
	return w
}

// peeked is a connection of which the first bytes were looked at.
type peeked struct {
	net.Conn
	reader io.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.reader.Read(b) }

// swallow reads a request and does not answer.
func swallow(conn net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(conn)) }

// answer reads a request and answers.
func answer(conn net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 52\r\n\r\n"+wroteBody)
	}
}

// clock is a clock that is moved by hand.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// onDial has something done once a connection is there.
func onDial(c *Client, do func()) {
	dial := c.pools.transport.DialContext
	c.pools.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		do()
		return conn, err
	}
}

func TestASuspendedMachineSendsNothingLate(t *testing.T) {
	until := time.Now().Add(time.Minute)
	// While it was suspended the clock on the wall went on, and the other one did not.
	woken := time.Now().Round(0).Add(time.Hour)
	if !isPast(woken, until) || isPast(time.Now(), until) {
		t.Error("the wall clock has no say")
	}
}

func TestAGateThatWasClosedStaysClosed(t *testing.T) {
	g := &gate{until: time.Now().Add(time.Hour), now: time.Now}
	if err := g.pass(); err != nil {
		t.Errorf("what comes before the call: got %v, want it to pass", err)
	}
	g.arm()
	if !g.close() {
		t.Fatal("the gate is open before a byte of the call came")
	}
	if err := g.pass(); err == nil || !g.close() || g.isLate() {
		t.Errorf("after it was closed: got %v, want that nothing passes, and not for the reason of time", err)
	}
}

func TestAWriteThatIsLateAtItsConnectionWritesNothing(t *testing.T) {
	w := newWire(t, answer)
	var hours clock
	r := &recorder{}
	c := newTestClient(t, w.url, func(o *Options) { o.Now, o.Observer = hours.now, r })
	onDial(c, func() { hours.advance(time.Hour) })
	_, err := c.Write(t.Context(), revoke())
	wantClass(t, err, Unsent)
	wantClean(t, err, "nothing was sent: too late to send it")
	w.close()
	if accepted, written := w.accepted.Load(), w.written.Load(); accepted != 1 || written != 0 {
		t.Errorf("%d connections were made and %d of them written to, want 1 and 0", accepted, written)
	}
	if diff := cmp.Diff([]string{"RevokeSecurityGroupEgress unsent"}, r.calls); diff != "" {
		t.Errorf("observer, -want +got:\n%s", diff)
	}
	if got := c.limiter.bucket("cn-hangzhou", actionRevoke).strikes; got != 0 {
		t.Errorf("the bucket has %d strikes, want none", got)
	}
}

// secureServer is a TLS server that counts requests, and who trusts it.
func secureServer(t *testing.T) (server *httptest.Server, requests *atomic.Int64, trusted *x509.CertPool) {
	t.Helper()
	requests = new(atomic.Int64)
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		says(http.StatusOK, wroteBody)(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of handshakes that are to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	trusted = x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	return server, requests, trusted
}

func TestAWriteThatIsLateAfterTheHandshakeSendsNoRequest(t *testing.T) {
	server, requests, trusted := secureServer(t)
	var hours clock
	c := newTestClient(t, server.URL, func(o *Options) { o.CAs, o.Now = trusted, hours.now })
	if id, err := c.Write(t.Context(), revoke()); err != nil || id != requestID {
		t.Fatalf("in time: got %q, %v", id, err)
	}
	// Verifying the certificate is the last that is done before the request.
	c.pools.transport.TLSClientConfig.VerifyConnection = func(tls.ConnectionState) error {
		hours.advance(time.Hour)
		return nil
	}
	_, err := c.Write(t.Context(), revoke(func(w *Write) { w.NotAfter = hours.now().Add(time.Minute) }))
	wantClass(t, err, Unsent)
	server.Close() // waits for its handlers
	if got := requests.Load(); got != 1 {
		t.Errorf("%d requests, want only the one in time", got)
	}
}

// tunnel is a proxy that makes tunnels to wherever it is asked.
func tunnel(t *testing.T) *url.URL {
	t.Helper()
	w := newWire(t, func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		target, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", request.Host)
		if err != nil {
			return
		}
		defer target.Close() //nolint:errcheck // read to its end
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = io.Copy(target, reader)
			_ = target.Close()
		})
		_, _ = io.Copy(conn, target)
		_ = conn.Close()
		wg.Wait()
	})
	return &url.URL{Scheme: "http", Host: w.address}
}

func TestAProxyIsPartOfTheConnectionAndNotOfTheWrite(t *testing.T) {
	server, requests, trusted := secureServer(t)
	var hours clock
	c := newTestClient(t, server.URL, func(o *Options) { o.CAs, o.Now = trusted, hours.now })
	proxied := new(atomic.Int64)
	proxy := tunnel(t)
	c.pools.transport.Proxy = func(*http.Request) (*url.URL, error) { proxied.Add(1); return proxy, nil }
	if id, err := c.Write(t.Context(), revoke()); err != nil || id != requestID {
		t.Fatalf("in time: got %q, %v", id, err)
	}
	c.pools.transport.TLSClientConfig.VerifyConnection = func(tls.ConnectionState) error {
		hours.advance(time.Hour)
		return nil
	}
	_, err := c.Write(t.Context(), revoke(func(w *Write) { w.NotAfter = hours.now().Add(time.Minute) }))
	wantClass(t, err, Unsent)
	server.Close()
	if got := requests.Load(); got != 1 || proxied.Load() != 2 {
		t.Errorf("%d requests by %d tunnels, want 1 by 2", got, proxied.Load())
	}
}

func TestAWriteThatNeverGotAConnectionIsUnsent(t *testing.T) {
	t.Parallel()
	closed := newWire(t, swallow)
	closed.close()
	silent := newWire(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }) // shakes no hand
	secure, requests, _ := secureServer(t)
	soon := func(w *Write) { w.NotAfter = time.Now().Add(100 * time.Millisecond) }
	tests := map[string]struct {
		url   string
		apply func(*Write)
		want  string
	}{
		"nobody listens":             {closed.url, nil, "nothing was sent: connection refused"},
		"nobody is to be trusted":    {secure.URL, nil, "nothing was sent: the certificate of the endpoint is not trusted"},
		"nobody speaks tls in time":  {strings.Replace(silent.url, "http:", "https:", 1), soon, "nothing was sent: too late"},
		"it was late from the start": {closed.url, func(w *Write) { w.NotAfter = time.Now().Add(-1) }, "nothing was sent: too late"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := revoke()
			if tt.apply != nil {
				tt.apply(w)
			}
			begin := time.Now()
			_, err := newTestClient(t, tt.url).Write(t.Context(), w)
			wantClass(t, err, Unsent)
			wantClean(t, err, tt.want)
			if took := time.Since(begin); took > 9*time.Second {
				t.Errorf("took %v", took)
			}
			if got := requests.Load(); got != 0 {
				t.Errorf("%d requests, want none", got)
			}
		})
	}
}

func TestAWriteToANameWithoutAnAddressIsUnsent(t *testing.T) {
	c := newTestClient(t, "http://127.0.0.1:1")
	c.pools.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "nowhere.example"}}
	}
	_, err := c.Write(t.Context(), revoke())
	wantClass(t, err, Unsent)
	wantClean(t, err, "nothing was sent: no address found for host nowhere.example")
}

func TestAWriteWaitsForNothingLongerThanItMayBeSent(t *testing.T) {
	w := newWire(t, swallow)
	soon := func(w *Write) { w.NotAfter = time.Now().Add(20 * time.Millisecond) }
	t.Run("not for its turn", func(t *testing.T) {
		c := newTestClient(t, w.url, func(o *Options) { o.Quotas[actionRevoke] = 0.001 })
		if _, err := c.limiter.bucket("cn-hangzhou", actionRevoke).enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := c.Write(t.Context(), revoke(soon))
		wantClass(t, err, Unsent)
	})
	t.Run("not for a client", func(t *testing.T) {
		c := newTestClient(t, w.url, func(o *Options) { o.Clients = 1 })
		if _, err := c.pools.of("cn-hangzhou").take(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := c.Write(t.Context(), revoke(soon))
		wantClass(t, err, Unsent)
	})
	w.close()
	if got := w.accepted.Load(); got != 0 {
		t.Errorf("%d connections, want none", got)
	}
}

func TestTheTimeToSendIsNoTimeToAnswer(t *testing.T) {
	tests := map[string]struct {
		sends bool
		want  error
	}{
		"what was sent goes on":      {true, nil},
		"what was not sent is ended": {false, context.Canceled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gate{until: time.Now().Add(time.Second), now: time.Now}
				ctx, cancel := g.bound(t.Context())
				defer cancel()
				g.arm()
				if tt.sends {
					if err := g.pass(); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if !errors.Is(ctx.Err(), tt.want) || g.close() == tt.sends || g.isLate() == tt.sends {
					t.Errorf("context %v, shut %v, late %v", ctx.Err(), g.close(), g.isLate())
				}
				if err := g.pass(); (err == nil) != tt.sends {
					t.Errorf("a further byte: got %v", err)
				}
			})
		})
	}
}

func TestAWriteThatIsCancelled(t *testing.T) {
	t.Run("before it was sent is unsent", func(t *testing.T) {
		w := newWire(t, answer)
		c := newTestClient(t, w.url)
		ctx, cancel := context.WithCancel(t.Context())
		onDial(c, cancel)
		_, err := c.Write(ctx, revoke())
		wantClass(t, err, Unsent)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		w.close()
		if got := w.written.Load(); got != 0 {
			t.Errorf("%d connections were written to, want none", got)
		}
	})
	t.Run("after it was sent has no known outcome", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := newWire(t, func(conn net.Conn) { swallow(conn); cancel() })
		_, err := newTestClient(t, w.url).Write(ctx, revoke())
		wantClass(t, err, Transient)
		if errors.Is(err, context.Canceled) {
			t.Error("the error says that the call ended as asked for")
		}
	})
	t.Run("has no known outcome either when its attempt takes too long", func(t *testing.T) {
		url, _ := blocking(t, "")
		c := newTestClient(t, url, func(o *Options) { o.Timeout = 50 * time.Millisecond })
		_, err := c.Write(t.Context(), revoke())
		wantClass(t, err, Transient)
		wantClean(t, err, "no answer in time")
	})
}

// Whenever the context ends, what is called unsent never reached the server.
func TestUnsentIsNeverSent(t *testing.T) {
	w := newWire(t, swallow)
	c := newTestClient(t, w.url, func(o *Options) { o.Clients = 16 })
	var unsent, unknown atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 40 {
				ctx, cancel := context.WithCancel(t.Context())
				stop := time.AfterFunc(rand.N(3*time.Millisecond), cancel)
				_, err := c.Write(ctx, revoke())
				switch e, _ := errors.AsType[*Error](err); {
				case e == nil:
					t.Errorf("got %v, want an error", err)
				case e.Class == Unsent:
					unsent.Add(1)
				case e.Class == Transient:
					unknown.Add(1)
				default:
					t.Errorf("got %v", err)
				}
				stop.Stop()
				cancel()
			}
		})
	}
	wg.Wait()
	w.close()
	if sent := w.written.Load(); sent > unknown.Load() {
		t.Errorf("the server got %d calls, but only %d may have been sent (%d were not)", sent, unknown.Load(), unsent.Load())
	}
}

func TestAWriteIsSentOnceOnAConnectionOfItsOwn(t *testing.T) {
	var requests atomic.Int64
	w := newWire(t, func(conn net.Conn) {
		for reader := bufio.NewReader(conn); ; { // keeps connections, but closes them on writes, once they are read
			request, err := http.ReadRequest(reader)
			if err != nil || request.URL.Query().Get("Action") == actionRevoke {
				if err == nil {
					requests.Add(1)
					if !request.Close {
						t.Error("the connection of a write is to be kept")
					}
				}
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n"+`{"AccountId":"1"}`)
		}
	})
	c := newTestClient(t, w.url)
	if _, err := c.Identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := c.Write(t.Context(), revoke())
	wantClass(t, err, Transient)
	c.Close() // or else the kept connection is waited for
	w.close()
	if got := requests.Load(); got != 1 {
		t.Errorf("the write was sent %d times, want once", got)
	}
	if got := w.accepted.Load(); got != 2 {
		t.Errorf("%d connections, want one that is kept for reads and one for the write", got)
	}
}

func TestATransportOfWhichNothingIsKnownMayHaveSent(t *testing.T) {
	tests := map[string]struct {
		late time.Duration
		want Class
	}{
		"in time": {0, Transient},
		"late":    {time.Hour, Unsent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var hours clock
			c := newTestClient(t, "http://127.0.0.1:1", func(o *Options) { o.Now = hours.now })
			asked := 0
			through(c, roundTripper(func(r *http.Request) (*http.Response, error) {
				asked++
				return nil, errors.New(r.URL.String())
			}))
			create := c.pools.create
			c.pools.create = func() (*session, error) { hours.advance(tt.late); return create() }
			_, err := c.Write(t.Context(), revoke())
			wantClass(t, err, tt.want)
			wantClean(t, err, "")
			if want := map[Class]int{Transient: 1}[tt.want]; asked != want {
				t.Errorf("asked %d times, want %d", asked, want)
			}
		})
	}
}

func TestAWriteThatTheSDKBreaksOverIsUnsent(t *testing.T) {
	c := newTestClient(t, "http://127.0.0.1:1")
	c.pools.create = func() (*session, error) { return nil, errSDK }
	_, err := c.Write(t.Context(), revoke())
	wantClass(t, err, Unsent)
	wantClean(t, err, "broke down")
}
