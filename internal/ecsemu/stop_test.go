package ecsemu

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// stopped is a server in which one call is under way, one connection was used and is idle, and one was never used.
// It is stopped just before a test gets it.
type stopped struct {
	address string
	idle    net.Conn
	unused  net.Conn
	held    chan error // What becomes of the call.
	served  chan error // What Serve returns.
}

// stopWhileAnswering makes a server, has a call reach its clock, and stops it. The clock goes on once release does.
func stopWhileAnswering(t *testing.T, grace time.Duration, release <-chan struct{}) *stopped {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	reached := make(chan struct{}, 10)
	server, err := New(Options{Clock: func() time.Time {
		// Of the calls in this test, only the one of the API asks for the time.
		reached <- struct{}{}
		<-release
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	server.grace = grace
	// What the call waits for after the clock must not be cut short either.
	if err := server.SetFaults([]Fault{{Kind: FaultLatency, Latency: time.Millisecond}}); err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{}, 10)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s := &stopped{address: listener.Addr().String(), held: make(chan error, 1), served: make(chan error, 1)}
	go func() { s.served <- server.Serve(ctx, &countingListener{Listener: listener, accepted: accepted}) }()
	s.idle, s.unused = dial(t, s.address), dial(t, s.address)
	if _, err := io.WriteString(s.idle, "GET /_emulator/faults HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(s.idle), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	<-accepted
	<-accepted
	go func() { s.held <- ask(t.Context(), "http://"+s.address+"/?"+signedQuery(now)) }()
	<-reached
	stop()
	return s
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// soon receives what has to come without a grace of an hour being used up. The library itself gives up on unused
// connections after five seconds.
func soon(t *testing.T, from <-chan error) error {
	t.Helper()
	select {
	case err := <-from:
		return err
	case <-time.After(4 * time.Second):
		t.Fatal("the server waits for a client")
		return nil
	}
}

func TestStoppingLetsCallsEnd(t *testing.T) {
	release := make(chan struct{})
	s := stopWhileAnswering(t, time.Hour, release)
	for name, conn := range map[string]net.Conn{"idle": s.idle, "unused": s.unused} {
		closed := make(chan error, 1)
		go func() {
			_, err := conn.Read(make([]byte, 1))
			closed <- err
		}()
		if err := soon(t, closed); err == nil {
			t.Errorf("the server wrote to the %s connection", name)
		}
	}
	// The listener was closed before these connections.
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address); err == nil {
		_ = conn.Close()
		t.Error("a new connection was taken")
	}
	select {
	case err := <-s.served:
		t.Fatalf("serving ended before the call under way: %v", err)
	default:
	}
	close(release)
	if err := soon(t, s.held); err != nil {
		t.Errorf("the call under way got no answer: %v", err)
	}
	if err := soon(t, s.served); err != nil {
		t.Errorf("serving ended with %v", err)
	}
}

func TestStoppingDoesNotWaitForEver(t *testing.T) {
	release := make(chan struct{})
	s := stopWhileAnswering(t, time.Millisecond, release)
	defer close(release)
	if err := soon(t, s.held); err == nil {
		t.Error("the call that was held up got an answer")
	}
	if err := soon(t, s.served); err != nil {
		t.Errorf("serving ended with %v", err)
	}
}

// ask waits for an answer and gives the reason if there is none.
func ask(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := new(http.Transport).RoundTrip(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close())
}

// signedQuery is a request for the regions.
func signedQuery(now time.Time) string {
	signer := acs.Signer{KeyID: DefaultKeyID, Secret: DefaultKeySecret, Clock: func() time.Time { return now }}
	return signer.RPC(http.MethodGet, url.Values{
		"Action": {"DescribeRegions"}, "Version": {cloud.VersionECS}, "Format": {"JSON"},
	}).Encode()
}

// countingListener tells of every connection it accepts.
type countingListener struct {
	net.Listener

	accepted chan<- struct{}
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted <- struct{}{}
	}
	return conn, err
}
