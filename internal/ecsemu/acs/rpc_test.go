package acs

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documentedRPC is the example of the cloud's document on signatures, version 1.
const documentedRPC = "https://ecs.aliyuncs.com/?Timestamp=2016-02-23T12%3A46%3A24Z&Format=XML&AccessKeyId=testid" +
	"&Action=DescribeRegions&SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf" +
	"&Version=2014-05-26&SignatureVersion=1.0&Signature=OLeaidS1JvxuMvnyHOwuJ%2BuX5qY%3D"

func TestRPCDocumentedExample(t *testing.T) {
	u, err := url.Parse(documentedRPC)
	if err != nil {
		t.Fatal(err)
	}
	request := &Request{Method: http.MethodGet, Path: u.Path, Host: u.Host, Query: u.Query()}
	claim, err := check(request, "testsecret")
	if err != nil {
		t.Fatal(err)
	}
	want := Claim{
		Scheme: RPC, Action: "DescribeRegions", Version: "2014-05-26", KeyID: "testid",
		Nonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", Time: claim.Time, signature: "OLeaidS1JvxuMvnyHOwuJ+uX5qY=",
		texts: []string{
			"GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML%26SignatureMethod%3DHMAC-SHA1" +
				"%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0" +
				"%26Timestamp%3D2016-02-23T12%253A46%253A24Z%26Version%3D2014-05-26",
		},
	}
	if diff := cmp.Diff(want, *claim, cmp.AllowUnexported(Claim{})); diff != "" {
		t.Errorf("claim (-want +got):\n%s", diff)
	}
	if got, want := claim.Time.Format(timestampLayout), "2016-02-23T12:46:24Z"; got != want {
		t.Errorf("got time %s, want %s", got, want)
	}
	wantError(t, claim.Verify("wrong"), codeMismatch,
		"Specified signature is not matched with our calculation. server string to sign is:"+want.texts[0])
}

func TestRPCIsVerifiedWhereverParametersAre(t *testing.T) {
	signed := testSigner().RPC(http.MethodPost, callValues())
	system, business := url.Values{}, url.Values{}
	for name, values := range signed {
		if _, ok := callValues()[name]; ok && name != paramAction && name != paramVersion {
			business[name] = values
		} else {
			system[name] = values
		}
	}
	shadowed := url.Values{"SecurityGroupId": {"sg-of-the-query"}}
	maps.Copy(shadowed, system)
	for _, test := range []struct {
		name        string
		query, form url.Values
		code        string
	}{
		{"all in the query and no body", signed, nil, ""},
		{"all in the query and an empty form", signed, url.Values{}, ""},
		{"all in the form", url.Values{}, signed, ""},
		{"common ones in the query, those of the call in the form", system, business, ""},
		{"those of the call in the query, common ones in the form", business, system, ""},
		{"of a name in both the form's value is what was signed", shadowed, business, ""},
		{"of a name in both the query's value is not what counts", business, shadowed, codeMismatch},
		{"a name without any value counts nowhere", signed, url.Values{"SecurityGroupId": nil, "More": {}}, ""},
		{"a parameter is missing", system, nil, codeMismatch},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := check(&Request{Method: http.MethodPost, Query: test.query, Form: test.form}, testSecret)
			wantError(t, err, test.code, "")
		})
	}
}

func TestRPCIsVerifiedHoweverItIsWritten(t *testing.T) {
	signed := testSigner().RPC(http.MethodGet, callValues())
	encoded := signed.Encode()
	reversed := strings.Split(encoded, "&")
	for i, j := 0, len(reversed)-1; i < j; i, j = i+1, j-1 {
		reversed[i], reversed[j] = reversed[j], reversed[i]
	}
	for _, test := range []struct{ name, query string }{
		{"spaces are plus", encoded},
		{"spaces are %20", strings.ReplaceAll(encoded, "+", "%20")},
		{"parentheses and stars are raw", strings.NewReplacer("%28", "(", "%29", ")", "%2A", "*").Replace(encoded)},
		{"tildes are escaped", strings.ReplaceAll(encoded, "~", "%7E")},
		{"digits are lower case", strings.ReplaceAll(encoded, "%2B", "%2b")},
		{"the order is another one", strings.Join(reversed, "&")},
	} {
		t.Run(test.name, func(t *testing.T) {
			query, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			_, err = check(&Request{Method: http.MethodGet, Query: query}, testSecret)
			wantError(t, err, "", "")
		})
	}
}

func TestRPCWhatMaySignedRequestsSay(t *testing.T) {
	for _, test := range []struct {
		name           string
		set, value     string // An empty name sets nothing.
		code, contains string
	}{
		{"nothing else", "", "", "", ""},
		{"an empty SignatureType", "SignatureType", "", "", ""},
		{"an empty parameter", "Description", "", "", ""},
		{"an empty SecurityToken", "SecurityToken", "", "", ""},
		{"a SignatureType", "SignatureType", "BEARERTOKEN", codeIncomplete, "SignatureType"},
		{"another method", "SignatureMethod", "HMAC-SHA256", codeSignatureMethod, "Specified signature method"},
		{"another version", "SignatureVersion", "2.0", codeIncomplete, "SignatureVersion"},
		{"an empty Action", "Action", "", codeMissing, `The input parameter "Action" that is mandatory`},
		{"an empty Version", "Version", "", codeMissing, `"Version"`},
		{"an empty AccessKeyId", "AccessKeyId", "", codeMissing, `"AccessKeyId"`},
		{"an empty Signature", "Signature", "", codeMissing, `"Signature"`},
		{"an empty SignatureMethod", "SignatureMethod", "", codeMissing, `"SignatureMethod"`},
		{"an empty SignatureVersion", "SignatureVersion", "", codeMissing, `"SignatureVersion"`},
		{"an empty SignatureNonce", "SignatureNonce", "", codeMissing, `"SignatureNonce"`},
		{"a nonce of 128 bytes", "SignatureNonce", strings.Repeat("n", 128), "", ""},
		{"a nonce of 129 bytes", "SignatureNonce", strings.Repeat("n", 129), codeIncomplete, "128"},
		{"an empty Timestamp", "Timestamp", "", codeTimestampAbsent, `"Timestamp"`},
		{"a Timestamp with a zone", "Timestamp", "2026-11-23T12:00:00+08:00", codeTimestampFormat, "not well formatted"},
		{"a Timestamp with milliseconds", "Timestamp", "2026-11-23T12:00:00.123Z", codeTimestampFormat, ""},
		{"a Timestamp with an hour of one digit", "Timestamp", "2026-11-23T1:00:00Z", codeTimestampFormat, ""},
		{"a Timestamp that is no day", "Timestamp", "2026-02-30T12:00:00Z", codeTimestampFormat, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := check(rpcRequest(http.MethodPost, func(values url.Values) {
				if test.set != "" {
					values.Set(test.set, test.value)
				}
			}), testSecret)
			wantError(t, err, test.code, test.contains)
		})
	}
}

func TestRPCChangedRequestsAreRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Request)
	}{
		{"another method", func(r *Request) { r.Method = http.MethodGet }},
		{"another value", func(r *Request) { r.Query.Set("SecurityGroupId", "sg-2") }},
		{"one parameter more", func(r *Request) { r.Query.Set("DryRun", "true") }},
		{"one empty parameter more", func(r *Request) { r.Query.Set("SignatureType", "") }},
		{"one parameter less", func(r *Request) { r.Query.Del("Description") }},
		{"a form that overrides the query", func(r *Request) { r.Form = url.Values{"SecurityGroupId": {"sg-2"}} }},
		{"a signature with its plus read as a space", func(r *Request) {
			r.Query.Set(paramSignature, " "+r.Query.Get(paramSignature))
		}},
		{"a token that was not signed", func(r *Request) { r.Query.Set("SecurityToken", "token") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := rpcRequest(http.MethodPost, nil)
			test.change(request)
			_, err := check(request, testSecret)
			wantError(t, err, codeMismatch, "server string to sign is:"+request.Method+"&%2F&")
		})
	}
}

func TestRPCTokenIsSigned(t *testing.T) {
	signer := testSigner()
	signer.Token = "session"
	query := signer.RPC(http.MethodGet, callValues())
	claim, err := check(&Request{Method: http.MethodGet, Query: query}, testSecret)
	wantError(t, err, "", "")
	if claim.Token != "session" {
		t.Errorf("got token %q, want %q", claim.Token, "session")
	}
	query.Set("SecurityToken", "another")
	_, err = check(&Request{Method: http.MethodGet, Query: query}, testSecret)
	wantError(t, err, codeMismatch, "")
}

func TestRPCCountsTheFirstOfSeveralValues(t *testing.T) {
	request := rpcRequest(http.MethodGet, nil)
	request.Query.Add("Action", "StopInstance")
	claim, err := check(request, testSecret)
	wantError(t, err, "", "")
	if want := "RevokeSecurityGroupEgress"; claim.Action != want {
		t.Errorf("got action %s, want %s", claim.Action, want)
	}
	request.Query["Action"] = []string{"StopInstance", "RevokeSecurityGroupEgress"}
	_, err = check(request, testSecret)
	wantError(t, err, codeMismatch, "")
}

func TestPercentEncoding(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"unreserved characters stay", "AZaz09-_.~", "AZaz09-_.~"},
		{"a space is no plus", "a b+c", "a%20b%2Bc"},
		{"what browsers leave raw is encoded", "*()!'", "%2A%28%29%21%27"},
		{"digits are upper case, bytes are those of UTF-8", "/é", "%2F%C3%A9"},
		{"what is encoded is encoded again", "%7E", "%257E"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := string(appendEncoded(nil, test.in)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
