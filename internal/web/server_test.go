package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// options serve a process that is well; apply changes them.
func options(apply func(*Options)) Options {
	o := Options{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "up 1\n")
		}),
		Alive:  func() error { return nil },
		Ready:  func() error { return nil },
		Reload: func(context.Context) error { return nil },
	}
	if apply != nil {
		apply(&o)
	}
	return o
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		method string // GET if empty
		target string
		header http.Header
		apply  func(*Options)
		status int
		body   string
	}{
		{name: "metrics", target: "/metrics", status: 200, body: "up 1\n"},
		{name: "healthy", target: "/-/healthy", status: 200, body: "ok\n"},
		{
			name: "not healthy", target: "/-/healthy", status: 503, body: "silent for 1m1s\n",
			apply: func(o *Options) { o.Alive = func() error { return errors.New("silent for 1m1s") } },
		},
		{name: "ready", target: "/-/ready", status: 200, body: "ok\n"},
		{
			name: "not ready", target: "/-/ready", status: 503, body: "stopping\n",
			apply: func(o *Options) { o.Ready = func() error { return errors.New("stopping") } },
		},
		{name: "reload", method: http.MethodPost, target: "/-/reload", status: 200, body: "reloaded\n"},
		{
			name: "reload that fails", method: http.MethodPost, target: "/-/reload",
			status: 500, body: "not reloaded: a.yaml:1:2: unknown field\n",
			apply: func(o *Options) {
				o.Reload = func(context.Context) error { return errors.New("a.yaml:1:2: unknown field") }
			},
		},
		{name: "reload by a link", target: "/-/reload", status: 405, body: "Method Not Allowed\n"},
		{
			name: "reload by a page of another site", method: http.MethodPost, target: "/-/reload",
			header: http.Header{"Sec-Fetch-Site": {"cross-site"}},
			status: 403, body: "cross-origin request detected from Sec-Fetch-Site header\n",
		},
		{
			name: "reload by an old browser's page of another site", method: http.MethodPost, target: "/-/reload",
			header: http.Header{"Origin": {"http://evil.example"}},
			status: 403, body: "cross-origin request detected, and/or browser is out of date: Sec-Fetch-Site is missing, and Origin does not match Host\n",
		},
		{name: "index", target: "/", status: 200, body: index},
		{name: "anything else", target: "/-/quit", status: 404, body: "404 page not found\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := options(tt.apply)
			reloads := 0
			reload := o.Reload
			o.Reload = func(ctx context.Context) error {
				reloads++
				return reload(ctx)
			}
			r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.target, http.NoBody)
			maps.Copy(r.Header, tt.header)
			w := httptest.NewRecorder()
			handler(&o).ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status: got %d, want %d", w.Code, tt.status)
			}
			if diff := cmp.Diff(tt.body, w.Body.String()); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if want := tt.target == "/-/reload" && (tt.status == 200 || tt.status == 500); (reloads == 1) != want {
				t.Errorf("reloads: got %d, want one: %t", reloads, want)
			}
			if kind := w.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") && tt.target != "/metrics" {
				t.Errorf("content type: got %q, want text", kind)
			}
		})
	}
}

func TestOptionsThatAreMissing(t *testing.T) {
	t.Parallel()
	for name, apply := range map[string]func(*Options){
		"metrics": func(o *Options) { o.Metrics = nil },
		"alive":   func(o *Options) { o.Alive = nil },
		"ready":   func(o *Options) { o.Ready = nil },
		"reload":  func(o *Options) { o.Reload = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(options(apply)); err == nil {
				t.Error("got no error, want one")
			}
		})
	}
}

// serve runs a server on loopback and gives its address and what Serve ends with.
func serve(t *testing.T, o Options) (server *Server, address string, ended <-chan error) {
	t.Helper()
	server, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() { result <- server.Serve(listener) }()
	return server, listener.Addr().String(), result
}

// send writes a request and gives the connection, to read the answer from.
func send(t *testing.T, address, text string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

const reloadRequest = "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"

func TestShutdownWaitsForRequestsUnderWay(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	server, address, ended := serve(t, options(func(o *Options) {
		o.Reload = func(context.Context) error {
			close(began)
			<-release
			return nil
		}
	}))
	conn := send(t, address, reloadRequest)
	<-began
	down := make(chan error, 1)
	go func() { down <- server.Shutdown(t.Context()) }()
	// Serve ends when Shutdown has begun.
	if err := <-ended; err != nil {
		t.Errorf("serving: got %v, want no error", err)
	}
	close(release)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status: got %d, want 200", resp.StatusCode)
	}
	if err := <-down; err != nil {
		t.Errorf("shutting down: got %v, want no error", err)
	}
}

func TestShutdownCutsOffWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	began := make(chan struct{})
	server, address, ended := serve(t, options(func(o *Options) {
		o.Reload = func(ctx context.Context) error {
			close(began)
			<-ctx.Done()
			return ctx.Err()
		}
	}))
	conn := send(t, address, reloadRequest)
	<-began
	deadline, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Shutdown(deadline); err != nil {
		t.Errorf("shutting down: got %v, want no error", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("serving: got %v, want no error", err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the request was answered, want it cut off")
	}
}

func TestHeaderThatIsTooLongIsRefused(t *testing.T) {
	t.Parallel()
	server, address, ended := serve(t, options(nil))
	// net/http allows 4 KiB more than it is told.
	long := strings.Repeat("a", maxHeaderBytes+8<<10)
	conn := send(t, address, fmt.Sprintf("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n", long))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status: got %d, want 431", resp.StatusCode)
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestListenerThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	server, err := New(options(nil))
	if err != nil {
		t.Fatal(err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(listener); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
}
