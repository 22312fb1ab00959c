package ecsapi

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// roundTripper is a transport made of a func.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// through replaces the network of a client.
func through(c *Client, base http.RoundTripper) {
	create := c.pools.create
	c.pools.create = func() (*session, error) {
		s, err := create()
		if err == nil {
			s.exchange.base = base
		}
		return s, err
	}
}

// echo answers with what it was asked, headers and all.
func echo(status int, contentType, format string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Location", "http://"+r.Host+r.URL.String())
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, format, r.URL.String())
	}
}

// encoded answers with a body that is marked as encoded.
func encoded(encoding, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", encoding)
		says(http.StatusOK, body)(w, r)
	}
}

func TestAnAnswerThatIsEncodedAsItIsCanBeRead(t *testing.T) {
	server := newScript(t, encoded("identity", regionsBody))
	if _, err := newTestClient(t, server.URL).Regions(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNoFailureShowsACredential(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	stringToSign := `{"Code":"SignatureDoesNotMatch","RequestId":"R","Message":"Specified signature is not matched ` +
		`with our calculation. server string to sign is:POST&%%2F&AccessKeyId%%3D` + canaryKey +
		`%%26SecurityToken%%3Dcanary%%252Ftoken %s"}`
	handlers := map[string]struct {
		answer http.HandlerFunc
		want   string // part of the error
	}{
		"a wrong key":               {fails(404, "InvalidAccessKeyId.NotFound"), "check " + envKeyID},
		"a wrong secret":            {echo(400, json, stringToSign), "check " + envSecret},
		"a stale token":             {fails(400, "InvalidSecurityToken.Expired"), "set " + envSecurityToken},
		"a wrong clock":             {fails(400, "InvalidTimeStamp.Expired"), "set the clock of this machine"},
		"a missing grant":           {fails(403, "Forbidden.RAM"), "grant the ram action ecs:DescribeRegions, see deploy/ram/scan.json"},
		"an unknown region":         {fails(404, "InvalidRegionId.NotFound"), "check accounts[].regions"},
		"an unknown code":           {fails(418, "Teapot"), "Teapot"},
		"a key as the code":         {echo(400, json, `{"Code":"`+canaryKey+canarySecret+`","RequestId":"%s"}`), hidden},
		"a code that is no text":    {echo(400, json, `{"Code":{"%s":1},"Message":[1]}`), "could not be read"},
		"an error in plain text":    {echo(500, "text/plain", "no: %s"), "could not be read"},
		"a web page":                {echo(200, "text/html", "<html>%s</html>"), "web page"},
		"a web page with an error":  {echo(502, "text/html", "<html>%s</html>"), "captive portal"},
		"a redirect":                {echo(302, "text/html", "%s"), "redirected"},
		"an empty answer":           {says(200, ""), "empty answer"},
		"a web page, compressed":    {encoded("gzip", "\x1f\x8b\x08"), "captive portal"},
		"an answer without an id":   {says(200, `{"Regions":{"Region":[]}}`), hintAgain},
		"an error without an id":    {says(500, `{"Code":"InternalError","Message":"x"}`), "(http 500); " + hintAgain},
		"an error with an id":       {fails(500, "InternalError"), hintQuote},
		"an answer with an id":      {says(200, `{"RequestId":"R-1","Regions":{}}`), "request id R-1); " + hintQuote},
		"an answer of another call": {says(200, `{"AccountId":"1"}`), "no regions"},
		"an answer that ends early": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10000")
			_, _ = w.Write([]byte(r.URL.String()))
		}, "ended early"},
		"a lost connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "connection lost"},
		"an endless answer": {func(w http.ResponseWriter, _ *http.Request) {
			for range maxAnswer/1024 + 2 {
				_, _ = w.Write(make([]byte, 1024))
			}
		}, "8 MiB"},
	}
	for name, tt := range handlers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newScript(t, tt.answer)
			_, err := newTestClient(t, server.URL).Regions(t.Context())
			wantClean(t, err, tt.want)
		})
	}
	networks := map[string]struct {
		base roundTripper
		want string
	}{
		"a panic": {func(r *http.Request) (*http.Response, error) { panic(r.URL.String()) }, "broke down"},
		"an error that holds the request": {func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New(r.URL.String())}
		}, "did not get through"},
		"an unknown host": {func(r *http.Request) (*http.Response, error) {
			return nil, &net.DNSError{Err: r.URL.String(), Name: "nowhere.example"}
		}, "no address found for host nowhere.example"},
		"a dead proxy": {func(r *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "proxyconnect", Err: errors.New(r.URL.String())}
		}, "check HTTPS_PROXY"},
	}
	for name, tt := range networks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTestClient(t, "http://127.0.0.1:1")
			through(c, tt.base)
			_, err := c.Regions(t.Context())
			wantClean(t, err, tt.want)
		})
	}
}

// wantClean wants a transient or other error that says something and shows no credential, however it is printed.
func wantClean(t *testing.T, err error, want string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want it to say %q", err, want)
	}
	if strings.ContainsAny(err.Error(), "\n\r\x00") || e.Code == "" && strings.Contains(err.Error(), "://") {
		t.Errorf("got %q, want one line without a url", err)
	}
	encoded, jsonErr := json.Marshal(e)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	noCanary(t, "json", string(encoded))
	for unwrapped := err; unwrapped != nil; unwrapped = errors.Unwrap(unwrapped) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
			noCanary(t, "the error as "+verb, fmt.Sprintf(verb, unwrapped))
		}
	}
}

func TestConnectionRefusedSaysWhatToCheck(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := newTestClient(t, server.URL).Regions(t.Context())
	wantClean(t, err, "connection refused ("+server.Listener.Addr().String()+")")
	wantClean(t, err, "accounts[].endpoint")
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(says(http.StatusOK, regionsBody))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the handshakes that are to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	t.Run("a trusted endpoint serves", func(t *testing.T) {
		c := newTestClient(t, server.URL, func(o *Options) { o.CAs = trusted })
		if _, err := c.Regions(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("an endpoint that nobody vouches for is refused", func(t *testing.T) {
		_, err := newTestClient(t, server.URL).Regions(t.Context())
		wantClean(t, err, "certificate of the endpoint is not trusted")
	})
	t.Run("a certificate for another host is refused", func(t *testing.T) {
		address := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
		c := newTestClient(t, address, func(o *Options) { o.CAs = trusted })
		_, err := c.Regions(t.Context())
		wantClean(t, err, "for another host")
	})
	t.Run("an endpoint without tls is told apart", func(t *testing.T) {
		plain := newScript(t, says(http.StatusOK, regionsBody))
		_, err := newTestClient(t, strings.Replace(plain.URL, "http:", "https:", 1)).Regions(t.Context())
		wantClean(t, err, "does not speak tls")
	})
}

func TestErrorIsOneLineThatSaysAll(t *testing.T) {
	body := `{"RequestId":"473469C7","Code":"Forbidden.RAM","Message":"User not\r\n authorized\u0000 to \u001b[31moperate ` +
		strings.Repeat("安", 200) + `"}`
	server := newScript(t, says(403, body))
	_, err := newTestClient(t, server.URL).Groups(t.Context(), hangzhou, "")
	const want = "calling DescribeSecurityGroups in cn-hangzhou: Forbidden.RAM: User not authorized to [31moperate "
	const end = "… (http 403, request id 473469C7); grant the ram action ecs:DescribeSecurityGroups, " +
		"see deploy/ram/scan.json"
	got := err.Error()
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, end) || len(got) > maxMessage+200 {
		t.Errorf("got %q", got)
	}
	e, _ := errors.AsType[*Error](err)
	wantError := &Error{
		Action: "DescribeSecurityGroups", Region: "cn-hangzhou", Code: "Forbidden.RAM", RequestID: "473469C7",
		HTTPStatus: 403, Class: Denied, Message: e.Message, hint: e.Hint(),
	}
	if diff := cmp.Diff(wantError, e, cmp.AllowUnexported(Error{})); diff != "" || !errors.Is(err, sg.ErrDenied) {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRedactor(t *testing.T) {
	r := newRedactor(Credentials{KeyID: "KEY", Secret: "se/cret"})
	tests := map[string]struct{ text, want string }{
		"a harmless text":            {"The region is not found.", "The region is not found."},
		"a key":                      {"key KEY!", "key " + hidden + "!"},
		"a secret split by controls": {"se/\x00cr\x1bet", hidden},
		"a secret in a url":          {"x=se%2Fcret", "x=" + hidden},
		"a secret escaped twice":     {"x=se%252Fcret", "x=" + hidden},
		"a signature":                {"a&Signature=abc%3D&b", "a&Signature=" + hidden + "&b"},
		"two signatures":             {"signature=a Signature=b", "signature=" + hidden + " Signature=" + hidden},
		"a string to sign":           {"no. Server string to sign is:POST&x", "no. " + hidden},
		"letters of other lengths":   {"İ Signature=abc", "i signature=" + hidden},
		"bytes that are no UTF-8":    {"a\xffb", "ab"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := r.message(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := r.message(strings.Repeat("x", maxMessage-2) + "KEY"); strings.Contains(got, "KE") {
		t.Errorf("got %q, want a secret at the cut to be hidden before it is cut", got)
	}
}

func TestCancelledErrorsAreThoseOfTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newTestClient(t, "http://127.0.0.1:1").Regions(ctx)
	if !errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
