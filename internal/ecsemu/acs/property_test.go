package acs

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// write puts parameters into a query as some client might: in any order, each character raw where a query allows it,
// or escaped, in digits of either case, and a space as a plus.
func write(t *rapid.T, values url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			pairs = append(pairs, writeText(t, name)+"="+writeText(t, value))
		}
	}
	return strings.Join(rapid.Permutation(pairs).Draw(t, "order"), "&")
}

func writeText(t *rapid.T, text string) string {
	var written strings.Builder
	for _, c := range []byte(text) {
		raw := isUnreserved(c) || strings.IndexByte("*()!'$,:@/?", c) >= 0
		switch way := rapid.IntRange(0, 2).Draw(t, "way"); {
		case way == 0 && raw:
			written.WriteByte(c)
		case way == 0 && c == ' ':
			written.WriteByte('+')
		case way == 1:
			fmt.Fprintf(&written, "%%%02x", c)
		default:
			fmt.Fprintf(&written, "%%%02X", c)
		}
	}
	return written.String()
}

func parse(t *rapid.T, query string) url.Values {
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatalf("query %q: %v", query, err)
	}
	return values
}

// drawCall gives the parameters of some call.
func drawCall(t *rapid.T) url.Values {
	values := url.Values{}
	for name, value := range rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "parameters") {
		values.Set("P."+name, value)
	}
	return values
}

func drawSigner(t *rapid.T) *Signer {
	return &Signer{
		KeyID: rapid.StringMatching(`[A-Za-z0-9.]{1,30}`).Draw(t, "key"), Secret: drawSecret(t, "secret"),
		Token: rapid.StringMatching(`[!-~]{0,40}`).Draw(t, "token"), Clock: testTime,
	}
}

// drawSecret gives visible characters, as secrets are: to an HMAC, a key with zeros at its end is the key without.
func drawSecret(t *rapid.T, label string) string {
	return rapid.StringMatching(`[!-~]{1,30}`).Draw(t, label)
}

func drawMethod(t *rapid.T) string {
	return rapid.SampledFrom([]string{http.MethodGet, http.MethodPost}).Draw(t, "method")
}

// drawRPC gives a signed request with its parameters here and there and written in some way.
func drawRPC(t *rapid.T, signer *Signer) *Request {
	values, method := drawCall(t), drawMethod(t)
	values.Set("Action", "DescribeRegions")
	values.Set("Version", "2014-05-26")
	query, form := url.Values{}, url.Values{}
	signed := signer.RPC(method, values)
	for _, name := range slices.Sorted(maps.Keys(signed)) {
		switch rapid.IntRange(0, 2).Draw(t, "place") {
		case 0:
			query[name] = signed[name]
		case 1:
			form[name] = signed[name]
		default:
			form[name] = signed[name]
			query.Set(name, rapid.String().Draw(t, "shadowed"))
		}
	}
	return &Request{Method: method, Path: "/", Query: parse(t, write(t, query)), Form: parse(t, write(t, form))}
}

// drawACS3 gives a signed request whose query is written in some way after it was signed.
func drawACS3(t *rapid.T, signer *Signer) *Request {
	body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
	r := httptest.NewRequest(drawMethod(t), "http://ecs.test:8080/", nil) //nolint:noctx // It is only signed.
	r.URL.Path = "/" + rapid.String().Draw(t, "path")
	r.URL.RawQuery = drawCall(t).Encode()
	r.Header.Set("x-acs-action", "DescribeRegions")
	r.Header.Set("x-acs-version", "2014-05-26")
	for _, value := range rapid.SliceOfN(rapid.StringMatching(`[ -~]*`), 0, 3).Draw(t, "values") {
		r.Header.Add("x-acs-more", value)
	}
	if rapid.Bool().Draw(t, "typed") {
		r.Header.Set("Content-Type", rapid.StringMatching(`[!-~]{1,30}`).Draw(t, "content type"))
	}
	signer.ACS3(r, body)
	return &Request{
		Method: r.Method, Path: r.URL.Path, Host: r.Host, Query: parse(t, write(t, r.URL.Query())), Header: r.Header,
		Body: body,
	}
}

func drawRequest(t *rapid.T, signer *Signer) *Request {
	if rapid.Bool().Draw(t, "rpc") {
		return drawRPC(t, signer)
	}
	return drawACS3(t, signer)
}

func TestWhatIsSignedVerifiesHoweverItIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		signer := drawSigner(t)
		claim, err := check(drawRequest(t, signer), signer.Secret)
		if err != nil {
			t.Fatal(err)
		}
		if claim.KeyID != signer.KeyID || claim.Token != signer.Token || !claim.Time.Equal(testTime()) {
			t.Fatalf("got claim %+v of signer %+v", claim, signer)
		}
	})
}

func TestAnotherSecretIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		signer := drawSigner(t)
		another := signer.Secret + drawSecret(t, "more")
		if _, err := check(drawRequest(t, signer), another); codeOf(err) != codeMismatch {
			t.Fatalf("got error %v, want %s", err, codeMismatch)
		}
	})
}

// changed gives a text with one byte of it replaced by another visible one.
func changed(t *rapid.T, text string) string {
	at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
	by := rapid.ByteRange('!', '~').Filter(func(c byte) bool { return c != text[at] }).Draw(t, "by")
	return text[:at] + string(by) + text[at+1:]
}

// change changes one byte of something that is signed, in place, and says what it was.
func change(t *rapid.T, r *Request) string {
	parts := map[string]func(){
		"the method": func() { r.Method = changed(t, r.Method) },
	}
	for place, values := range map[string]url.Values{"query": r.Query, "form": r.Form} {
		for name, all := range values {
			if place == "query" && r.Form.Has(name) {
				continue // It does not count.
			}
			if all[0] != "" {
				parts["the value of "+name] = func() { values[name] = []string{changed(t, all[0])} }
			}
			parts["the name "+name] = func() {
				delete(values, name)
				values[changed(t, name)] = all
			}
		}
	}
	if SchemeOf(r.Header) == ACS3 {
		addParts(t, r, parts)
	}
	what := rapid.SampledFrom(slices.Sorted(maps.Keys(parts))).Draw(t, "what")
	parts[what]()
	return what
}

// addParts adds what only ACS3 signs.
func addParts(t *rapid.T, r *Request, parts map[string]func()) {
	parts["the path"] = func() { r.Path = changed(t, r.Path) }
	parts["the host"] = func() { r.Host = changed(t, r.Host) }
	if len(r.Body) > 0 {
		parts["the body"] = func() { r.Body = []byte(changed(t, string(r.Body))) }
	}
	for name, values := range r.Header {
		if name == "Authorization" {
			// The Credential before it is not signed, but tells whose secret is asked for.
			at := strings.Index(values[0], "SignedHeaders=")
			parts["the authorization"] = func() { values[0] = values[0][:at] + changed(t, values[0][at:]) }
			continue
		}
		for i := range values {
			if text := strings.TrimSpace(values[i]); text != "" {
				parts[fmt.Sprintf("the header %s %d", name, i)] = func() { values[i] = changed(t, text) }
			}
		}
	}
}

func TestAnyChangedByteIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		signer := drawSigner(t)
		request := drawRequest(t, signer)
		what := change(t, request)
		if _, err := check(request, signer.Secret); err == nil {
			t.Fatalf("a request is taken with %s changed: %+v", what, request)
		}
	})
}
