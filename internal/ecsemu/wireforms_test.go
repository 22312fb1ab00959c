package ecsemu_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// oddText has what clients encode in different ways.
const oddText = `a b+c (d)* ~/e=f&g%20h é'!`

// spellings of a name or value, as clients of many languages have them.
func plus(s string) string { return url.QueryEscape(s) }

func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func loose(s string) string {
	return strings.NewReplacer("%28", "(", "%29", ")", "%2A", "*", "%27", "'", "%21", "!").Replace(percent(s))
}

func lower(s string) string {
	return regexp.MustCompile("%..").ReplaceAllStringFunc(percent(s), strings.ToLower)
}

func tilde(s string) string { return strings.ReplaceAll(plus(s), "~", "%7E") }

// spelt writes parameters in an order of chance.
func spelt(values url.Values, spell func(string) string) string {
	pairs := make([]string, 0, len(values))
	for name := range values {
		pairs = append(pairs, spell(name)+"="+spell(values.Get(name)))
	}
	slices.Sort(pairs)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	return strings.Join(pairs, "&")
}

// http11 writes a request as it goes over the wire.
func http11(line, host, body string, headers ...string) string {
	head := line + " HTTP/1.1\r\nHost: " + host + "\r\n"
	for _, header := range headers {
		head += header + "\r\n"
	}
	return head + "\r\n" + body
}

func length(body string) string { return fmt.Sprintf("Content-Length: %d", len(body)) }

const formType = "Content-Type: application/x-www-form-urlencoded"

// part takes the parameters of a name's list out of others.
func part(values url.Values, names ...string) (those, others url.Values) {
	those, others = url.Values{}, url.Values{}
	for name := range values {
		if slices.Contains(names, name) {
			those.Set(name, values.Get(name))
		} else {
			others.Set(name, values.Get(name))
		}
	}
	return those, others
}

// exchange sends bytes and reads one answer.
func exchange(t *testing.T, conn net.Conn, raw string) answer {
	t.Helper()
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAnswer(response)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// dial connects, over TLS if it is to be.
func dial(t *testing.T, r *ecsemu.Running, secure bool) net.Conn {
	t.Helper()
	host := hostOf(r)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if !secure {
		return conn
	}
	transport, _ := r.Client.Transport.(*http.Transport)
	config := transport.TLSClientConfig.Clone()
	config.ServerName = "127.0.0.1"
	return tls.Client(conn, config)
}

func hostOf(r *ecsemu.Running) string { return strings.TrimPrefix(r.URL, "http://") }

// creation is a call that shows in a listing whether its parameters arrived.
func creation() url.Values {
	return params("RegionId", "cn-hangzhou", "VpcId", "vpc-1", "SecurityGroupName", "made", "Description", oddText)
}

// firstSigned is the creation, signed in the first scheme for a method, with changes; an empty change takes one away.
func firstSigned(method string, changes ...string) url.Values {
	values := common("CreateSecurityGroup", creation())
	values.Del("SignatureType")
	for i := 0; i < len(changes); i += 2 {
		if values.Set(changes[i], changes[i+1]); changes[i+1] == "" && changes[i] != "SignatureType" {
			values.Del(changes[i])
		}
	}
	return signed(method, ecsemu.DefaultKeySecret, values)
}

// checkCreated asserts by listing that the creation was carried out once, and takes it back.
func checkCreated(t *testing.T, r *ecsemu.Running, got answer) {
	t.Helper()
	if got.status != http.StatusOK {
		t.Errorf("got status %d: %s", got.status, got.raw)
	}
	region := params("RegionId", "cn-hangzhou")
	groups := must(t, r, "DescribeSecurityGroups", with(region, "SecurityGroupName", "made")).list("SecurityGroups", "SecurityGroup")
	if len(groups) != 1 || groups[0]["Description"] != oddText {
		t.Errorf("got groups %v, want one with the description %q", groups, oddText)
	}
	for _, group := range groups {
		id, _ := group["SecurityGroupId"].(string)
		must(t, r, "DeleteSecurityGroup", with(region, "SecurityGroupId", id))
	}
}

// TestFormsOfTheFirstSignature sends what clients were seen to send, byte by byte.
func TestFormsOfTheFirstSignature(t *testing.T) {
	r := startSmall(t)
	host := hostOf(r)
	inQuery := func(spell func(string) string, changes ...string) string {
		return http11("POST /?"+spelt(firstSigned("POST", changes...), spell), host, "", formType, "Content-Length: 0")
	}
	inBody := func(headers ...string) string {
		body := spelt(firstSigned("POST"), percent)
		return http11("POST /", host, body, append(headers, length(body))...)
	}
	split := func() string {
		business, system := part(firstSigned("POST", "Format", "json"), "RegionId", "VpcId", "SecurityGroupName", "Description")
		body := spelt(business, loose)
		return http11("POST /?"+spelt(system, plus), host, body, formType, length(body))
	}
	chunked := func() string {
		body := spelt(firstSigned("POST"), plus)
		return http11("POST /", host, fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body), formType, "Transfer-Encoding: chunked")
	}
	for _, test := range []struct{ name, raw, contentType string }{
		{"all in the query of a POST without a body", inQuery(plus), jsonType},
		{"spaces as %20", inQuery(percent), jsonType},
		{"brackets and stars as they are", inQuery(loose), jsonType},
		{"hexadecimal digits in small letters", inQuery(lower), jsonType},
		{"an escaped tilde", inQuery(tilde), jsonType},
		{"an empty SignatureType", inQuery(plus, "SignatureType", ""), jsonType},
		{"Format in small letters", inQuery(plus, "Format", "json"), jsonType},
		{"Format=XML", inQuery(plus, "Format", "XML"), xmlType},
		{"Format=xml", inQuery(plus, "Format", "xml"), xmlType},
		{"no Format", inQuery(plus, "Format", ""), xmlType},
		{"a POST without Content-Type", http11("POST /?"+spelt(firstSigned("POST"), percent), host, "", "Content-Length: 0"), jsonType},
		{"a POST without a length", http11("POST /?"+spelt(firstSigned("POST"), loose), host, "", formType), jsonType},
		{"an odd Content-Type of nothing", http11("POST /?"+spelt(firstSigned("POST"), plus), host, "", "Content-Type: a b/;;", "Content-Length: 0"), jsonType},
		{"all in the body", inBody(formType), jsonType},
		{"a form with a charset", inBody(formType + "; charset=UTF-8"), jsonType},
		{"a form with a broken charset", inBody(formType + "; charset"), jsonType},
		{"a form that does not say that it is one", inBody(), jsonType},
		{"a form in chunks", chunked(), jsonType},
		{"business parameters in the body, the others in the query", split(), jsonType},
		{"a GET", http11("GET /?"+spelt(firstSigned("GET"), plus), host, ""), jsonType},
		{"a GET of an absolute address", http11("GET http://"+host+"/?"+spelt(firstSigned("GET"), plus), host, ""), jsonType},
		{"a GET of an address without a path", http11("GET http://"+host+"?"+spelt(firstSigned("GET"), plus), host, ""), jsonType},
		{"no Format but accept: application/json", http11("GET /?"+spelt(firstSigned("GET", "Format", ""), plus), host, "", "accept: application/json"), jsonType},
		{"no Format but accept: */*", http11("GET /?"+spelt(firstSigned("GET", "Format", ""), plus), host, "", "Accept: */*"), xmlType},
		{"Format before Accept", http11("GET /?"+spelt(firstSigned("GET", "Format", "XML"), plus), host, "", "Accept: application/json"), xmlType},
		{
			"headers of the newer scheme that are not signed",
			http11("POST /?"+spelt(firstSigned("POST"), plus), host, "", "x-acs-action: Other", "x-acs-version: 1999-01-01", "x-acs-credentials-provider: static_ak"),
			jsonType,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, secure := range []bool{false, true} {
				got := exchange(t, dial(t, r, secure), test.raw)
				if secure {
					// It is the same request a second time, on the same port.
					if got.code() != "SignatureNonceUsed" || got.header.Get("Content-Type") != test.contentType {
						t.Errorf("got %d %q of type %q over TLS", got.status, got.code(), got.header.Get("Content-Type"))
					}
					continue
				}
				if got := got.header.Get("Content-Type"); got != test.contentType {
					t.Errorf("got Content-Type %q, want %q", got, test.contentType)
				}
				checkCreated(t, r, got)
			}
		})
	}
}

const (
	jsonType = "application/json;charset=utf-8"
	xmlType  = "text/xml;charset=utf-8"
)

// newer is a request of the creation in the newer scheme, to be signed.
type newer struct {
	line    string
	host    string
	body    string
	headers []string
	signer  acs.Signer
	// rewrite changes what was signed in a way that is not to matter.
	rewrite func(authorization string) string
}

// raw signs a request and writes it as it goes over the wire.
func (n newer) raw(t *testing.T) string {
	t.Helper()
	method, target, _ := strings.Cut(n.line, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+n.host+target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range append([]string{"x-acs-action: CreateSecurityGroup", "x-acs-version: 2014-05-26"}, n.headers...) {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	n.signer.ACS3(r, []byte(n.body))
	if n.rewrite != nil {
		r.Header.Set("Authorization", n.rewrite(r.Header.Get("Authorization")))
	}
	var headers []string
	for name := range r.Header {
		headers = append(headers, strings.ToLower(name)+": "+r.Header.Get(name))
	}
	if n.body != "" {
		headers = append(headers, length(n.body))
	}
	return http11(n.line, n.host, n.body, headers...)
}

// TestFormsOfTheNewerSignature sends what clients were seen to send, byte by byte.
func TestFormsOfTheNewerSignature(t *testing.T) {
	r := startPeople(t, []cloud.User{user("ann", policy(allow("sts:AssumeRole", "*")))}, []cloud.Role{{
		Name: "all", Trust: trust(`["acs:ram::` + homeAccount + `:root"]`), Policies: []string{policy(allow("*", "*"))},
	}})
	host, key := hostOf(r), ownerOf(r).signer
	session := as(r, "ann").session(as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "all")))).signer
	query := "POST /?" + spelt(creation(), plus)
	form := spelt(creation(), loose)
	for _, test := range []struct {
		name        string
		request     newer
		contentType string
	}{
		{"all in the query", newer{line: query, signer: key}, jsonType},
		{"no spaces but %20, brackets as they are", newer{line: "POST /?" + spelt(creation(), loose), signer: key}, jsonType},
		{"a GET", newer{line: "GET /?" + spelt(creation(), lower), signer: key}, jsonType},
		{"accept: application/json", newer{line: query, signer: key, headers: []string{"accept: application/json"}}, jsonType},
		{"accept: text/xml", newer{line: query, signer: key, headers: []string{"accept: text/xml"}}, xmlType},
		{"all in a form", newer{line: "POST /", body: form, signer: key, headers: []string{formType}}, jsonType},
		{"a signed content type of nothing", newer{line: query, signer: key, headers: []string{formType}}, jsonType},
		{"a nonce of 64 digits", newer{line: query, signer: key, headers: []string{"x-acs-signature-nonce: " + strings.Repeat("0123456789abcdef", 4)}}, jsonType},
		{"a credentials provider", newer{line: query, signer: key, headers: []string{"x-acs-credentials-provider: static_ak"}}, jsonType},
		{"a session", newer{line: query, signer: session, headers: []string{"x-acs-credentials-provider: sts"}}, jsonType},
		{"Action and Format in the query as well", newer{line: query + "&Action=CreateSecurityGroup&Version=2014-05-26&Format=JSON", signer: key}, jsonType},
		{"Format=XML in the query", newer{line: query + "&Format=XML", signer: key}, xmlType},
		{"parts of Authorization in another order, with spaces", newer{line: query, signer: key, rewrite: func(text string) string {
			parts := regexp.MustCompile(`^(\S+) (.*),(.*),(.*)$`).FindStringSubmatch(text)
			return parts[1] + " " + parts[2] + ", " + parts[4] + ", " + parts[3]
		}}, jsonType},
		{"an empty form that is sent in chunks", newer{line: query, signer: key, body: "", headers: []string{"Transfer-Encoding: chunked"}}, jsonType},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.request.host = host
			raw := test.request.raw(t)
			if strings.Contains(raw, "transfer-encoding: chunked") {
				raw += "0\r\n\r\n"
			}
			got := exchange(t, dial(t, r, false), raw)
			if got := got.header.Get("Content-Type"); got != test.contentType {
				t.Errorf("got Content-Type %q, want %q", got, test.contentType)
			}
			checkCreated(t, r, got)
			again := exchange(t, dial(t, r, true), raw)
			if again.code() != "SignatureNonceUsed" {
				t.Errorf("got %d %q for the same request over TLS: %s", again.status, again.code(), again.raw)
			}
		})
	}
}

// TestTheNewerSignatureCoversWhatCounts changes what was signed.
func TestTheNewerSignatureCoversWhatCounts(t *testing.T) {
	r := startSmall(t)
	base := newer{line: "POST /?" + spelt(creation(), plus), host: hostOf(r), signer: ownerOf(r).signer}
	for _, test := range []struct{ name, old, replaced, code string }{
		{"another action", "x-acs-action: CreateSecurityGroup", "x-acs-action: DescribeSecurityGroups", "SignatureDoesNotMatch"},
		{"another host", "Host: 127.0.0.1", "Host: localhost", "SignatureDoesNotMatch"},
		{"another parameter", "VpcId=vpc-1", "VpcId=vpc-2", "SignatureDoesNotMatch"},
		{"another key", "Credential=" + ecsemu.DefaultKeyID, "Credential=LTAInone", "InvalidAccessKeyId.NotFound"},
		{"another method", "POST", "GET", "SignatureDoesNotMatch"},
		{"a token that was not signed", "Host: ", "x-acs-security-token: CAIS\r\nHost: ", "IncompleteSignature"},
		{"another algorithm", "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "InvalidSignatureMethod"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := exchange(t, dial(t, r, false), strings.Replace(base.raw(t), test.old, test.replaced, 1))
			if got.status < 400 || got.code() != test.code {
				t.Errorf("got %d %q, want %q: %s", got.status, got.code(), test.code, got.raw)
			}
		})
	}
}
