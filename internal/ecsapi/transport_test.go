package ecsapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// countingListener counts what it accepts.
type countingListener struct {
	net.Listener
	accepted atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

func TestConnectionsAreKept(t *testing.T) {
	const callers, calls = 8, 500
	server := httptest.NewUnstartedServer(says(http.StatusOK, regionsBody))
	listener := &countingListener{Listener: server.Listener}
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	c := newTestClient(t, server.URL, func(o *Options) { o.Clients = callers })
	var left atomic.Int64
	left.Store(calls)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := c.Regions(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	// A few more than callers are sound: a call may begin to dial just before a connection is handed back.
	if got := listener.accepted.Load(); got > 2*callers {
		t.Errorf("%d calls took %d connections, want about %d", calls, got, callers)
	}
}

func TestProxiesOfTheEnvironmentDoNotCaptureLoopback(t *testing.T) {
	proxy := newScript(t, says(http.StatusOK, regionsBody))
	server := newScript(t, says(http.StatusOK, regionsBody))
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	for name, noProxy := range map[string]string{"no exceptions": "", "exceptions that the SDK chokes on": "("} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NO_PROXY", noProxy)
			if _, err := newTestClient(t, server.URL).Regions(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	if len(proxy.requests()) != 0 || len(server.requests()) != 2 {
		t.Errorf("the proxy was asked %d times, the server %d; want 0 and 2",
			len(proxy.requests()), len(server.requests()))
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := newScript(t, says(http.StatusOK, regionsBody))
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := newScript(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.String(), status)
		})
		c := newTestClient(t, server.URL)
		err := c.call(t.Context(), &request{product: productECS, version: versionECS, action: actionRegions},
			func(string) error { return nil })
		if err == nil || err.Class != Transient || err.HTTPStatus != status {
			t.Errorf("http %d: got %v, want a transient error", status, err)
		}
	}
	if got := len(elsewhere.requests()); got != 0 {
		t.Errorf("%d signed requests went elsewhere", got)
	}
}

func TestARegionThatHangsTakesNothingFromOthers(t *testing.T) {
	const clients = 2
	release := make(chan struct{})
	hung := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("RegionId") == "r-hung" {
			hung <- struct{}{}
			<-release
			return
		}
		body := `{"AccountId":"1","SecurityGroupId":"sg-1","Permissions":{"Permission":[]}}`
		says(http.StatusOK, body)(w, r)
	}))
	t.Cleanup(server.Close)
	c := newTestClient(t, server.URL, func(o *Options) { o.Clients = clients })
	stuck, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 * clients {
		wg.Go(func() { _, _ = c.Rules(stuck, sg.Region{ID: "r-hung"}, "sg-1", "", "") })
	}
	for range clients {
		<-hung // all clients of the region are lent, and other callers wait for them
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := c.Rules(ctx, sg.Region{ID: "r-healthy"}, "sg-1", "", ""); err != nil {
		t.Errorf("a healthy region: %v", err)
	}
	if _, err := c.Identity(ctx); err != nil {
		t.Errorf("a call of no region: %v", err)
	}
	if got := len(hung); got != 0 {
		t.Errorf("the region that hangs has %d calls more under way than it has clients", got)
	}
	stop()
	close(release)
	wg.Wait()
}

func TestAClientThatCannotBeMadeIsNoDeadlock(t *testing.T) {
	c := newTestClient(t, "http://127.0.0.1:1", func(o *Options) { o.Clients = 1 })
	c.pools.create = func() (*session, error) { return nil, errSDK }
	for range 2 {
		_, err := c.Regions(t.Context())
		if e, ok := errors.AsType[*Error](err); !ok || e.Class != Transient || !strings.Contains(e.Message, "broke down") {
			t.Errorf("got %v, want it to say that the sdk broke down", err)
		}
	}
}
