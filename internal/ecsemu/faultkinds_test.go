package ecsemu_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

func TestDocumentedCodesBringTheirStatus(t *testing.T) {
	r := startSmall(t)
	for code, status := range map[string]int{
		"OperationConflict": 409, "LastTokenProcessing": 403, "IdempotentParameterMismatch": 400, "Throttling": 400,
		"InvalidTimeStamp.Expired": 400, "InvalidSecurityToken.Expired": 400,
	} {
		for _, format := range []string{"JSON", "XML"} {
			setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultError, Code: code})
			if got := call(t, r, "DescribeRegions", params("Format", format)); got.status != status || got.code() != code {
				t.Errorf("%s in %s: got %d %q, want %d", code, format, got.status, got.code(), status)
			}
		}
	}
}

func TestAnAnswerOfAnySort(t *testing.T) {
	r := startSmall(t)
	r.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultAnswer, Status: 302, Location: "http://203.0.113.1/", Times: 1},
		ecsemu.Fault{Kind: ecsemu.FaultAnswer, Status: 401, Body: `{"x":1}`, ContentType: "application/octet-stream"})
	first, second := call(t, r, "DescribeRegions", nil), call(t, r, "DescribeRegions", nil)
	if first.status != 302 || first.header.Get("Location") != "http://203.0.113.1/" || first.raw != "" {
		t.Errorf("got %d to %q: %q", first.status, first.header.Get("Location"), first.raw)
	}
	if second.status != 401 || second.header.Get("Content-Type") != "application/octet-stream" || second.raw != `{"x":1}` {
		t.Errorf("got %d of %q: %q", second.status, second.header.Get("Content-Type"), second.raw)
	}
}

func TestErrorsWhoseFieldsAreNoTexts(t *testing.T) {
	r := startSmall(t)
	fields := map[string]any{"Code": 7, "Message": map[string]any{"a": nil}, "RequestId": nil}
	for _, kind := range []ecsemu.FaultKind{ecsemu.FaultError, ecsemu.FaultErrorAfter, ecsemu.FaultAlter} {
		setFaults(t, r, ecsemu.Fault{Kind: kind, Fields: fields})
		got := call(t, r, "DescribeSecurityGroups", params("RegionId", "mars"))
		if got.status < 400 || !strings.HasPrefix(got.raw, `{"RequestId":null,"HostId":"ecs.aliyuncs.com","Code":7,"Message":{"a":null},`) {
			t.Errorf("%s: got %d %s", kind, got.status, got.raw)
		}
		xml := call(t, r, "DescribeSecurityGroups", params("RegionId", "mars", "Format", "XML"))
		if !strings.Contains(xml.raw, "<Code>7</Code><Message><a></a></Message>") {
			t.Errorf("%s: got %s", kind, xml.raw)
		}
	}
}

func TestEndingsOfAConnection(t *testing.T) {
	for _, base := range []string{"http", "https"} {
		for _, kind := range []ecsemu.FaultKind{ecsemu.FaultClose, ecsemu.FaultLoseAnswer} {
			r := startRevocable(t)
			if base == "https" {
				r.URL = r.TLSURL
			}
			query := func(id string) string {
				return r.URL + "/?" + signed(http.MethodPost, ecsemu.DefaultKeySecret, common(revoke, byID(id))).Encode()
			}
			setFaults(t, r, ecsemu.Fault{Kind: kind, How: ecsemu.EndReset, Times: 1}, ecsemu.Fault{Kind: kind, How: ecsemu.EndHang})
			_, err := r.Client.Post(query("sgr-tcp"), "application/x-www-form-urlencoded", nil) //nolint:noctx,bodyclose // No answer.
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s over %s: got %v, want a reset", kind, base, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, query("sgr-all"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Client.Do(request); !errors.Is(err, context.DeadlineExceeded) { //nolint:bodyclose // No answer.
				t.Errorf("%s over %s: got %v, want to have given up", kind, base, err)
			}
			cancel()
			want := []string{}
			if kind == ecsemu.FaultLoseAnswer {
				want = []string{"sgr-all", "sgr-tcp"}
			}
			if diff := cmp.Diff(want, gone(r)); diff != "" {
				t.Errorf("%s: revoked rules (-want +got):\n%s", kind, diff)
			}
			for i, request := range r.Server.Requests() {
				if request.Status != 0 || request.TLS != (base == "https") {
					t.Errorf("%s: request %d has status %d, TLS %t on record", kind, i, request.Status, request.TLS)
				}
			}
		}
	}
}

func TestADrippingBodyArrives(t *testing.T) {
	r := startSmall(t)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultDrip, Interval: time.Millisecond})
	began := time.Now()
	got := call(t, r, "GetCallerIdentity", nil)
	if least := time.Duration(len(got.raw)-1) * time.Millisecond; got.text("AccountId") == "" || time.Since(began) < least {
		t.Errorf("got %d bytes in %s: %s", len(got.raw), time.Since(began), got.raw)
	}
}

func TestAnOversizeBodyEndsWhenItsClientDoes(t *testing.T) {
	r := startSmall(t)
	r.Client.Transport.(*http.Transport).DisableCompression = true //nolint:forcetypeassert,errcheck // It is ours.
	for _, packed := range []bool{false, true} {
		setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultOversize, Gzip: packed, Size: 3 << 20, Times: 1},
			ecsemu.Fault{Kind: ecsemu.FaultOversize, Gzip: packed, Size: 1 << 50})
		get := func() io.ReadCloser {
			query := signed(http.MethodGet, ecsemu.DefaultKeySecret, common("DescribeRegions", nil))
			response, err := r.Client.Get(r.URL + "/?" + query.Encode()) //nolint:noctx // Short.
			if err != nil {
				t.Fatal(err)
			}
			if got := response.Header.Get("Content-Encoding") == "gzip"; got != packed {
				t.Errorf("got compression %t, want %t", got, packed)
			}
			return response.Body
		}
		for _, limit := range []int64{1 << 40, 5 << 20} { // The first ends by itself, the second is given up.
			body := get()
			read := io.Reader(body)
			if packed {
				unpacked, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				read = unpacked
			}
			n, err := io.Copy(io.Discard, io.LimitReader(read, limit))
			if err != nil || n < 3<<20 {
				t.Errorf("got %d bytes, error %v", n, err)
			}
			_ = body.Close()
		}
	}
	waitForStacksWithout(t, "ecsemu.oversize")
}

func TestAlteredAnswers(t *testing.T) {
	r := startSmall(t)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultAlter, Fields: map[string]any{
		"RequestId": "another", "SecurityGroupId": "sg-other", "Permission.NicType": "internet", "Permission.Unknown": true,
		"New": []any{1},
	}})
	query := params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-ports")
	got := must(t, r, attributeAction, query)
	rule := got.list("Permissions", "Permission")[0]
	if got.text("RequestId") != "another" || got.text("SecurityGroupId") != "sg-other" || rule["NicType"] != "internet" ||
		rule["Unknown"] != true || !strings.HasSuffix(got.raw, `,"New":[1]}`) {
		t.Errorf("got %s", got.raw)
	}
	xml := must(t, r, attributeAction, with(query, "Format", "XML")).raw
	if !strings.Contains(xml, "<RequestId>another</RequestId>") || !strings.Contains(xml, "<Unknown>true</Unknown></Permission>") {
		t.Errorf("got %s", xml)
	}
}

func TestTheAnswerOfAnotherGroup(t *testing.T) {
	r := startSmall(t)
	query := params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-db")
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultSwap, Params: map[string]string{"SecurityGroupId": "sg-ports"}})
	if got := must(t, r, attributeAction, query); got.text("SecurityGroupId") != "sg-ports" || len(got.list("Permissions", "Permission")) != 1 {
		t.Errorf("got %s", got.raw)
	}
	if got := r.Server.Requests()[0].Parameters["SecurityGroupId"]; got != "sg-db" {
		t.Errorf("got group %q on record, want what was asked", got)
	}
}

func TestListingsThatLackOrRepeat(t *testing.T) {
	list := func(t *testing.T, r *ecsemu.Running, pairs ...string) answer {
		t.Helper()
		return must(t, r, "DescribeSecurityGroups", with(params("RegionId", "r", "MaxResults", "10"), pairs...))
	}
	t.Run("pages silently lack groups", func(t *testing.T) {
		r := ecsemu.Start(t, pagingEstate(25), atStoppedClock)
		whole := list(t, r)
		setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultDropItems, Count: 3})
		got := list(t, r)
		if diff := cmp.Diff(groupIDs(whole)[:7], groupIDs(got)); diff != "" || got.text("NextToken") != whole.text("NextToken") {
			t.Errorf("token %q (-want +got):\n%s", got.text("NextToken"), diff)
		}
		numbered := must(t, r, "DescribeSecurityGroups", params("RegionId", "r", "PageSize", "50"))
		if total, _ := numbered.body["TotalCount"].(interface{ String() string }); total.String() != "22" || len(groupIDs(numbered)) != 22 {
			t.Errorf("got a total of %v and %d groups, want 22", total, len(groupIDs(numbered)))
		}
	})
	t.Run("a list is empty", func(t *testing.T) {
		r := ecsemu.Start(t, pagingEstate(25), atStoppedClock)
		setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultEmptyList})
		if got := list(t, r); len(groupIDs(got)) != 0 || got.text("NextToken") != "" {
			t.Errorf("got %s", got.raw)
		}
		if got := must(t, r, "DescribeSecurityGroups", params("RegionId", "r", "Format", "XML")).raw; strings.Contains(got, "sg-") ||
			!strings.Contains(got, "<TotalCount>0</TotalCount>") {
			t.Errorf("got %s", got)
		}
	})
	t.Run("empty pages without end", func(t *testing.T) {
		r := ecsemu.Start(t, pagingEstate(25), atStoppedClock)
		setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultEmptyPages})
		seen, token := map[string]bool{}, ""
		for range 20 {
			got := list(t, r, "NextToken", token)
			token = got.text("NextToken")
			if token == "" || seen[token] || len(groupIDs(got)) != 0 {
				t.Fatalf("got token %q again, or groups: %s", token, got.raw)
			}
			seen[token] = true
		}
	})
	t.Run("an element comes twice, and differs", func(t *testing.T) {
		r := ecsemu.Start(t, pagingEstate(25), atStoppedClock)
		setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultRepeatItem, Fields: map[string]any{"Description": "other"}})
		first := list(t, r)
		second := list(t, r, "NextToken", first.text("NextToken"))
		last := groupIDs(first)[9]
		if got := groupIDs(second); len(got) != 11 || got[0] != last || got[1] == last {
			t.Errorf("got %q after %q", got, last)
		}
		if got := second.list("SecurityGroups", "SecurityGroup")[0]["Description"]; got != "other" {
			t.Errorf("got description %v", got)
		}
		if hits := r.Server.Faults()[0].Hits; hits != 1 {
			t.Errorf("got %d hits, want 1: the first page is no later one", hits)
		}
	})
}

func TestSomebodyElseCalls(t *testing.T) {
	r := startRevocable(t)
	count := len(ruleIDs(r, "sg-web"))
	add := map[string]string{"Action": authorize, "IpProtocol": "tcp", "PortRange": "7/7", "DestCidrIp": "198.51.100.0/24"}
	setFaults(t, r,
		ecsemu.Fault{Kind: ecsemu.FaultCallBefore, Action: attributeAction, Times: 1, Params: add},
		ecsemu.Fault{Kind: ecsemu.FaultCallAfter, Action: attributeAction, Times: 1, Params: map[string]string{
			"Action": "TagResources", "ResourceType": "securitygroup", "ResourceId.1": "sg-web", "Tag.1.Key": "k", "Tag.1.Value": "v",
		}},
		ecsemu.Fault{Kind: ecsemu.FaultCallAfter, Action: attributeAction, Params: map[string]string{"Action": authorize}})
	if got := len(rulesOf(t, r, "sg-web")); got != count+1 {
		t.Errorf("got %d rules, want one more than %d", got, count)
	}
	query := params("RegionId", "cn-hangzhou", "Tag.1.Key", "k", "Tag.1.Value", "v")
	for i, want := range []int{0, 1} {
		if got := len(groupIDs(must(t, r, "DescribeSecurityGroups", query))); got != want {
			t.Errorf("listing %d: got %d tagged groups, want %d", i, got, want)
		}
		rulesOf(t, r, "sg-web")
	}
	reports := r.Server.Faults()
	if reports[0].Failed != "" || reports[1].Failed != "" || reports[2].Failed == "" {
		t.Errorf("got %q, %q and %q, want a refusal of the last only", reports[0].Failed, reports[1].Failed, reports[2].Failed)
	}
}

func TestARevokedRuleComesBack(t *testing.T) {
	r := startRevocable(t)
	before := ruleIDs(r, "sg-web")
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultEditAfter, Edit: cloud.EditRecreate, Times: 1, Action: revoke})
	must(t, r, revoke, byID("sgr-tcp"))
	after := ruleIDs(r, "sg-web")
	if diff := cmp.Diff([]string{"sgr-tcp"}, gone(r)); diff != "" || len(after) != len(before) {
		t.Errorf("got %v; gone (-want +got):\n%s", after, diff)
	}
	must(t, r, revoke, byID(after[len(after)-1]))
	if got := len(ruleIDs(r, "sg-web")); got != len(before)-1 {
		t.Errorf("got %d rules, want %d", got, len(before)-1)
	}
}

func TestAForgottenToken(t *testing.T) {
	r := startSmall(t)
	create := params("RegionId", "cn-hangzhou", "VpcId", "vpc-1", "ClientToken", "t")
	id := func() string { return must(t, r, "CreateSecurityGroup", create).text("SecurityGroupId") }
	first, second := id(), id()
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultForgetToken, Times: 1})
	third, fourth := id(), id()
	if first != second || third == first || fourth != third {
		t.Errorf("got groups %q", []string{first, second, third, fourth})
	}
}

func TestWhenAFaultWakesAndEnds(t *testing.T) {
	now := stoppedClock
	r := startSmall(t, func(o *ecsemu.Options) { o.Clock = func() time.Time { return now } })
	ask := func(action string) string { return call(t, r, action, params("RegionId", "cn-hangzhou")).code() }
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultError, Code: "A", Action: "DescribeRegions", After: "DescribeSecurityGroups", AfterCalls: 2})
	var got []string
	for _, action := range []string{
		"DescribeRegions", "DescribeSecurityGroups", "DescribeRegions", "DescribeSecurityGroups", "DescribeRegions", "DescribeRegions",
	} {
		got = append(got, ask(action))
	}
	if diff := cmp.Diff([]string{"", "", "", "", "A", "A"}, got); diff != "" {
		t.Errorf("by calls (-want +got):\n%s", diff)
	}
	got = nil
	setFaults(t, r, ecsemu.Fault{
		Kind: ecsemu.FaultError, Code: "A", From: stoppedClock.Add(time.Second), Until: stoppedClock.Add(3 * time.Second),
	})
	for range 4 {
		got = append(got, ask("DescribeRegions"))
		now = now.Add(time.Second)
	}
	if diff := cmp.Diff([]string{"", "A", "A", ""}, got); diff != "" {
		t.Errorf("by time (-want +got):\n%s", diff)
	}
}

func TestFaultsOfHandshakes(t *testing.T) {
	r := startSmall(t)
	r.URL = r.TLSURL
	query := func() (answer, error) {
		return tryPost(r, signed(http.MethodPost, ecsemu.DefaultKeySecret, common("DescribeRegions", nil)))
	}
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultTLSHandshake, Times: 1}, ecsemu.Fault{Kind: ecsemu.FaultTLSCertificate, Times: 1})
	for _, want := range []string{"remote error: tls", "certificate signed by unknown authority"} {
		if _, err := query(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
	if got, err := query(); err != nil || got.status != 200 {
		t.Errorf("once the faults were over: got %d, error %v", got.status, err)
	}
}

// TestFaultsOfListingsLeaveOtherAnswersAlone has them strike at answers that are no listings, and at empty ones.
func TestFaultsOfListingsLeaveOtherAnswersAlone(t *testing.T) {
	r := startSmall(t)
	plain := func(a answer) map[string]any {
		delete(a.body, "RequestId")
		return a.body
	}
	empty := hangzhou("SecurityGroupName", "nobody", "MaxResults", "10")
	for _, kind := range []ecsemu.FaultKind{ecsemu.FaultEmptyList, ecsemu.FaultDropItems, ecsemu.FaultRepeatItem} {
		for action, query := range map[string]url.Values{"GetCallerIdentity": nil, "DescribeSecurityGroups": empty} {
			setFaults(t, r)
			want := plain(must(t, r, action, query))
			setFaults(t, r, ecsemu.Fault{Kind: kind})
			if diff := cmp.Diff(want, plain(must(t, r, action, query))); diff != "" {
				t.Errorf("%s of %s (-want +got):\n%s", kind, action, diff)
			}
		}
	}
}

func TestARepeatedItemOfNumberedPages(t *testing.T) {
	r := ecsemu.Start(t, pagingEstate(25), atStoppedClock)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultRepeatItem})
	page := func(pairs ...string) answer {
		return call(t, r, "DescribeSecurityGroups", with(params("RegionId", "r", "PageSize", "10"), pairs...))
	}
	first, second := groupIDs(page()), groupIDs(page("PageNumber", "2"))
	if len(first) != 10 || len(second) != 11 || second[0] != first[9] {
		t.Errorf("got %v after %v", second, first)
	}
	if got := groupIDs(page("PageNumber", "2", "SecurityGroupName", "nobody")); len(got) != 0 {
		t.Errorf("got %v where there is nothing to repeat", got)
	}
	if got := page("PageNumber", "2", "RegionId", "none"); got.code() != "InvalidRegionId.NotFound" {
		t.Errorf("in an unknown region: got %d %q", got.status, got.code())
	}
}
