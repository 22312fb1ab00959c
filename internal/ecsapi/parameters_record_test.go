package ecsapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// standIn stands for the cloud under all of its own names. It gives every call an answer that satisfies it, and keeps the
// requests as they came.
type standIn struct {
	*httptest.Server
	mu       sync.Mutex
	requests []sent
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	w := &standIn{}
	w.Server = httptest.NewTLSServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *standIn) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s := sent{
		method: r.Method, scheme: "HTTP", host: r.Host, path: r.URL.Path, query: r.URL.RawQuery,
		header: r.Header.Clone(), body: string(body),
	}
	if err != nil {
		s.body = "unreadable: " + err.Error()
	}
	if r.TLS != nil {
		s.scheme = "HTTPS"
	}
	w.mu.Lock()
	w.requests = append(w.requests, s)
	w.mu.Unlock()
	says(http.StatusOK, satisfying(r.URL.Query()))(out, r)
}

// taken gives the requests since it was called last.
func (w *standIn) taken() []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	requests := w.requests
	w.requests = nil
	return requests
}

// client makes a client that believes to talk to the cloud: it has no endpoint of ours, so that the schemes and the
// hosts are those that the product uses.
func (w *standIn) client(t *testing.T, token Secret) *Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(w.Certificate())
	c, err := New(Options{
		CAs: roots, Quotas: fastQuotas(), Now: time.Now, Clients: 2,
		Credentials: Credentials{KeyID: canaryKey, Secret: canarySecret, SecurityToken: token},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	transport := c.pools.transport
	transport.Proxy = nil
	transport.TLSClientConfig.ServerName = "example.com" // which the server's certificate is for
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, w.Listener.Addr().String())
	}
	return c
}

// satisfying is an answer that a call takes for a good one.
func satisfying(q url.Values) string {
	switch q.Get("Action") {
	case actionIdentity:
		return `{"RequestId":"R","AccountId":"1234567890123456","Arn":"acs:ram::1234567890123456:user/x"}`
	case actionRegions:
		return regionsBody
	case actionGroups:
		return fmt.Sprintf(`{"RequestId":"R","RegionId":%q,"SecurityGroups":{"SecurityGroup":[]}}`, q.Get("RegionId"))
	case actionRules:
		return fmt.Sprintf(`{"RequestId":"R","SecurityGroupId":%q,"Permissions":{"Permission":[]}}`,
			q.Get("SecurityGroupId"))
	case actionInterfaces:
		return `{"RequestId":"R","NetworkInterfaceSets":{"NetworkInterfaceSet":[]}}`
	case actionPrefixList:
		return fmt.Sprintf(`{"RequestId":"R","PrefixListId":%q,"Entries":{"Entry":[]}}`, q.Get("PrefixListId"))
	case actionPortList:
		return `{"RequestId":"R","Entries":[]}`
	default:
		return `{"RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"}`
	}
}

// signing is what the signatures of some requests must be besides well formed.
type signing struct {
	secret string
	seen   map[string]bool // nonces
}

// check looks at the parts of a request that the tables cannot judge: that the signature is right for what was sent, the
// nonce never used before, and the time now.
func (s *signing) check(r *sent, now time.Time) (problems []string) {
	query, err := url.ParseQuery(r.query)
	if err != nil {
		return []string{err.Error()}
	}
	action := query.Get("Action") + ": "
	if got, want := query.Get("Signature"), s.of(r.method, query); got != want {
		problems = append(problems, action+"Signature: "+got+", want "+want)
	}
	nonce := query.Get("SignatureNonce")
	if s.seen[nonce] {
		problems = append(problems, action+"SignatureNonce: used before")
	}
	s.seen[nonce] = true
	at, err := time.Parse(time.RFC3339, query.Get("Timestamp"))
	if err != nil || at.Sub(now).Abs() > time.Minute {
		problems = append(problems, action+"Timestamp: "+query.Get("Timestamp")+" is not the time")
	}
	return problems
}

// of signs parameters by signature version 1 of the RPC style.
func (s *signing) of(method string, query url.Values) string {
	var pairs []string
	for name := range query {
		if name != "Signature" {
			pairs = append(pairs, name)
		}
	}
	slices.Sort(pairs)
	for i, name := range pairs {
		pairs[i] = percent(name) + "=" + percent(query.Get(name))
	}
	mac := hmac.New(sha1.New, []byte(s.secret+"&"))
	_, _ = io.WriteString(mac, method+"&%2F&"+percent(strings.Join(pairs, "&")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percent encodes all but the unreserved characters of RFC 3986.
func percent(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func TestTheCheckOfSignaturesCanFail(t *testing.T) {
	// The vendor's own example.
	query := url.Values{
		"AccessKeyId": {"testid"}, "Action": {"DescribeRegions"}, "Format": {"XML"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {"3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"}, "SignatureVersion": {"1.0"},
		"Timestamp": {"2016-02-23T12:46:24Z"}, "Version": {"2014-05-26"}, "Signature": {"OLeaidS1JvxuMvnyHOwuJ+uX5qY="},
	}
	then := time.Date(2016, 2, 23, 12, 46, 30, 0, time.UTC)
	r := sent{method: http.MethodGet, query: query.Encode()}
	s := signing{secret: "testsecret", seen: map[string]bool{}}
	if problems := s.check(&r, then); len(problems) > 0 {
		t.Errorf("got %q, want nothing to say against the vendor's example", problems)
	}
	got := strings.Join(s.check(&r, then.Add(time.Hour)), "\n")
	for _, want := range []string{"SignatureNonce: used before", "Timestamp: 2016-02-23T12:46:24Z is not the time"} {
		if !strings.Contains(got, "DescribeRegions: "+want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	s = signing{secret: "testsecret2", seen: map[string]bool{}}
	if got := s.check(&r, then); len(got) != 1 || !strings.HasPrefix(got[0], "DescribeRegions: Signature: OLea") {
		t.Errorf("got %q, want the signature refused", got)
	}
}
