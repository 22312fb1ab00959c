package ecsemu_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func TestPlainAndTLSOnOnePort(t *testing.T) {
	r := startSmall(t)
	if strings.TrimPrefix(r.URL, "http://") != strings.TrimPrefix(r.TLSURL, "https://") {
		t.Fatalf("got %s and %s, want one port", r.URL, r.TLSURL)
	}
	for _, base := range []string{r.URL, r.TLSURL} {
		query := signed(http.MethodGet, ecsemu.DefaultKeySecret, common("DescribeRegions", nil))
		response, err := r.Client.Get(base + "/?" + query.Encode()) //nolint:noctx // Short.
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAnswer(response)
		if err != nil || got.status != http.StatusOK {
			t.Errorf("%s: got status %d, error %v", base, got.status, err)
		}
	}
}

func TestTheCertificateIsForTheNamesOfTheCloud(t *testing.T) {
	r := startSmall(t)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(r.Server.CA()) {
		t.Fatal("the CA is no PEM certificate")
	}
	for name, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "localhost": true, "ecs.aliyuncs.com": true, "sts.aliyuncs.com": true,
		"ecs.cn-qingdao.aliyuncs.com": true, "sts-vpc.cn-hangzhou.aliyuncs.com": true, "example.com": false,
	} {
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}}
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(r.TLSURL, "https://"))
		if (err == nil) != want {
			t.Errorf("%s: got error %v, want success %t", name, err, want)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	conn, err := (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).
		DialContext(t.Context(), "tcp", strings.TrimPrefix(r.TLSURL, "https://"))
	if err == nil {
		_ = conn.Close()
		t.Error("a client that does not know the CA was satisfied")
	}
}

// recordingTB is a test that ends when its cleanups are run.
type recordingTB struct {
	*testing.T

	cleanups []func()
}

func (r *recordingTB) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func TestNothingIsLeftAfterATest(t *testing.T) {
	inner := &recordingTB{T: t}
	r := ecsemu.Start(inner, smallEstate(), atStoppedClock)
	must(t, r, "DescribeRegions", nil)
	// One connection that was never used, and one request that is held up, must not keep the server.
	address := strings.TrimPrefix(r.URL, "http://")
	unused, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer unused.Close() //nolint:errcheck // The server closed it.
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultLatency, Latency: time.Hour, Action: "DescribeRegions"})
	held := make(chan error, 1)
	go func() {
		_, err := tryPost(r, signed(http.MethodPost, ecsemu.DefaultKeySecret, common("DescribeRegions", nil)))
		held <- err
	}()
	for r.Server.Faults()[0].Hits == 0 {
		// The request is on its way.
		control(t, r, http.MethodGet, "/_emulator/faults", "")
	}
	for _, cleanup := range inner.cleanups {
		cleanup()
	}
	if err := <-held; err == nil {
		t.Error("the request that was held up got an answer")
	}
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
		t.Error("the port is still open")
	}
	waitForStacksWithout(t, "ecsemu.(*Server)", "ecsemu.(*sniffConn)")
}

// waitForStacksWithout waits until no goroutine is in the given functions. Those of a connection end by themselves
// once it is closed, and nobody waits for them.
func waitForStacksWithout(t *testing.T, functions ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		var stacks bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 2); err != nil {
			t.Fatal(err)
		}
		found := ""
		for _, name := range functions {
			if strings.Contains(stacks.String(), name) {
				found = name
			}
		}
		if found == "" {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("goroutines are left in %s:\n%s", found, stacks.String())
		}
	}
}

func TestServeReportsAnotherEnd(t *testing.T) {
	server, err := ecsemu.New(ecsemu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if err := server.Serve(t.Context(), listener); err == nil {
		t.Error("serving a closed listener ended well")
	}
}

func TestRequestsAreOnRecord(t *testing.T) {
	r := startSmall(t)
	must(t, r, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou", "SignatureNonce", "n1", "Extra", "a-ü b"))
	call(t, r, "DescribeSecurityGroups", params("RegionId", "mars", "SignatureNonce", "n2"))
	parameters := func(pairs ...string) map[string]string {
		all := map[string]string{
			"AccessKeyId": ecsemu.DefaultKeyID, "Action": "DescribeSecurityGroups", "Format": "JSON", "SignatureMethod": "HMAC-SHA1",
			"SignatureType": "", "SignatureVersion": "1.0", "Timestamp": "2026-03-01T12:00:30Z", "Version": "2014-05-26",
		}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = pairs[i+1]
		}
		return all
	}
	want := []ecsemu.Request{
		{
			Time: stoppedClock, Action: "DescribeSecurityGroups", AccessKeyID: ecsemu.DefaultKeyID, Status: 200,
			Scheme: "rpc", Format: "JSON", Source: "127.0.0.1",
			Parameters: parameters("RegionId", "cn-hangzhou", "SignatureNonce", "n1", "Extra", "a-ü b"),
		},
		{
			Index: 1, Time: stoppedClock, Action: "DescribeSecurityGroups", AccessKeyID: ecsemu.DefaultKeyID, Status: 404,
			Scheme: "rpc", Format: "JSON", Source: "127.0.0.1",
			Code: "InvalidRegionId.NotFound", Parameters: parameters("RegionId", "mars", "SignatureNonce", "n2"),
		},
	}
	if diff := cmp.Diff(want, r.Server.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	_, body := control(t, r, http.MethodGet, "/_emulator/requests", "")
	var shown []ecsemu.Request
	if err := json.Unmarshal([]byte(body), &shown); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("requests over HTTP (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(body, `[{"index":0,"time":"2026-03-01T12:00:30Z","action":"DescribeSecurityGroups","parameters":{"AccessKeyId":`) {
		t.Errorf("got %.120s", body)
	}
}
