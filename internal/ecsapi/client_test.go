package ecsapi

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

func TestClientAsksWhatTheCloudExpects(t *testing.T) {
	tests := map[string]struct {
		call   func(c *Client) error
		answer string
		want   map[string]string
	}{
		"who am I": {
			func(c *Client) error { _, err := c.Identity(t.Context()); return err },
			`{"AccountId":"1"}`,
			map[string]string{"Action": "GetCallerIdentity", "Version": "2015-04-01", "RegionId": homeRegion},
		},
		"all regions": {
			func(c *Client) error { _, err := c.Regions(t.Context()); return err },
			regionsBody,
			map[string]string{"Action": "DescribeRegions", "Version": "2014-05-26", "RegionId": homeRegion},
		},
		"a page of groups": {
			func(c *Client) error { _, err := c.Groups(t.Context(), sg.Region{ID: "r1"}, "T1"); return err },
			`{"RegionId":"r1","SecurityGroups":{"SecurityGroup":[]}}`,
			map[string]string{
				"Action": "DescribeSecurityGroups", "Version": "2014-05-26", "RegionId": "r1", "MaxResults": "100",
				"NextToken": "T1",
			},
		},
		"one group": {
			func(c *Client) error { _, _, err := c.Group(t.Context(), sg.Region{ID: "r1"}, "sg-1"); return err },
			`{"RegionId":"r1","SecurityGroups":{"SecurityGroup":[]}}`,
			map[string]string{
				"Action": "DescribeSecurityGroups", "Version": "2014-05-26", "RegionId": "r1", "MaxResults": "100",
				"SecurityGroupId": "sg-1",
			},
		},
		"the first page of rules": {
			func(c *Client) error { _, err := c.Rules(t.Context(), sg.Region{ID: "r1"}, "sg-1", "", ""); return err },
			`{"SecurityGroupId":"sg-1","Permissions":{"Permission":[]}}`,
			map[string]string{
				"Action": "DescribeSecurityGroupAttribute", "Version": "2014-05-26", "RegionId": "r1", "MaxResults": "1000",
				"SecurityGroupId": "sg-1", "Direction": "egress",
			},
		},
		"a later page of rules of one network": {
			func(c *Client) error {
				_, err := c.Rules(t.Context(), sg.Region{ID: "r1"}, "sg-1", sg.NICInternet, "T2")
				return err
			},
			`{"SecurityGroupId":"sg-1","Permissions":{"Permission":[]}}`,
			map[string]string{
				"Action": "DescribeSecurityGroupAttribute", "Version": "2014-05-26", "RegionId": "r1", "MaxResults": "1000",
				"SecurityGroupId": "sg-1", "Direction": "egress", "NicType": "internet", "NextToken": "T2",
			},
		},
		"a prefix list": {
			func(c *Client) error { _, err := c.PrefixList(t.Context(), sg.Region{ID: "r1"}, "pl-1"); return err },
			`{"PrefixListId":"pl-1","Entries":{"Entry":[]}}`,
			map[string]string{
				"Action": "DescribePrefixListAttributes", "Version": "2014-05-26", "RegionId": "r1", "PrefixListId": "pl-1",
			},
		},
		"a port list": {
			func(c *Client) error { _, err := c.PortList(t.Context(), sg.Region{ID: "r1"}, "prl-1"); return err },
			`{"Entries":[]}`,
			map[string]string{
				"Action": "DescribePortRangeListEntries", "Version": "2014-05-26", "RegionId": "r1", "PortRangeListId": "prl-1",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := newScript(t, says(http.StatusOK, tt.answer))
			if err := tt.call(newTestClient(t, server.URL)); err != nil {
				t.Fatal(err)
			}
			asked := server.requests()
			if len(asked) != 1 {
				t.Fatalf("asked %d times, want once", len(asked))
			}
			want := map[string]string{
				"AccessKeyId": canaryKey, "SecurityToken": canaryToken, "Format": "JSON", "SignatureMethod": "HMAC-SHA1",
				"SignatureVersion": "1.0", "SignatureType": "",
			}
			maps.Copy(want, tt.want)
			for _, key := range []string{"Signature", "SignatureNonce", "Timestamp"} {
				if asked[0][key] == "" {
					t.Errorf("no %s", key)
				}
				delete(asked[0], key)
			}
			if diff := cmp.Diff(want, asked[0]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReadsThatFailInPassingAreRepeated(t *testing.T) {
	r := &recorder{}
	server := newScript(t, fails(503, "ServiceUnavailable"), says(200, `{"Regions":`), says(200, regionsBody))
	c := newTestClient(t, server.URL, func(o *Options) { o.Observer = r })
	got, err := c.Regions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []sg.Region{{ID: "cn-hangzhou", Endpoint: "ecs.cn-hangzhou.aliyuncs.com"}, {ID: "us-west-1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	asked := server.requests()
	if len(asked) != 3 || asked[0]["SignatureNonce"] == asked[1]["SignatureNonce"] {
		t.Errorf("asked %d times, want 3 with a new nonce each", len(asked))
	}
	calls := []string{"DescribeRegions transient", "DescribeRegions transient", "DescribeRegions ok"}
	if diff := cmp.Diff(calls, r.calls); diff != "" || len(r.waits) != 3 {
		t.Errorf("observer was told of %d waits, -want +got:\n%s", len(r.waits), diff)
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer http.HandlerFunc
		want   int
		class  Class
	}{
		"three of what fails in passing": {fails(500, "InternalError"), 3, Transient},
		"three of what nobody knows":     {fails(418, "Teapot"), 3, Transient},
		"three of a nonce used before":   {fails(400, "SignatureNonceUsed"), 3, Transient},
		"one of what is denied":          {fails(403, "Forbidden.RAM"), 1, Denied},
		"one of a wrong key":             {fails(404, "InvalidAccessKeyId.NotFound"), 1, Denied},
		"one of what is wrong":           {fails(400, "MissingParameter.RegionId"), 1, Invalid},
		"one of what is gone":            {fails(404, "InvalidSecurityGroupId.NotFound"), 1, GroupGone},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newScript(t, tt.answer)
			_, err := newTestClient(t, server.URL).Rules(t.Context(), hangzhou, "sg-1", "", "")
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Class != tt.class {
				t.Errorf("got %v, want class %s", err, tt.class)
			}
			if got := len(server.requests()); got != tt.want {
				t.Errorf("asked %d times, want %d", got, tt.want)
			}
		})
	}
}

func TestThrottledReadsWaitAsAskedAndGoOn(t *testing.T) {
	t.Parallel()
	throttle := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ratelimit-User-Api", "Limit:1,Remain:0,TimeLeft:30,Reset:1234")
		fails(400, "Throttling.User")(w, r)
	}
	t.Run("until a call passes", func(t *testing.T) {
		t.Parallel()
		server := newScript(t, throttle, says(200, regionsBody))
		begin := time.Now()
		if _, err := newTestClient(t, server.URL).Regions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(begin); waited < 30*time.Millisecond {
			t.Errorf("waited %v, want at least the 30ms that the cloud asked for", waited)
		}
	})
	t.Run("until the bucket is given up", func(t *testing.T) {
		t.Parallel()
		server, r := newScript(t, throttle), &recorder{}
		c := newTestClient(t, server.URL, func(o *Options) { o.Observer = r })
		for range 2 {
			_, err := c.Regions(t.Context())
			if !errors.Is(err, sg.ErrThrottled) || !strings.Contains(err.Error(), "quotas") {
				t.Errorf("got %v, want it to be throttled and to say what to do", err)
			}
		}
		if got := len(server.requests()); got != maxStrikes {
			t.Errorf("asked %d times, want %d and then no more", got, maxStrikes)
		}
		if got, want := len(r.waits), maxStrikes+2; got != want {
			t.Errorf("came to the bucket %d times, want %d: once after it was given up, and once by the other call", got, want)
		}
	})
}

func TestAskedWait(t *testing.T) {
	tests := map[string]struct {
		api, user string
		want      time.Duration
	}{
		"nothing":                  {"", "", 0},
		"one header":               {"Limit:1,Remain:0,TimeLeft:2000,Reset:1234", "", 2 * time.Second},
		"the longer of two":        {"TimeLeft:2000", "Limit:1, TimeLeft: 3000", 3 * time.Second},
		"what is no number":        {"TimeLeft:soon", "TimeLeft", 0},
		"what is negative":         {"TimeLeft:-5", "", 0},
		"what is absurdly long":    {"TimeLeft:9223372036854775807", "", maxHold},
		"what is not about a time": {"Limit:9000", "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"X-Ratelimit-User-Api": {tt.api}, "X-Ratelimit-User": {tt.user}}
			if got := askedWait(header); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// blocking is a server that says when it was asked and answers only when the test is over.
func blocking(t *testing.T, before string) (url string, asked <-chan struct{}) {
	t.Helper()
	started, release := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if before != "" {
			_, _ = w.Write([]byte(before))
			_ = http.NewResponseController(w).Flush()
		}
		started <- struct{}{}
		<-release
	}))
	t.Cleanup(func() { close(release); server.Close() })
	return server.URL, started
}

func TestCallsEndWithin50MillisecondsOfTheirContext(t *testing.T) {
	tests := map[string]string{
		"while waiting for an answer":     "",
		"while reading a part of it only": `{"Regions":{"Region":[`,
	}
	for name, before := range tests {
		t.Run(name, func(t *testing.T) {
			url, asked := blocking(t, before)
			c := newTestClient(t, url)
			fastest := time.Hour // of three, as other tests share the machine
			for range 3 {
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() {
					_, err := c.Regions(ctx)
					done <- err
				}()
				<-asked
				begin := time.Now()
				cancel()
				var err error
				select {
				case err = <-done:
				case <-time.After(10 * time.Second):
					t.Fatal("the call did not end")
				}
				fastest = min(fastest, time.Since(begin))
				e, ok := errors.AsType[*Error](err)
				if !errors.Is(err, context.Canceled) || !ok || e.Class != Cancelled {
					t.Fatalf("got %v, want a cancelled call", err)
				}
			}
			if fastest > 50*time.Millisecond {
				t.Errorf("took %v to end", fastest)
			}
		})
	}
}

func TestCallsThatWaitForAClientEndWithTheirContext(t *testing.T) {
	url, asked := blocking(t, "")
	r := &recorder{}
	c := newTestClient(t, url, func(o *Options) { o.Clients, o.Observer = 1, r })
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = c.Regions(ctx) })
	<-asked // the one client is lent
	waiting, stop := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := c.Regions(waiting)
		failed <- err
	}()
	stop()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	cancel()
	wg.Wait()
	if diff := cmp.Diff([]string{"DescribeRegions cancelled"}, r.calls); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAnAttemptThatTakesTooLongIsTransient(t *testing.T) {
	url, _ := blocking(t, "")
	_, err := newTestClient(t, url, func(o *Options) { o.Timeout = 20 * time.Millisecond }).Regions(t.Context())
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != Transient || !strings.Contains(e.Message, "no answer in time") {
		t.Errorf("got %v, want a transient error", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("the caller's deadline has not passed, yet the error says so")
	}
}
