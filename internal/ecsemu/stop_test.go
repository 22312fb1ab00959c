package ecsemu

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// TestStoppingWaitsForNobody gives requests under way an hour to end, and then has a connection that nobody uses, and
// a request that is held back for longer. Neither may use the hour up.
func TestStoppingWaitsForNobody(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	handled := make(chan struct{}, 10)
	server, err := New(Options{Clock: func() time.Time {
		handled <- struct{}{}
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	server.grace = time.Hour
	if err := server.SetFaults([]Fault{{Kind: FaultLatency, Latency: 2 * time.Hour}}); err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{}, 2)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, &countingListener{Listener: listener, accepted: accepted}) }()
	address := listener.Addr().String()
	unused, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer unused.Close() //nolint:errcheck // The server closed it.
	<-accepted
	held := make(chan error, 1)
	go func() { held <- ask(t.Context(), "http://"+address+"/?"+signedQuery(now)) }()
	<-handled
	stop()
	for _, ended := range []<-chan error{served, held} {
		select {
		case err = <-ended:
		case <-time.After(4 * time.Second): // The library itself gives up on unused connections after five.
			t.Fatal("the server waits for a client")
		}
	}
	if err == nil {
		t.Error("the request that was held back got an answer")
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
	return response.Body.Close()
}

// signedQuery is a request for the regions.
func signedQuery(now time.Time) string {
	params := parameters{
		"Action": "DescribeRegions", "Version": versionECS, "Format": "JSON", "AccessKeyId": DefaultKeyID,
		"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": "n", "Timestamp": now.Format(timestampLayout),
	}
	values := url.Values{"Signature": {sign(DefaultKeySecret, stringToSign(http.MethodGet, params))}}
	for name, value := range params {
		values.Set(name, value)
	}
	return values.Encode()
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
