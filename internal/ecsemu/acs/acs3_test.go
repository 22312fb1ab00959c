package acs

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// documentedACS3 is the example of the cloud's document on signatures, version 3.
func documentedACS3() *Request {
	header := http.Header{}
	for name, value := range map[string]string{
		"x-acs-action": "RunInstances", "x-acs-version": "2014-05-26", "x-acs-date": "2023-10-26T10:22:32Z",
		"x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d", "x-acs-content-sha256": emptyHash,
		"Authorization": "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;" +
			"x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
			"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
	} {
		header.Set(name, value)
	}
	return &Request{
		Method: http.MethodPost, Path: "/", Host: "ecs.cn-shanghai.aliyuncs.com", Header: header,
		Query: url.Values{
			"RegionId": {"cn-shanghai"}, "ImageId": {"win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"},
		},
	}
}

func TestACS3DocumentedExample(t *testing.T) {
	claim, err := check(documentedACS3(), "YourAccessKeySecret")
	if err != nil {
		t.Fatal(err)
	}
	want := Claim{
		Scheme: ACS3, Action: "RunInstances", Version: "2014-05-26", KeyID: "YourAccessKeyId",
		Nonce: "3156853299f313e23d1673dc12e1703d", Time: claim.Time,
	}
	if diff := cmp.Diff(want, *claim, cmpopts.IgnoreUnexported(Claim{})); diff != "" {
		t.Errorf("claim (-want +got):\n%s", diff)
	}
	if got, want := claim.Time.Format(timestampLayout), "2023-10-26T10:22:32Z"; got != want {
		t.Errorf("got time %s, want %s", got, want)
	}
	wantError(t, claim.Verify("wrong"), codeMismatch,
		"Specified signature is not matched with our calculation. server string to sign is:ACS3-HMAC-SHA256\n"+
			"7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259")
}

// TestACS3WithoutTheHost is a request of the vendor's older SDK for Java (core 4.7.10): it does not sign the host, has its
// signature in the middle of Authorization, and Action and Version in the query as well.
func TestACS3WithoutTheHost(t *testing.T) {
	header := http.Header{}
	for name, value := range map[string]string{
		"x-acs-action": "GetCallerIdentity", "x-acs-version": "2015-04-01", "x-acs-date": "2026-11-23T20:21:04Z",
		"x-acs-signature-nonce": "5b66e7861ab0cf31066d7a00c3ef44c0", "x-acs-content-sha256": emptyHash,
		"Content-Type": "application/x-www-form-urlencoded",
		"Authorization": "ACS3-HMAC-SHA256 Credential=LTAI5tTest," +
			"Signature=134f703752867dcb3c4b59d34ab4829979faf4f89a564cc19b47495a36119eb9,SignedHeaders=content-type;" +
			"x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version",
	} {
		header.Set(name, value)
	}
	claim, err := check(&Request{
		Method: http.MethodPost, Path: "/", Host: "127.0.0.1:18854", Header: header,
		Query: url.Values{"Action": {"GetCallerIdentity"}, "Format": {"JSON"}, "Version": {"2015-04-01"}},
	}, "sEcret/+=1")
	wantError(t, err, "", "")
	if claim.Action != "GetCallerIdentity" || claim.KeyID != "LTAI5tTest" {
		t.Errorf("got action %s of key %s, want GetCallerIdentity of LTAI5tTest", claim.Action, claim.KeyID)
	}
}

func TestSchemeIsToldByAuthorizationAlone(t *testing.T) {
	for _, test := range []struct {
		name   string
		header http.Header
		want   Scheme
	}{
		{"no headers at all", nil, RPC},
		{"an old client that sends x-acs-action", http.Header{"X-Acs-Action": {"A"}, "X-Acs-Version": {"1"}}, RPC},
		{"another authorization", http.Header{"Authorization": {"acs key:signature"}}, RPC},
		{"the supported algorithm", http.Header{"Authorization": {"ACS3-HMAC-SHA256 Credential=a"}}, ACS3},
		{"another algorithm", http.Header{"Authorization": {"ACS3-HMAC-SM3 Credential=a"}}, ACS3},
		{"the second of two", http.Header{"Authorization": {"Basic a", "ACS3-HMAC-SHA256 Credential=a"}}, ACS3},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := SchemeOf(test.header); got != test.want {
				t.Errorf("got scheme %d, want %d", got, test.want)
			}
		})
	}
}

func TestACS3AuthorizationForms(t *testing.T) {
	// With a nonce of its own, one such request has the signature of another.
	sameNonce := func(r *http.Request) { r.Header.Set("x-acs-signature-nonce", "n") }
	signed := acs3Request(t, testSigner(), sameNonce).Header.Get("Authorization")
	parts := strings.Split(strings.TrimPrefix(signed, "ACS3-HMAC-SHA256 "), ",")
	names := strings.Split(strings.TrimPrefix(parts[1], "SignedHeaders="), ";")
	slices.Reverse(names)
	reversed := "SignedHeaders=" + strings.Join(names, ";")
	for _, test := range []struct {
		name           string
		value          string
		code, contains string
	}{
		{"as clients write it", signed, "", ""},
		{"spaces after commas", strings.ReplaceAll(signed, ",", ", "), "", ""},
		{"several spaces after the algorithm", strings.Replace(signed, " ", "   ", 1), "", ""},
		{"parts in another order", "ACS3-HMAC-SHA256 " + parts[2] + "," + parts[0] + "," + parts[1], "", ""},
		{"signed headers in another order", "ACS3-HMAC-SHA256 " + parts[0] + "," + reversed + "," + parts[2], "", ""},
		{"a signed header in upper case", strings.Replace(signed, ";x-acs-action;", ";X-Acs-Action;", 1), codeIncomplete, "x-acs-action must be signed"},
		{"SM3", strings.Replace(signed, "HMAC-SHA256", "HMAC-SM3", 1), codeSignatureMethod, ""},
		{"RSA", strings.Replace(signed, "HMAC-SHA256", "RSA-SHA256", 1), codeSignatureMethod, ""},
		{"an algorithm and nothing", "ACS3-HMAC-SHA256", codeIncomplete, "is empty"},
		{"no Credential", "ACS3-HMAC-SHA256 " + parts[1] + "," + parts[2], codeIncomplete, "no part Credential"},
		{"no SignedHeaders", "ACS3-HMAC-SHA256 " + parts[0] + "," + parts[2], codeIncomplete, "no part SignedHeaders"},
		{"no Signature", "ACS3-HMAC-SHA256 " + parts[0] + "," + parts[1], codeIncomplete, "no part Signature"},
		{"an empty Credential", strings.Replace(signed, parts[0], "Credential=", 1), codeIncomplete, "Credential"},
		{"a part twice", signed + "," + parts[0], codeIncomplete, "twice"},
		{"a comma at the end", signed + ",", codeIncomplete, "is empty"},
		{"one part more", signed + ",Expires=1", codeIncomplete, "other than"},
		{"an empty signed name", strings.Replace(signed, ";host;", ";;host;", 1), codeIncomplete, "empty name"},
		{"a signed name twice", strings.Replace(signed, ";host;", ";host;host;", 1), codeIncomplete, "name twice"},
		{"a signature in upper case", "ACS3-HMAC-SHA256 " + parts[0] + "," + parts[1] + ",Signature=" +
			strings.ToUpper(strings.TrimPrefix(parts[2], "Signature=")), codeMismatch, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := acs3Request(t, testSigner(), sameNonce)
			request.Header.Set("Authorization", test.value)
			_, err := check(request, testSecret)
			wantError(t, err, test.code, test.contains)
		})
	}
}

func TestACS3TwoAuthorizationsAreRefused(t *testing.T) {
	request := acs3Request(t, testSigner(), nil)
	request.Header.Add("Authorization", "Basic YTpi")
	_, err := check(request, testSecret)
	wantError(t, err, codeIncomplete, "one header Authorization")
}

func TestACS3WhatMayBeSigned(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, test := range []struct {
		name           string
		apply          func(*http.Request)
		code, contains string
	}{
		{"what every client signs", nil, "", ""},
		{"a nonce of 64 digits", header("x-acs-signature-nonce", strings.Repeat("0f", 32)), "", ""},
		{"a nonce of 128 bytes", header("x-acs-signature-nonce", strings.Repeat("n", 128)), "", ""},
		{"a nonce of 129 bytes", header("x-acs-signature-nonce", strings.Repeat("n", 129)), codeIncomplete, "128"},
		{"a provider of credentials", header("x-acs-credentials-provider", "static_ak"), "", ""},
		{"an empty header", header("x-acs-security-token", ""), "", ""},
		{"a value with spaces around it", header("x-acs-region-id", "  cn-hangzhou\t"), "", ""},
		{"a header with two values", func(r *http.Request) { r.Header["X-Acs-Two"] = []string{"a ", " b"} }, "", ""},
		{"no body's type", func(r *http.Request) { r.Header.Del("Content-Type") }, "", ""},
		{"no path", func(r *http.Request) { r.URL.Path = "" }, "", ""},
		{"a path", func(r *http.Request) { r.URL.Path = "/a b*/c+d~" }, "", ""},
		{"the key's ID", header("x-acs-accesskey-id", "LTAItest"), "", ""},
		{"the ID of another key", header("x-acs-accesskey-id", "LTAIother"), codeIncomplete, "not equal to the Credential"},
		{"a date with milliseconds", header("x-acs-date", "2026-11-23T12:00:00.000Z"), codeTimestampFormat, ""},
		{"a hash of another body", header("x-acs-content-sha256", emptyHash), codeMismatch, ""},
		{"a hash in upper case", func(r *http.Request) {
			r.Header.Set("x-acs-content-sha256", strings.ToUpper(acs3Request(t, testSigner(), nil).header(headerContentHash)))
		}, codeMismatch, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := check(acs3Request(t, testSigner(), test.apply), testSecret)
			wantError(t, err, test.code, test.contains)
		})
	}
}

func TestACS3MandatoryHeaders(t *testing.T) {
	for _, name := range []string{headerAction, headerVersion, headerDate, headerNonce, headerContentHash} {
		t.Run(name+" is not signed", func(t *testing.T) {
			request := acs3Request(t, testSigner(), nil)
			value := request.Header.Get("Authorization")
			value = strings.NewReplacer(";"+name+";", ";", ";"+name+",", ",").Replace(value)
			request.Header.Set("Authorization", value)
			_, err := Read(request)
			wantError(t, err, codeIncomplete, "The header "+name+" must be signed.")
		})
		t.Run(name+" is absent", func(t *testing.T) {
			request := acs3Request(t, testSigner(), nil)
			request.Header.Del(name)
			code := codeMissing
			if name == headerDate {
				code = codeTimestampAbsent
			}
			_, err := Read(request)
			wantError(t, err, code, `"`+name+`"`)
		})
	}
}

func TestACS3EveryHeaderOfTheAPIMustBeSigned(t *testing.T) {
	for _, name := range []string{"x-acs-security-token", "x-acs-accesskey-id", "x-acs-region-id", "x-acs-"} {
		request := acs3Request(t, testSigner(), nil)
		request.Header.Set(name, "forged")
		_, err := Read(request)
		wantError(t, err, codeIncomplete, `The header "`+name+`" must be signed.`)
	}
}

func TestACS3ChangedRequestsAreRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Request)
	}{
		{"another method", func(r *Request) { r.Method = http.MethodGet }},
		{"another path", func(r *Request) { r.Path = "/x" }},
		{"another host", func(r *Request) { r.Host = "127.0.0.2:8080" }},
		{"another port", func(r *Request) { r.Host = "127.0.0.1:8081" }},
		{"no port", func(r *Request) { r.Host = "127.0.0.1" }},
		{"one parameter more", func(r *Request) { r.Query.Set("DryRun", "true") }},
		{"one parameter less", func(r *Request) { r.Query.Del("Empty") }},
		{"a second value before the first", func(r *Request) { r.Query["RegionId"] = []string{"a", "cn-hangzhou"} }},
		{"a second value after the first", func(r *Request) { r.Query.Add("RegionId", "a") }},
		{"another action", func(r *Request) { r.Header.Set(headerAction, "DescribeRegions") }},
		{"another type of the body", func(r *Request) { r.Header.Set("Content-Type", "application/json") }},
		{"no type of the body", func(r *Request) { r.Header.Del("Content-Type") }},
		{"another body", func(r *Request) { r.Body = []byte("SecurityGroupId=sg-2") }},
		{"no body", func(r *Request) { r.Body = nil }},
		{"another body with its hash", func(r *Request) {
			r.Body = nil
			r.Header.Set(headerContentHash, emptyHash)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := acs3Request(t, testSigner(), nil)
			test.change(request)
			_, err := check(request, testSecret)
			wantError(t, err, codeMismatch, "server string to sign is:ACS3-HMAC-SHA256\n")
		})
	}
}

func TestACS3UnsignedHeadersMayChange(t *testing.T) {
	request := acs3Request(t, testSigner(), nil)
	request.Header.Set("User-Agent", "another")
	request.Header.Set("Accept-Encoding", "gzip")
	_, err := check(request, testSecret)
	wantError(t, err, "", "")
}

func TestACS3CanonicalRequest(t *testing.T) {
	request := &Request{
		Method: http.MethodPost, Path: "/a b*/c+d~/é", Host: " ecs.test:8080 ",
		Header: http.Header{"X-Acs-Two": {" a  b\t", "c "}, "X-Acs-Empty": {""}, "Content-Type": {"text/plain"}},
	}
	query := url.Values{"b": {"x y", ""}, "a*": {"é+"}, "B": {"1"}}
	got := canonicalRequest(request, canonicalQuery(query),
		[]string{"content-type", "host", "x-acs-absent", "x-acs-empty", "x-acs-two"}, emptyHash)
	want := "POST\n/a%20b%2A/c%2Bd~/%C3%A9\nB=1&a%2A=%C3%A9%2B&b=x%20y&b=\n" +
		"content-type:text/plain\nhost:ecs.test:8080\nx-acs-absent:\nx-acs-empty:\nx-acs-two:a  b,c\n\n" +
		"content-type;host;x-acs-absent;x-acs-empty;x-acs-two\n" + emptyHash
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("canonical request (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{" a  b\t", "c "}, request.Header["X-Acs-Two"]); diff != "" {
		t.Errorf("the request's own headers (-want +got):\n%s", diff)
	}
}

func TestACS3OrderOfTheQueryIsOfNoMatter(t *testing.T) {
	request := acs3Request(t, testSigner(), func(r *http.Request) { r.URL.RawQuery = "b=2&a=1&B=%2A(&%C3%A9=" })
	if got, want := canonicalQuery(request.Query), "B=%2A%28&a=1&b=2&%C3%A9="; got != want {
		t.Errorf("got query %s, want %s", got, want)
	}
	_, err := check(request, testSecret)
	wantError(t, err, "", "")
}

func TestACS3DefaultPortMayBeLeftOutOrAdded(t *testing.T) {
	for _, test := range []struct{ signed, sent, code string }{
		{"ecs.test", "ecs.test:80", ""},
		{"ecs.test", "ecs.test:443", ""},
		{"ecs.test:80", "ecs.test", ""},
		{"ecs.test:443", "ecs.test", ""},
		{"[::1]", "[::1]:443", ""},
		{"[::1]:443", "[::1]", ""},
		{"ecs.test:8080", "ecs.test:8080", ""},
		{"ecs.test", "ecs.test:8080", codeMismatch},
		{"ecs.test:8080", "ecs.test", codeMismatch},
		{"ecs.test:80", "ecs.test:443", codeMismatch},
	} {
		t.Run("signed "+test.signed+" and sent "+test.sent, func(t *testing.T) {
			request := acs3Request(t, testSigner(), func(r *http.Request) { r.Host = test.signed })
			request.Host = test.sent
			_, err := check(request, testSecret)
			wantError(t, err, test.code, "")
		})
	}
}

func TestACS3SessionIsSigned(t *testing.T) {
	signer := testSigner()
	signer.Token = "session"
	request := acs3Request(t, signer, nil)
	claim, err := check(request, testSecret)
	wantError(t, err, "", "")
	if claim.Token != "session" {
		t.Errorf("got token %q, want %q", claim.Token, "session")
	}
	request.Header.Set("x-acs-security-token", "another")
	_, err = check(request, testSecret)
	wantError(t, err, codeMismatch, "")
}

func TestACS3ActionIsThatOfTheHeader(t *testing.T) {
	request := acs3Request(t, testSigner(), func(r *http.Request) { r.URL.RawQuery = "Action=StopInstance&Version=1" })
	claim, err := check(request, testSecret)
	wantError(t, err, "", "")
	if got, want := claim.Action+" "+claim.Version, "RevokeSecurityGroupEgress 2014-05-26"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
