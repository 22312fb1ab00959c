package acs

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// verifier is a server that answers with the code of what Read or Verify said, or with OK and the action.
func verifier(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		claim, err := check(&Request{
			Method: r.Method, Path: r.URL.Path, Host: r.Host, Query: r.URL.Query(), Form: form, Header: r.Header, Body: body,
		}, testSecret)
		answer := codeOf(err)
		if err == nil {
			answer = "OK " + claim.Action
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server
}

func send(t *testing.T, r *http.Request) string {
	t.Helper()
	answer, err := new(http.Client).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSignedRequestsVerifyOverHTTP(t *testing.T) {
	server := verifier(t)
	for _, test := range []struct {
		name, secret string
		build        func(t *testing.T, signer *Signer) *http.Request
		want         string
	}{
		{"RPC in the query", testSecret, func(t *testing.T, signer *Signer) *http.Request {
			t.Helper()
			query := signer.RPC(http.MethodGet, callValues()).Encode()
			return newRequest(t, http.MethodGet, server.URL+"/?"+query, "")
		}, "OK RevokeSecurityGroupEgress"},
		{"RPC in a form", testSecret, func(t *testing.T, signer *Signer) *http.Request {
			t.Helper()
			return newRequest(t, http.MethodPost, server.URL, signer.RPC(http.MethodPost, callValues()).Encode())
		}, "OK RevokeSecurityGroupEgress"},
		{"RPC with a wrong secret", "wrong", func(t *testing.T, signer *Signer) *http.Request {
			t.Helper()
			return newRequest(t, http.MethodPost, server.URL, signer.RPC(http.MethodPost, callValues()).Encode())
		}, codeMismatch},
		{"ACS3 with a form", testSecret, buildACS3(server.URL + "/?b=2&a=x+y"), "OK DescribeRegions"},
		{"ACS3 without a path", testSecret, buildACS3(server.URL), "OK DescribeRegions"},
		{"ACS3 with a wrong secret", "wrong", buildACS3(server.URL), codeMismatch},
	} {
		t.Run(test.name, func(t *testing.T) {
			signer := testSigner()
			signer.Secret = test.secret
			if got := send(t, test.build(t, signer)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func newRequest(t *testing.T, method, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func buildACS3(target string) func(*testing.T, *Signer) *http.Request {
	return func(t *testing.T, signer *Signer) *http.Request {
		t.Helper()
		r := newRequest(t, http.MethodPost, target, "SecurityGroupId=sg-1")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("x-acs-action", "DescribeRegions")
		r.Header.Set("x-acs-version", "2014-05-26")
		signer.ACS3(r, []byte("SecurityGroupId=sg-1"))
		return r
	}
}

func TestSignerLeavesWhatIsThere(t *testing.T) {
	values := url.Values{
		"AccessKeyId": {"another"}, "SignatureNonce": {"mine"}, "Timestamp": {"2000-01-01T00:00:00Z"},
		"SignatureMethod": {"m"}, "SignatureVersion": {"v"}, "SecurityToken": {"t"}, "Signature": {"s"},
	}
	before := values.Encode()
	signer := testSigner()
	signer.Token = "session"
	if diff := cmp.Diff(values, signer.RPC(http.MethodGet, values)); diff != "" {
		t.Errorf("signed parameters (-want +got):\n%s", diff)
	}
	if after := values.Encode(); after != before {
		t.Errorf("the caller's parameters are %s, want them as they were: %s", after, before)
	}
	if got := signer.RPC(http.MethodGet, nil).Get("SecurityToken"); got != "session" {
		t.Errorf("got token %q of a call without parameters, want %q", got, "session")
	}

	r := newRequest(t, http.MethodGet, "http://ecs.test", "")
	want := http.Header{}
	for _, name := range []string{headerDate, headerNonce, headerContentHash, headerToken, headerKeyID} {
		r.Header.Set(name, "mine")
		want.Set(name, "mine")
	}
	signer.ACS3(r, nil)
	r.Header.Del("Authorization")
	if diff := cmp.Diff(want, r.Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestSignerWithoutATokenSendsNone(t *testing.T) {
	if values := testSigner().RPC(http.MethodGet, nil); values.Has("SecurityToken") {
		t.Errorf("got parameters %v, want none SecurityToken", values)
	}
	request := acs3Request(t, testSigner(), nil)
	for _, name := range []string{"X-Acs-Security-Token", "X-Acs-Accesskey-Id"} {
		if _, sent := request.Header[name]; sent {
			t.Errorf("got a header %s, want none", name)
		}
	}
}

func TestSignerGivesTheTimeInUTC(t *testing.T) {
	signer := testSigner()
	signer.Clock = func() time.Time { return testTime().In(time.FixedZone("CST", 8*60*60)) }
	if got, want := signer.RPC(http.MethodGet, nil).Get("Timestamp"), "2026-11-23T12:00:00Z"; got != want {
		t.Errorf("got time %s, want %s", got, want)
	}
}

func TestSignerTakesTheHostOfTheURLIfThereIsNoOther(t *testing.T) {
	r := newRequest(t, http.MethodGet, "http://ecs.test/", "")
	r.Host = ""
	r.Header.Set("x-acs-action", "DescribeRegions")
	r.Header.Set("x-acs-version", "2014-05-26")
	testSigner().ACS3(r, nil)
	_, err := check(&Request{Method: r.Method, Path: "/", Host: "ecs.test", Header: r.Header}, testSecret)
	wantError(t, err, "", "")
}

func TestSignerWithoutAClockGivesNoTime(t *testing.T) {
	signer := &Signer{KeyID: "LTAItest", Secret: testSecret}
	_, err := Read(&Request{Method: http.MethodGet, Query: signer.RPC(http.MethodGet, callValues())})
	wantError(t, err, codeTimestampAbsent, "Timestamp")
	_, err = Read(acs3Request(t, signer, nil))
	wantError(t, err, codeTimestampAbsent, "x-acs-date")
}

func TestSignerGivesEveryCallANonceOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		nonce := testSigner().RPC(http.MethodGet, nil).Get("SignatureNonce")
		if seen[nonce] || len(nonce) != 32 {
			t.Fatalf("got nonce %q, want another one of 32 digits", nonce)
		}
		seen[nonce] = true
	}
}
