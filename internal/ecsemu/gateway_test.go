package ecsemu_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

func TestGatewayRefusals(t *testing.T) {
	r := startSmall(t)
	without := func(name string) url.Values {
		values := common("DescribeRegions", nil)
		values.Del(name)
		return signed(http.MethodPost, ecsemu.DefaultKeySecret, values)
	}
	changed := func(pairs ...string) url.Values {
		return signed(http.MethodPost, ecsemu.DefaultKeySecret, common("DescribeRegions", params(pairs...)))
	}
	used := changed("SignatureNonce", "used")
	post(t, r, used)
	for _, test := range []struct {
		name   string
		query  url.Values
		status int
		code   string
	}{
		{"no Action", without("Action"), 400, "MissingParameter"},
		{"no Version", without("Version"), 400, "MissingParameter"},
		{"no AccessKeyId", without("AccessKeyId"), 400, "MissingParameter"},
		{"no SignatureMethod", without("SignatureMethod"), 400, "MissingParameter"},
		{"no SignatureVersion", without("SignatureVersion"), 400, "MissingParameter"},
		{"no SignatureNonce", without("SignatureNonce"), 400, "MissingParameter"},
		{"no Signature", common("DescribeRegions", nil), 400, "MissingParameter"},
		{"no Timestamp", without("Timestamp"), 400, "IllegalTimestamp"},
		{"another format", changed("Format", "YAML"), 400, "InvalidParameter.Format"},
		{"the format in small letters", changed("Format", "json"), 200, ""},
		{"a Timestamp of another form", changed("Timestamp", "2026-03-01 12:00:30"), 400, "InvalidTimeStamp.Format"},
		{"a Timestamp 15 minutes old", changed("Timestamp", "2026-03-01T11:45:30Z"), 200, ""},
		{"a Timestamp 15 minutes and a second old", changed("Timestamp", "2026-03-01T11:45:29Z"), 400, "InvalidTimeStamp.Expired"},
		{"a Timestamp too far ahead", changed("Timestamp", "2026-03-01T12:15:31Z"), 400, "InvalidTimeStamp.Expired"},
		{"an unknown key", changed("AccessKeyId", "LTAI5tOther"), 404, "InvalidAccessKeyId.NotFound"},
		{"another signature method", changed("SignatureMethod", "HMAC-SHA256"), 400, "InvalidSignatureMethod"},
		{"another signature version", changed("SignatureVersion", "2.0"), 400, "IncompleteSignature"},
		{"a wrong secret", signed(http.MethodPost, "wrong", common("DescribeRegions", nil)), 400, "SignatureDoesNotMatch"},
		{"a signature of another method", signed(http.MethodGet, ecsemu.DefaultKeySecret, common("DescribeRegions", nil)), 400, "SignatureDoesNotMatch"},
		{"a nonce for the second time", changed("SignatureNonce", "used"), 400, "SignatureNonceUsed"},
		{"an unknown action", signed(http.MethodPost, ecsemu.DefaultKeySecret, common("DescribeDreams", nil)), 404, "InvalidApi.NotFound"},
		{"an action of the other product", changed("Version", "2015-04-01"), 404, "InvalidApi.NotFound"},
		{"an unknown version", changed("Version", "2014-05-27"), 400, "InvalidParameter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, r, test.query)
			if got.status != test.status || got.code() != test.code {
				t.Errorf("got %d %q, want %d %q; body: %s", got.status, got.code(), test.status, test.code, got.raw)
			}
		})
	}
}

func TestSignatureMismatchTellsWhatWasSigned(t *testing.T) {
	r := startSmall(t)
	got := post(t, r, signed(http.MethodPost, "wrong", common("DescribeRegions", params("SignatureNonce", "n"))))
	want := "Specified signature is not matched with our calculation. server string to sign is:" +
		"POST&%2F&AccessKeyId%3DLTAI5tEmulatorKey%26Action%3DDescribeRegions%26Format%3DJSON" +
		"%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3Dn%26SignatureType%3D%26SignatureVersion%3D1.0" +
		"%26Timestamp%3D2026-03-01T12%253A00%253A30Z%26Version%3D2014-05-26"
	if diff := cmp.Diff(want, got.message()); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

// TestSignatureCoversValuesNotTheirSpelling sends a query that is signed as documented, but written with other
// escapes and in another order than the signature has it.
func TestSignatureCoversValuesNotTheirSpelling(t *testing.T) {
	r := startSmall(t)
	query := signed(http.MethodGet, ecsemu.DefaultKeySecret, common("DescribeRegions", params("Extra", "a b*~/é")))
	text := query.Encode()
	head, tail, _ := strings.Cut(text, "&")
	text = strings.ReplaceAll(strings.ReplaceAll(tail+"&"+head, "%2A", "*"), "~", "%7e")
	response, err := r.Client.Get(r.URL + "/?" + text) //nolint:noctx // Short.
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAnswer(response)
	if err != nil || got.status != http.StatusOK {
		t.Errorf("got status %d, error %v: %s", got.status, err, got.raw)
	}
}

func TestParametersFromQueryAndBody(t *testing.T) {
	r := startSmall(t)
	all := with(common("DescribeSecurityGroups", params("RegionId", "cn-qingdao")))
	all = signed(http.MethodPost, ecsemu.DefaultKeySecret, all)
	query, body := params("RegionId", "the body wins"), url.Values{}
	for name := range all {
		if name == "Action" || name == "Signature" {
			query.Set(name, all.Get(name))
		} else {
			body.Set(name, all.Get(name))
		}
	}
	response, err := r.Client.PostForm(r.URL+"/?"+query.Encode(), body) //nolint:noctx // Short.
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAnswer(response)
	if err != nil || got.text("RegionId") != "cn-qingdao" {
		t.Errorf("got status %d, error %v: %s", got.status, err, got.raw)
	}
}

// TestBodiesOfManyClients posts bodies without a Content-Type, as some clients do.
func TestBodiesOfManyClients(t *testing.T) {
	r := startSmall(t)
	form := func() string {
		return signed(http.MethodPost, ecsemu.DefaultKeySecret, common("DescribeRegions", nil)).Encode()
	}
	whole := signed(http.MethodPost, ecsemu.DefaultKeySecret, common("DescribeRegions", nil)).Encode()
	for _, test := range []struct {
		name, query, body string
		status            int
		code              string
	}{
		{"a form in the body", "", form(), 200, ""},
		{"everything in the query", whole, "", 200, ""},
		{"a body that is no form", "Format=JSON", "%zz", 400, "InvalidParameter"},
		{"a body over the limit", "Action=DescribeRegions", strings.Repeat("x", 3<<20), 413, "InvalidParameter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL+"/?"+test.query, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			response, err := r.Client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAnswer(response)
			if err != nil || got.status != test.status || got.code() != test.code {
				t.Errorf("got %d %q, want %d %q; error %v; body: %s", got.status, got.code(), test.status, test.code, err, got.raw)
			}
		})
	}
	requests := r.Server.Requests()
	if last := requests[len(requests)-1]; last.Action != "DescribeRegions" || last.Status != 413 {
		t.Errorf("got %q with status %d on record, want what was refused last", last.Action, last.Status)
	}
}

// TestAClientThatWritesAllOfALargeBodySeesTheRefusal is a client that reads no answer before it has written everything.
func TestAClientThatWritesAllOfALargeBodySeesTheRefusal(t *testing.T) {
	r := startSmall(t)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // Nothing is left to write.
	const size = 12 << 20
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size)
	if _, err := io.WriteString(conn, head+strings.Repeat("x", size)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAnswer(response); err != nil || got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d, error %v; body: %s", got.status, err, got.raw)
	}
}

func TestOtherWaysToAsk(t *testing.T) {
	r := startSmall(t)
	noFormat := common("DescribeRegions", nil)
	noFormat.Del("Format")
	for _, test := range []struct {
		name, method, path string
		header             http.Header
		status             int
		code               string
	}{
		{
			"no Format but an Accept header", http.MethodGet,
			"/?" + signed(http.MethodGet, ecsemu.DefaultKeySecret, noFormat).Encode(),
			http.Header{"Accept": {"application/json"}},
			200, "",
		},
		{
			"a signature of the third version", http.MethodPost, "/?Format=JSON",
			http.Header{"Authorization": {"ACS3-HMAC-SHA256 Credential=a"}},
			400, "IncompleteSignature",
		},
		{"another method", http.MethodPut, "/?Format=JSON", nil, 403, "UnsupportedHTTPMethod"},
		{"another path", http.MethodGet, "/v1/regions", nil, 404, "InvalidApi.NotFound"},
		{"a broken escape", http.MethodGet, "/?Format=JSON&A=%zz", nil, 400, "InvalidParameter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, r.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header = test.header
			response, err := r.Client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAnswer(response)
			if err != nil || got.status != test.status || got.code() != test.code {
				t.Errorf("got %d %q, want %d %q; error %v; body: %s", got.status, got.code(), test.status, test.code, err, got.raw)
			}
		})
	}
}

func TestErrorBody(t *testing.T) {
	r := startSmall(t)
	got := call(t, r, "DescribeSecurityGroups", params("RegionId", "mars"))
	requestID := got.text("RequestId")
	delete(got.body, "RequestId")
	want := map[string]any{
		"HostId": "ecs.aliyuncs.com", "Code": "InvalidRegionId.NotFound", "Message": "The specified RegionId does not exist.",
		"Recommend": "https://error-center.aliyun.com/status/search?Keyword=InvalidRegionId.NotFound&source=PopGw",
	}
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if len(requestID) != 36 || requestID != strings.ToUpper(requestID) || strings.Count(requestID, "-") != 4 {
		t.Errorf("got request ID %q, want an upper-case UUID", requestID)
	}
}

func TestQuota(t *testing.T) {
	now := stoppedClock
	r := startSmall(t, func(o *ecsemu.Options) {
		o.Clock = func() time.Time { return now }
		o.QuotaPerSecond, o.QuotaWindow = 2.0/60, time.Minute
	})
	ask := func(action, region string) answer { return call(t, r, action, params("RegionId", region)) }
	for range 2 {
		if got := ask("DescribeSecurityGroups", "cn-hangzhou"); got.status != 200 {
			t.Fatalf("got %d within the quota: %s", got.status, got.raw)
		}
	}
	got := ask("DescribeSecurityGroups", "cn-hangzhou")
	if got.status != 400 || got.code() != "Throttling.User" {
		t.Errorf("got %d %q for one call too many", got.status, got.code())
	}
	if got, want := got.header.Get("x-ratelimit-user-api"), "Limit:2,Remain:0,TimeLeft:30000,Reset:30000"; got != want {
		t.Errorf("got header %q, want %q", got, want)
	}
	if got := ask("DescribeSecurityGroups", "cn-qingdao"); got.status != 200 {
		t.Errorf("got %d in another region", got.status)
	}
	if got := ask("DescribeRegions", "cn-hangzhou"); got.status != 200 {
		t.Errorf("got %d for another action", got.status)
	}
	now = now.Add(30*time.Second - time.Millisecond)
	if got := ask("DescribeSecurityGroups", "cn-hangzhou"); got.code() != "Throttling.User" {
		t.Errorf("got %q before the window ended", got.code())
	}
	now = now.Add(time.Millisecond)
	if got := ask("DescribeSecurityGroups", "cn-hangzhou"); got.status != 200 {
		t.Errorf("got %d in the next window", got.status)
	}
}

func TestKeysSeeTheirOwnAccounts(t *testing.T) {
	other := ecsemu.AccessKey{ID: "LTAIother", Secret: "s", Account: "42"}
	r := startSmall(t, func(o *ecsemu.Options) {
		o.Keys = []ecsemu.AccessKey{{ID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret}, other}
	})
	ask := func(action string, business url.Values) answer {
		return post(t, r, signed(http.MethodPost, other.Secret, common(action, with(business, "AccessKeyId", other.ID))))
	}
	if got := ask("GetCallerIdentity", nil).text("AccountId"); got != "42" {
		t.Errorf("got account %q, want 42", got)
	}
	region := params("RegionId", "cn-hangzhou")
	if got := ask("DescribeSecurityGroups", region).list("SecurityGroups", "SecurityGroup"); len(got) != 0 {
		t.Errorf("got %d groups in the empty account", len(got))
	}
	created := ask("CreateSecurityGroup", with(region, "VpcId", "vpc-any"))
	if created.text("SecurityGroupId") == "" {
		t.Errorf("creating a group: %s", created.raw)
	}
	if got := must(t, r, "DescribeSecurityGroups", region).list("SecurityGroups", "SecurityGroup"); len(got) != 8 {
		t.Errorf("got %d groups in the first account, want its 8", len(got))
	}
	want := map[string]any{
		"AccountId": "1234567890123456", "UserId": "1234567890123456", "PrincipalId": "1234567890123456",
		"Arn": "acs:ram::1234567890123456:root", "IdentityType": "Account",
	}
	identity := must(t, r, "GetCallerIdentity", nil).body
	delete(identity, "RequestId")
	if diff := cmp.Diff(want, identity); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

func TestKeysWithoutAnAccountSeeTheEstate(t *testing.T) {
	const key, secret = ecsemu.DefaultKeyID, ecsemu.DefaultKeySecret
	estate := &ecsemu.Estate{Account: "42", Regions: []ecsemu.Region{{ID: "r"}}}
	for _, test := range []struct {
		name   string
		estate *ecsemu.Estate
		keys   []ecsemu.AccessKey
		want   string
	}{
		{"no keys", estate, nil, "42"},
		{"a key without an account", estate, []ecsemu.AccessKey{{ID: key, Secret: secret}}, "42"},
		{"a key of another account before it", estate, []ecsemu.AccessKey{{ID: key, Secret: secret, Account: "43"}, {ID: "b", Secret: "s"}}, "43"},
		{"no estate", nil, []ecsemu.AccessKey{{ID: key, Secret: secret}}, ecsemu.DefaultAccount},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := ecsemu.Start(t, test.estate, atStoppedClock, func(o *ecsemu.Options) { o.Keys = test.keys })
			if got := must(t, r, "GetCallerIdentity", nil).text("AccountId"); got != test.want || r.Server.Account() != test.want {
				t.Errorf("the first key sees account %s, and the server says %s; want %s", got, r.Server.Account(), test.want)
			}
		})
	}
}

func TestParseAccessKey(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       ecsemu.AccessKey
	}{
		{"an ID and a secret", "id:hunter2", ecsemu.AccessKey{ID: "id", Secret: "hunter2"}},
		{"an account as well", "id:hunter2:42", ecsemu.AccessKey{ID: "id", Secret: "hunter2", Account: "42"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := cloud.ParseAccessKey(test.text)
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
	for _, text := range []string{"hunter2", ":hunter2", "hunter2:", "id:hunter2:account", "id:42:hunter2", "id:hunter2:1:2", "id:hunter2:"} {
		_, err := cloud.ParseAccessKey(text)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("parsing %q: got error %v, want one without the secret", text, err)
		}
	}
}
