package acs

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFreshness(t *testing.T) {
	claim := &Claim{Time: testTime()}
	for _, test := range []struct {
		name string
		now  time.Time
		code string
	}{
		{"the very moment", testTime(), ""},
		{"fifteen minutes old", testTime().Add(15 * time.Minute), ""},
		{"a second older", testTime().Add(15*time.Minute + time.Second), codeExpired},
		{"fifteen minutes ahead", testTime().Add(-15 * time.Minute), ""},
		{"a second further ahead", testTime().Add(-15*time.Minute - time.Second), codeExpired},
		{"ages old", time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), codeExpired},
		{"ages ahead", time.Time{}, codeExpired},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantError(t, claim.Fresh(test.now), test.code, "")
		})
	}
}

func TestAnEmptySecretIsNeverRight(t *testing.T) {
	signer := testSigner()
	signer.Secret = ""
	_, err := check(&Request{Method: http.MethodGet, Query: signer.RPC(http.MethodGet, callValues())}, "")
	wantError(t, err, codeMismatch, "")
	_, err = check(acs3Request(t, signer, nil), "")
	wantError(t, err, codeMismatch, "")
}

func TestTheSecretIsNotTold(t *testing.T) {
	request := rpcRequest(http.MethodGet, nil)
	request.Query.Set("Description", "changed")
	_, err := check(request, testSecret)
	if err == nil || strings.Contains(err.Error(), testSecret) {
		t.Errorf("got error %v, want one without the secret", err)
	}
}

func TestWhatIsToldIsBounded(t *testing.T) {
	request := rpcRequest(http.MethodPost, nil)
	request.Form = url.Values{"Description": {strings.Repeat("é", 1<<18)}}
	_, err := check(request, testSecret)
	wantError(t, err, codeMismatch, "POST&%2F&")
	if got, limit := len(err.Error()), maxTold+200; got > limit {
		t.Errorf("got an error of %d bytes, want at most %d", got, limit)
	}

	long := strings.Repeat("a", 1<<18)
	for name, value := range map[string]string{
		"x-acs-" + long: "", "Authorization": "ACS3-HMAC-SHA256 " + long,
	} {
		signed := acs3Request(t, testSigner(), nil)
		signed.Header.Set(name, value)
		_, err = Read(signed)
		wantError(t, err, codeIncomplete, "aaa")
		if got, limit := len(err.Error()), 400; got > limit {
			t.Errorf("got an error of %d bytes, want at most %d", got, limit)
		}
	}
}

func TestNoncesAreForgottenInTheirOrder(t *testing.T) {
	n := NewNonces(3)
	for i := range 5 {
		if !n.Use("key", strconv.Itoa(i)) {
			t.Errorf("nonce %d was refused at its first use", i)
		}
	}
	var got []bool
	for _, nonce := range []string{"4", "3", "2", "1"} {
		got = append(got, n.Use("key", nonce))
	}
	if diff := cmp.Diff([]bool{false, false, false, true}, got); diff != "" {
		t.Errorf("use of nonces 4, 3, 2 again, and of 1, which is forgotten (-want +got):\n%s", diff)
	}
	if len(n.known) != 3 || len(n.ring) != 3 {
		t.Errorf("got %d and %d remembered nonces, want 3", len(n.known), len(n.ring))
	}
}

func TestNoncesAreOfOneKey(t *testing.T) {
	n := NewNonces(10)
	for _, use := range []struct {
		key, nonce string
		want       bool
	}{
		{"a", "bc", true},
		{"ab", "c", true},
		{"b", "bc", true},
		{"a", "bc", false},
	} {
		if got := n.Use(use.key, use.nonce); got != use.want {
			t.Errorf("use of nonce %s of key %s: got %t, want %t", use.nonce, use.key, got, use.want)
		}
	}
}

func TestAtLeastTheLastNonceIsRemembered(t *testing.T) {
	n := NewNonces(0)
	if got := []bool{n.Use("k", "1"), n.Use("k", "1"), n.Use("k", "2"), n.Use("k", "1")}; !cmp.Equal(got, []bool{true, false, true, true}) {
		t.Errorf("got %v for 1, 1, 2, 1; want all but the second true", got)
	}
}

func TestOnlyOneOfManyUsesANonce(t *testing.T) {
	n := NewNonces(100)
	won := make(chan bool)
	for range 16 {
		go func() { won <- n.Use("key", "nonce") }()
	}
	wins := 0
	for range 16 {
		if <-won {
			wins++
		}
	}
	if wins != 1 {
		t.Errorf("got %d uses of one nonce, want 1", wins)
	}
}
