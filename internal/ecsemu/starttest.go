package ecsemu

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

// TB is the part of testing.TB that [Start] needs. It is declared here because this package is linked into the
// product, and the package testing, with its flags, must not be.
type TB interface {
	Helper()
	Cleanup(cleanup func())
	Fatalf(format string, args ...any)
}

// Running is a server that serves on a port of its own until the test ends.
type Running struct {
	URL    string // http://127.0.0.1:port
	TLSURL string // https://127.0.0.1:port, the same port.
	Server *Server
	Client *http.Client // Trusts the server; keeps connections until the test ends.
}

// testGrace replaces stopGrace in tests: once a test has ended, nobody waits for an answer.
const testGrace = 50 * time.Millisecond

// Start serves an estate, or an empty account if it is nil, for the time of a test. When the test ends, every
// connection and goroutine is gone.
func Start(t TB, estate *Estate, opts ...func(*Options)) *Running {
	t.Helper()
	options := Options{Estate: estate}
	for _, apply := range opts {
		apply(&options)
	}
	server, err := New(options)
	if err != nil {
		t.Fatalf("starting the emulator: %v", err)
	}
	server.grace = testGrace
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("starting the emulator: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(server.CA())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Fatalf("stopping the emulator: %v", err)
		}
	})
	address := listener.Addr().String()
	return &Running{
		URL: "http://" + address, TLSURL: "https://" + address, Server: server, Client: &http.Client{Transport: transport},
	}
}
