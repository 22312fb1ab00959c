package acs

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const testSecret = "topsecret"

func testTime() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func testSigner() *Signer {
	return &Signer{KeyID: "LTAItest", Secret: testSecret, Clock: testTime}
}

// callValues are the parameters of a call before it is signed.
func callValues() url.Values {
	return url.Values{
		"Action": {"RevokeSecurityGroupEgress"}, "Version": {"2014-05-26"}, "RegionId": {"cn-hangzhou"},
		"Description": {"a b+c*(~)/é"}, "SecurityGroupId": {"sg-1"},
	}
}

// rpcRequest is a signed one, all in the query, after apply changed what is signed.
func rpcRequest(method string, apply func(url.Values)) *Request {
	values := callValues()
	if apply != nil {
		apply(values)
	}
	return &Request{
		Method: method, Path: "/", Host: "ecs.test", Header: http.Header{}, Query: testSigner().RPC(method, values),
	}
}

// acs3Request is a signed one with a form, after apply changed what is signed.
func acs3Request(t *testing.T, signer *Signer, apply func(*http.Request)) *Request {
	t.Helper()
	body := "SecurityGroupId=sg-1"
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://127.0.0.1:8080/?RegionId=cn-hangzhou&Description=a+b%2Bc*(~)%2F%C3%A9&Empty=", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "test")
	r.Header.Set("x-acs-action", "RevokeSecurityGroupEgress")
	r.Header.Set("x-acs-version", "2014-05-26")
	if apply != nil {
		apply(r)
	}
	signer.ACS3(r, []byte(body))
	return &Request{
		Method: r.Method, Path: r.URL.Path, Host: r.Host, Query: r.URL.Query(),
		Form: url.Values{"SecurityGroupId": {"sg-1"}}, Header: r.Header, Body: []byte(body),
	}
}

// check reads and verifies.
func check(r *Request, secret string) (*Claim, error) {
	claim, err := Read(r)
	if err != nil {
		return nil, err
	}
	return claim, claim.Verify(secret)
}

// codeOf gives the code of an error, "" for none, and its text for one that is no *Error.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused.Code
	}
	return "no *Error: " + err.Error()
}

// wantError compares an error's code, and that its message contains a text.
func wantError(t *testing.T, err error, code, contains string) {
	t.Helper()
	if got := codeOf(err); got != code {
		t.Fatalf("got error %q (%v), want %q", got, err, code)
	}
	if err != nil && !strings.Contains(err.Error(), contains) {
		t.Errorf("got message %q, want one with %q", err, contains)
	}
}
