package ecsemu_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// stoppedClock is the time of every server in these tests, unless they set their own.
var stoppedClock = time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)

func atStoppedClock(o *ecsemu.Options) { o.Clock = func() time.Time { return stoppedClock } }

// params are the business parameters of a call, as name, value, name, value.
func params(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values
}

func with(base url.Values, pairs ...string) url.Values {
	values := url.Values{}
	maps.Copy(values, base)
	maps.Copy(values, params(pairs...))
	return values
}

var nonceCounter atomic.Int64

// common adds the common parameters of a call to it, where it has none.
func common(action string, business url.Values) url.Values {
	return with(params(
		"Action", action, "Version", versionOf(action), "Format", "JSON", "AccessKeyId", ecsemu.DefaultKeyID,
		"SignatureMethod", "HMAC-SHA1", "SignatureVersion", "1.0", "SignatureType", "",
		"SignatureNonce", strconv.FormatInt(nonceCounter.Add(1), 10), "Timestamp", "2026-03-01T12:00:30Z",
	), flatten(business)...)
}

// versionOf tells the products apart.
func versionOf(action string) string {
	if action == "GetCallerIdentity" || action == "AssumeRole" {
		return "2015-04-01"
	}
	return "2014-05-26"
}

func flatten(values url.Values) []string {
	var pairs []string
	for name := range values {
		pairs = append(pairs, name, values.Get(name))
	}
	return pairs
}

// signed adds the signature. It is written apart from the one of the server, after the documents.
func signed(method, secret string, values url.Values) url.Values {
	escape := func(s string) string {
		return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "*", "%2A")
	}
	canonical := strings.ReplaceAll(strings.ReplaceAll(values.Encode(), "+", "%20"), "*", "%2A")
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	_, _ = io.WriteString(mac, method+"&"+escape("/")+"&"+escape(canonical))
	return with(values, "Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// answer is what a call came back with.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) code() string {
	if _, xml, ok := strings.Cut(a.raw, "<Code>"); ok {
		code, _, _ := strings.Cut(xml, "</Code>")
		return code
	}
	code, _ := a.body["Code"].(string)
	return code
}

func (a answer) message() string {
	message, _ := a.body["Message"].(string)
	return message
}

func (a answer) text(name string) string {
	text, _ := a.body[name].(string)
	return text
}

// list gives the elements of Outer.Inner.
func (a answer) list(outer, inner string) []map[string]any {
	wrapper, _ := a.body[outer].(map[string]any)
	elements, _ := wrapper[inner].([]any)
	list := make([]map[string]any, 0, len(elements))
	for _, e := range elements {
		element, _ := e.(map[string]any)
		list = append(list, element)
	}
	return list
}

// fatal is what the helpers need of a test, so that they serve rapid as well.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

func call(t fatal, r *ecsemu.Running, action string, business url.Values) answer {
	t.Helper()
	return post(t, r, signed(http.MethodPost, ecsemu.DefaultKeySecret, common(action, business)))
}

// must is call for what has to succeed.
func must(t fatal, r *ecsemu.Running, action string, business url.Values) answer {
	t.Helper()
	got := call(t, r, action, business)
	if got.status != http.StatusOK {
		t.Fatalf("%s: got status %d: %s", action, got.status, got.raw)
	}
	return got
}

func post(t fatal, r *ecsemu.Running, query url.Values) answer {
	t.Helper()
	got, err := tryPost(r, query)
	if err != nil {
		t.Fatalf("posting: %v", err)
	}
	return got
}

func tryPost(r *ecsemu.Running, query url.Values) (answer, error) {
	response, err := r.Client.Post(r.URL+"/?"+query.Encode(), "application/x-www-form-urlencoded", nil) //nolint:noctx // Short.
	if err != nil {
		return answer{}, err
	}
	return readAnswer(response)
}

func readAnswer(response *http.Response) (answer, error) {
	defer response.Body.Close() //nolint:errcheck // Read only.
	raw, err := io.ReadAll(response.Body)
	got := answer{status: response.StatusCode, header: response.Header, raw: string(raw)}
	if err != nil {
		return got, err
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") && len(raw) > 0 {
		decoder := json.NewDecoder(strings.NewReader(got.raw))
		decoder.UseNumber()
		err = decoder.Decode(&got.body)
	}
	return got, err
}

// smallEstate has one group of each sort.
func smallEstate() *ecsemu.Estate {
	return &ecsemu.Estate{Regions: []ecsemu.Region{
		{
			ID: "cn-hangzhou",
			PrefixLists: []ecsemu.PrefixList{
				{ID: "pl-v4", Name: "four", MaxEntries: 400, Entries: []ecsemu.Entry{{CIDR: "203.0.113.0/24"}}},
				{ID: "pl-v6", Name: "six", Family: "IPv6", Entries: []ecsemu.Entry{{CIDR: "2001:db8::/32", Description: "d"}}},
			},
			Groups: []ecsemu.Group{
				{ID: "sg-web", Name: "web", VPC: "vpc-1", Tags: map[string]string{"env": "prod", "empty": ""}},
				{ID: "sg-db", Name: "db", VPC: "vpc-1", ResourceGroup: "rg-1"},
				{ID: "sg-far", Name: "far", VPC: "vpc-2", Tags: map[string]string{"env": "dev"}},
				{ID: "sg-ent", Name: "ent", VPC: "vpc-1", Type: ecsemu.TypeEnterprise},
				{ID: "sg-managed", Name: "managed", VPC: "vpc-1", Managed: true},
				{ID: "sg-classic", Name: "classic", Egress: []ecsemu.Rule{
					{ID: "sgr-out", Protocol: "tcp", Ports: "1/1", Peer: "1.1.1.1"},
					{ID: "sgr-in", Protocol: "tcp", Ports: "1/1", Peer: "1.1.1.1", NIC: "intranet"},
				}},
				{ID: "sg-classic2", Name: "classic2"},
				{ID: "sg-ports", Name: "ports", VPC: "vpc-1", Egress: []ecsemu.Rule{
					{ID: "sgr-ports", Protocol: "tcp", PortList: "prl-known", Peer: "10.0.0.0/8"},
				}},
			},
		},
		{ID: "cn-qingdao", Groups: []ecsemu.Group{{ID: "sg-qd", Name: "qd", VPC: "vpc-9"}}},
	}}
}

func startSmall(t *testing.T, opts ...func(*ecsemu.Options)) *ecsemu.Running {
	t.Helper()
	return ecsemu.Start(t, smallEstate(), append([]func(*ecsemu.Options){atStoppedClock}, opts...)...)
}

func rulesOf(t fatal, r *ecsemu.Running, group string) []map[string]any {
	t.Helper()
	got := must(t, r, "DescribeSecurityGroupAttribute", params("RegionId", "cn-hangzhou", "SecurityGroupId", group))
	return got.list("Permissions", "Permission")
}
