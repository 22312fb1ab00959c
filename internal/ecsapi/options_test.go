package ecsapi

import (
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

func TestNewRefuses(t *testing.T) {
	tests := map[string]struct {
		apply func(o *Options)
		want  string
	}{
		"no clock":                   {func(o *Options) { o.Now = nil }, "Now is needed"},
		"no credentials":             {func(o *Options) { o.Credentials = Credentials{} }, "no credentials"},
		"a line end in a secret":     {func(o *Options) { o.Credentials.Secret += "\n" }, envSecret},
		"a quota of zero":            {func(o *Options) { o.Quotas = map[string]float64{"X": 0} }, "quota 0 of X"},
		"a quota without an end":     {func(o *Options) { o.Quotas = map[string]float64{"X": math.Inf(1)} }, "of X"},
		"a quota that is no number":  {func(o *Options) { o.Quotas = map[string]float64{"X": math.NaN()} }, "of X"},
		"fewer than no clients":      {func(o *Options) { o.Clients = -1 }, "clients -1"},
		"a negative timeout":         {func(o *Options) { o.Timeout = -time.Second }, "timeout -1s"},
		"plain http over a network":  {func(o *Options) { o.Endpoint = "http://ecs.example:80" }, "use https"},
		"plain http to an address":   {func(o *Options) { o.Endpoint = "http://192.0.2.1" }, "use https"},
		"a name that begins alike":   {func(o *Options) { o.Endpoint = "http://127.0.0.1.example" }, "use https"},
		"an endpoint without scheme": {func(o *Options) { o.Endpoint = "127.0.0.1:8080" }, "expected http"},
		"an unknown scheme":          {func(o *Options) { o.Endpoint = "ftp://127.0.0.1" }, "expected http"},
		"an endpoint with a path":    {func(o *Options) { o.Endpoint = "https://ecs.example/x" }, "expected http"},
		"an endpoint with a query":   {func(o *Options) { o.Endpoint = "https://ecs.example?x=y" }, "expected http"},
		"a password in the endpoint": {
			func(o *Options) { o.Endpoint = "https://user:" + url.QueryEscape(canarySecret) + "@ecs.example" }, "expected http",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := testOptions("")
			tt.apply(&o)
			_, err := New(o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want it to say %q", err, tt.want)
			}
			noCanary(t, "the error", err.Error())
		})
	}
	for _, value := range []string{"sdk", "x,sdk"} {
		t.Run("DEBUG="+value, func(t *testing.T) {
			t.Setenv("DEBUG", value)
			if _, err := New(testOptions("")); err == nil || !strings.Contains(err.Error(), "DEBUG") {
				t.Errorf("got %v, want it to name DEBUG", err)
			}
		})
	}
	t.Run("not another DEBUG", func(t *testing.T) {
		t.Setenv("DEBUG", "sdks,1")
		if _, err := New(testOptions("")); err != nil {
			t.Error(err)
		}
	})
}

func TestHosts(t *testing.T) {
	tests := map[string]struct {
		endpoint   string
		region     sg.Region
		want       string
		wantScheme string
		fails      bool
	}{
		"no region":                     {"", sg.Region{}, "ecs.aliyuncs.com", "HTTPS", false},
		"a region":                      {"", sg.Region{ID: "us-west-1"}, "ecs.us-west-1.aliyuncs.com", "HTTPS", false},
		"a region with an endpoint":     {"", sg.Region{ID: "r", Endpoint: "ecs-x.aliyuncs.com"}, "ecs-x.aliyuncs.com", "HTTPS", false},
		"an endpoint for all":           {"http://[::1]:80", sg.Region{ID: "r", Endpoint: "e.x"}, "[::1]:80", "HTTP", false},
		"an endpoint by name":           {"http://localhost:80/", sg.Region{ID: "r"}, "localhost:80", "HTTP", false},
		"an endpoint elsewhere":         {"https://ecs.example:444", sg.Region{}, "ecs.example:444", "HTTPS", false},
		"a region that is a host":       {"", sg.Region{ID: "x/../evil.example?"}, "", "HTTPS", true},
		"a region with dots":            {"", sg.Region{ID: "a.b"}, "", "HTTPS", true},
		"a region with a bad host":      {"", sg.Region{ID: "r", Endpoint: "evil.example/x"}, "", "HTTPS", true},
		"a region with a login":         {"", sg.Region{ID: "r", Endpoint: "a@evil.example"}, "", "HTTPS", true},
		"a bad region for any endpoint": {"http://127.0.0.1:80", sg.Region{ID: "r r"}, "", "HTTP", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, err := parseEndpoint(tt.endpoint)
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.of(tt.region)
			if got != tt.want || (err != nil) != tt.fails || e.scheme() != tt.wantScheme {
				t.Errorf("got %q, %v by %s", got, err, e.scheme())
			}
		})
	}
}

func TestProxiesServeTheCloudOnly(t *testing.T) {
	for address, want := range map[string]bool{
		"": true, "https://ecs.example": true, "https://127.0.0.1:1": false, "http://[::1]:1": false,
		"http://localhost:1": false,
	} {
		c := newTestClient(t, address)
		if got := c.pools.transport.Proxy != nil; got != want {
			t.Errorf("endpoint %q: proxies of the environment %v, want %v", address, got, want)
		}
	}
}

func TestCallsGoToTheHostOfTheirRegion(t *testing.T) {
	c := newTestClient(t, "")
	var hosts []string
	through(c, roundTripper(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Scheme+"://"+r.URL.Host+" "+r.Method)
		return nil, http.ErrServerClosed
	}))
	ask := func(q *request) { c.call(t.Context(), q, func(string) error { return nil }) }
	ask(&request{product: productSTS, version: versionSTS, action: actionIdentity})
	ask(&request{product: productECS, version: versionECS, action: actionRegions})
	ask(&request{product: productECS, version: versionECS, action: actionGroups, region: hangzhou})
	want := "https://sts.aliyuncs.com POST, https://ecs.aliyuncs.com POST, https://ecs.cn-hangzhou.aliyuncs.com POST"
	if got := strings.Join(hosts, ", "); got != want {
		t.Errorf("got %s, want %s: and nobody else, like a location service", got, want)
	}
}
