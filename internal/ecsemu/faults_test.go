package ecsemu_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

const attributeAction = "DescribeSecurityGroupAttribute"

func setFaults(t *testing.T, r *ecsemu.Running, faults ...ecsemu.Fault) {
	t.Helper()
	if err := r.Server.SetFaults(faults); err != nil {
		t.Fatal(err)
	}
}

func TestFaultsThatAnswerSomethingElse(t *testing.T) {
	r := startSmall(t)
	for _, test := range []struct {
		name        string
		fault       ecsemu.Fault
		status      int
		code        string
		message     string
		contentType string
		length      int
	}{
		{
			"an error without details",
			ecsemu.Fault{Kind: ecsemu.FaultError},
			503, "ServiceUnavailable",
			"The request has failed due to a temporary failure of the server.", "application/json;charset=utf-8", -1,
		},
		{
			"a documented code brings its status",
			ecsemu.Fault{Kind: ecsemu.FaultError, Code: "InternalError"},
			500, "InternalError",
			"The request processing has failed due to some unknown error.", "application/json;charset=utf-8", -1,
		},
		{
			"a denial",
			ecsemu.Fault{Kind: ecsemu.FaultError, Code: "Forbidden.RAM"},
			403, "Forbidden.RAM",
			"User not authorized to operate on the specified resource, or this API doesn't support RAM.",
			"application/json;charset=utf-8", -1,
		},
		{
			"any other code",
			ecsemu.Fault{Kind: ecsemu.FaultError, Code: "Throttling.Api", Status: 400, Message: "slow down"},
			400, "Throttling.Api", "slow down", "application/json;charset=utf-8", -1,
		},
		{"a web page", ecsemu.Fault{Kind: ecsemu.FaultHTML}, 200, "", "", "text/html; charset=utf-8", -1},
		{"a web page with a status", ecsemu.Fault{Kind: ecsemu.FaultHTML, Status: 502}, 502, "", "", "text/html; charset=utf-8", -1},
		{"nothing", ecsemu.Fault{Kind: ecsemu.FaultEmptyBody}, 200, "", "", "application/json;charset=utf-8", 0},
		{
			"a used-up quota",
			ecsemu.Fault{Kind: ecsemu.FaultThrottle},
			400, "Throttling.User",
			"Request was denied due to user flow control.", "application/json;charset=utf-8", -1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			setFaults(t, r, test.fault)
			got := call(t, r, "DescribeRegions", nil)
			if got.status != test.status || got.code() != test.code || got.message() != test.message {
				t.Errorf("got %d %q %q, want %d %q %q", got.status, got.code(), got.message(), test.status, test.code, test.message)
			}
			if kind := got.header.Get("Content-Type"); kind != test.contentType {
				t.Errorf("got content type %q, want %q", kind, test.contentType)
			}
			if test.length >= 0 && len(got.raw) != test.length || test.length < 0 && got.raw == "" {
				t.Errorf("got body %q", got.raw)
			}
			header := got.header.Get("X-Ratelimit-User-Api")
			if throttled := test.fault.Kind == ecsemu.FaultThrottle; throttled != (header == "Limit:1,Remain:0,TimeLeft:1000,Reset:1000") {
				t.Errorf("got rate limit header %q", header)
			}
		})
	}
}

func TestFaultsThatBreakTheConnection(t *testing.T) {
	r := startSmall(t)
	query := func() url.Values {
		return signed(http.MethodPost, ecsemu.DefaultKeySecret, common("DescribeRegions", nil))
	}
	healthy := post(t, r, query())
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultTruncate})
	got, err := tryPost(r, query())
	if err == nil || !strings.Contains(err.Error(), io.ErrUnexpectedEOF.Error()) {
		t.Errorf("truncate: got error %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if want := len(healthy.raw) / 2; len(got.raw) != want || got.header.Get("Content-Length") != healthy.header.Get("Content-Length") {
		t.Errorf("truncate: got %d bytes of %q, want %d", len(got.raw), got.header.Get("Content-Length"), want)
	}
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultClose})
	if got, err := tryPost(r, query()); err == nil {
		t.Errorf("close: got an answer: %d %s", got.status, got.raw)
	}
	requests := r.Server.Requests()
	if last := requests[len(requests)-1]; last.Status != 0 {
		t.Errorf("close: got recorded status %d, want 0", last.Status)
	}
	setFaults(t, r)
	if got := post(t, r, query()); got.status != 200 {
		t.Errorf("got %d once the faults were cleared", got.status)
	}
}

// TestWhichFaultsLetTheCallHappen checks what a client cannot know from a broken answer: whether the call was done.
func TestWhichFaultsLetTheCallHappen(t *testing.T) {
	for kind, want := range map[ecsemu.FaultKind]int{
		ecsemu.FaultLatency: 1, ecsemu.FaultTruncate: 1, ecsemu.FaultError: 0, ecsemu.FaultThrottle: 0, ecsemu.FaultHTML: 0,
		ecsemu.FaultEmptyBody: 0, ecsemu.FaultClose: 0, ecsemu.FaultLoseAnswer: 1, ecsemu.FaultErrorAfter: 1,
		ecsemu.FaultIgnore: 0,
	} {
		r := startSmall(t)
		setFaults(t, r, ecsemu.Fault{Kind: kind, Latency: 1, Action: authorize})
		rule := web("IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "0.0.0.0/0")
		_, _ = tryPost(r, signed(http.MethodPost, ecsemu.DefaultKeySecret, common(authorize, rule)))
		if got := len(rulesOf(t, r, "sg-web")); got != want {
			t.Errorf("%s: got %d rules, want %d", kind, got, want)
		}
		if got := r.Server.Requests()[0].Effect; got != (want > 0) {
			t.Errorf("%s: got recorded effect %t, want %t", kind, got, want > 0)
		}
	}
}

func TestLatencyHoldsAnAnswerBack(t *testing.T) {
	r := startSmall(t)
	for _, kind := range []ecsemu.FaultKind{ecsemu.FaultLatency, ecsemu.FaultThrottle, ecsemu.FaultError, ecsemu.FaultHTML} {
		setFaults(t, r, ecsemu.Fault{Kind: kind, Latency: 30 * time.Millisecond})
		began := time.Now()
		call(t, r, "DescribeRegions", nil)
		if took := time.Since(began); took < 30*time.Millisecond {
			t.Errorf("%s: the answer took %s, want at least 30ms", kind, took)
		}
	}
}

func TestLoopingTokens(t *testing.T) {
	r := ecsemu.Start(t, pagingEstate(40), atStoppedClock)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultLoopToken})
	for _, test := range []struct {
		action string
		query  url.Values
	}{
		{"DescribeSecurityGroups", params("RegionId", "r", "MaxResults", "10")},
		{attributeAction, params("RegionId", "r", "SecurityGroupId", "sg-00000", "MaxResults", "10")},
	} {
		first := must(t, r, test.action, test.query)
		second := must(t, r, test.action, with(test.query, "NextToken", first.text("NextToken")))
		delete(first.body, "RequestId")
		delete(second.body, "RequestId")
		if diff := cmp.Diff(first.body, second.body); diff != "" || first.text("NextToken") == "" {
			t.Errorf("%s: token %q (-first +second):\n%s", test.action, first.text("NextToken"), diff)
		}
	}
	// A client that sends its page size with the first request only goes on looping too.
	got := must(t, r, "DescribeSecurityGroups", params("RegionId", "r", "NextToken", "any"))
	if got.text("NextToken") == "" || len(groupIDs(got)) != 10 || got.body["TotalCount"] != nil {
		t.Errorf("without a page size: got %s", got.raw)
	}
	must(t, r, "DescribeRegions", nil)
	if got := r.Server.Faults()[0].Hits; got != 5 {
		t.Errorf("got %d hits, want 5: only listings loop", got)
	}
}

func TestStaleReads(t *testing.T) {
	r := startSmall(t)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultStale})
	must(t, r, authorize, web("IpProtocol", "all", "PortRange", "-1/-1", "DestCidrIp", "0.0.0.0/0"))
	must(t, r, "CreateSecurityGroup", params("RegionId", "cn-hangzhou", "VpcId", "vpc-1"))
	if got := len(rulesOf(t, r, "sg-web")); got != 0 {
		t.Errorf("got %d rules, want those of the past: none", got)
	}
	count := func() int {
		return len(groupIDs(must(t, r, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou"))))
	}
	if got := count(); got != 8 {
		t.Errorf("got %d groups, want those of the past: 8", got)
	}
	setFaults(t, r)
	if got := len(rulesOf(t, r, "sg-web")); got != 1 {
		t.Errorf("got %d rules once the fault was cleared, want 1", got)
	}
	if got := count(); got != 9 {
		t.Errorf("got %d groups once the fault was cleared, want 9", got)
	}
}

func TestStaleListingsKeepDeletedGroups(t *testing.T) {
	r := startSmall(t)
	list := func() []string {
		return groupIDs(must(t, r, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou")))
	}
	before := list()
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultStale, Action: "DescribeSecurityGroups"},
		ecsemu.Fault{Kind: ecsemu.FaultDeleteGroup})
	got := call(t, r, attributeAction, web())
	if got.code() != "InvalidSecurityGroupId.NotFound" {
		t.Errorf("got code %q for the deleted group", got.code())
	}
	if diff := cmp.Diff(before, list()); diff != "" {
		t.Errorf("groups (-before +after):\n%s", diff)
	}
}

func TestAGroupIsDeletedBeforeItsSecondPage(t *testing.T) {
	r := ecsemu.Start(t, pagingEstate(40), atStoppedClock)
	setFaults(t, r, ecsemu.Fault{Kind: ecsemu.FaultDeleteGroup, Group: "sg-00000", Skip: 1, Times: 1})
	must(t, r, attributeAction, params("RegionId", "r", "SecurityGroupId", "sg-00001"))
	query := params("RegionId", "r", "SecurityGroupId", "sg-00000", "MaxResults", "10")
	first := must(t, r, attributeAction, query)
	second := call(t, r, attributeAction, with(query, "NextToken", first.text("NextToken")))
	if second.status != 404 || second.code() != "InvalidSecurityGroupId.NotFound" {
		t.Errorf("got %d %q for the second page", second.status, second.code())
	}
	if got := groupIDs(must(t, r, "DescribeSecurityGroups", params("RegionId", "r", "MaxResults", "100"))); len(got) != 39 {
		t.Errorf("got %d groups, want 39", len(got))
	}
}

func TestWhenFaultsFire(t *testing.T) {
	ask := func(r *ecsemu.Running, action string, pairs ...string) string {
		return call(t, r, action, params(pairs...)).code()
	}
	fault := func(code string, f ecsemu.Fault) ecsemu.Fault {
		f.Kind, f.Code = ecsemu.FaultError, code
		return f
	}
	t.Run("skipped, then so many times, and the next one after it", func(t *testing.T) {
		r := startSmall(t)
		setFaults(t, r, fault("A", ecsemu.Fault{Skip: 1, Times: 2}), fault("B", ecsemu.Fault{Times: 2}))
		var got []string
		for range 5 {
			got = append(got, ask(r, "DescribeRegions"))
		}
		if diff := cmp.Diff([]string{"B", "A", "A", "B", ""}, got); diff != "" {
			t.Errorf("codes (-want +got):\n%s", diff)
		}
	})
	t.Run("by action, region and group", func(t *testing.T) {
		r := startSmall(t)
		setFaults(t, r,
			fault("list", ecsemu.Fault{Group: "pl-v4"}), fault("region", ecsemu.Fault{Region: "cn-qingdao"}),
			fault("action", ecsemu.Fault{Action: "DescribeRegions"}), fault("group", ecsemu.Fault{Group: "sg-web"}))
		got := []string{
			ask(r, "DescribePrefixListAttributes", "RegionId", "cn-hangzhou", "PrefixListId", "pl-v4"),
			ask(r, "DescribeSecurityGroups", "RegionId", "cn-qingdao"),
			ask(r, "DescribeRegions"),
			ask(r, attributeAction, "RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web"),
			ask(r, attributeAction, "RegionId", "cn-hangzhou", "SecurityGroupId", "sg-db"),
		}
		if diff := cmp.Diff([]string{"list", "region", "action", "group", ""}, got); diff != "" {
			t.Errorf("codes (-want +got):\n%s", diff)
		}
	})
	t.Run("by chance, the same for the same seed", func(t *testing.T) {
		r := startSmall(t)
		draw := func() (codes []string, hits int) {
			setFaults(t, r, fault("A", ecsemu.Fault{Probability: 0.5, Seed: 7}))
			for range 40 {
				codes = append(codes, ask(r, "DescribeRegions"))
			}
			return codes, r.Server.Faults()[0].Hits
		}
		first, hits := draw()
		second, _ := draw()
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("codes (-first +second):\n%s", diff)
		}
		if hits < 8 || hits > 32 {
			t.Errorf("got %d hits of 40 at a probability of a half", hits)
		}
	})
	t.Run("after calls of any action", func(t *testing.T) {
		r := startSmall(t)
		setFaults(t, r, fault("A", ecsemu.Fault{AfterCalls: 2}))
		got := []string{ask(r, "DescribeRegions"), ask(r, "GetCallerIdentity"), ask(r, "DescribeRegions")}
		if diff := cmp.Diff([]string{"", "", "A"}, got); diff != "" {
			t.Errorf("codes (-want +got):\n%s", diff)
		}
	})
	t.Run("not at requests the gateway refuses", func(t *testing.T) {
		r := startSmall(t)
		setFaults(t, r, fault("A", ecsemu.Fault{}))
		if got := post(t, r, signed(http.MethodPost, "wrong", common("DescribeRegions", nil))).code(); got != "SignatureDoesNotMatch" {
			t.Errorf("got code %q", got)
		}
	})
}

// control sends a request to a control endpoint.
func control(t *testing.T, r *ecsemu.Running, method, path, body string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	response, err := r.Client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // Read only.
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(raw))
}

func TestFaultsOverHTTP(t *testing.T) {
	r := startSmall(t)
	const path = "/_emulator/faults"
	set := `[{"kind":"error","action":"DescribeRegions","times":1,"latency":"1ms","status":503,"code":"ServiceUnavailable"}]`
	if status, body := control(t, r, http.MethodPost, path, set); status != 200 {
		t.Fatalf("got %d: %s", status, body)
	}
	call(t, r, "DescribeRegions", nil)
	call(t, r, "DescribeRegions", nil)
	_, body := control(t, r, http.MethodGet, path, "")
	want := strings.TrimSuffix(set, "}]") + `,"hits":1}]`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("faults shown (-want +got):\n%s", diff)
	}
	// What is shown can be sent back.
	if status, answer := control(t, r, http.MethodPost, path, body); status != 200 {
		t.Errorf("sending back: got %d: %s", status, answer)
	}
	for _, test := range []struct{ name, body, at, want string }{
		{"no JSON", `nope`, "", "at byte 2: invalid character 'o' in literal null (expecting 'u')"},
		{"null", `null`, "", "found null; an empty array clears the faults"},
		{"something behind it", `[] []`, "", "there is something after it"},
		{"an unknown field", `[{"kind":"close","tims":1}]`, "/0/tims", `fault 1: json: unknown field "tims"`},
		{"a field of another type", `[{"kind":"close","times":"1"}]`, "/0/times", "cannot unmarshal string"},
		{"an unknown kind", `[{"kind":"close"},{"kind":"closed"}]`, "/1/kind", `setting fault 2: the kind "closed" is unknown; known kinds: ["latency" "error"`},
		{"a latency that is none", `[{"kind":"latency","latency":"soon"}]`, "/0/latency", `fault 1: reading the latency: time: invalid duration "soon"`},
		{"no latency", `[{"kind":"latency"}]`, "/0/latency", `setting fault 1: the kind "latency" needs a latency`},
		{"a negative number", `[{"kind":"close","skip":-1}]`, "/0", "skip (-1), times (0), afterCalls (0) and latency (0s) must not be negative"},
		{"negative times", `[{"kind":"close","times":-1}]`, "/0", "must not be negative"},
		{"a negative number of calls", `[{"kind":"close","afterCalls":-1}]`, "/0", "must not be negative"},
		{"a negative latency", `[{"kind":"close","latency":"-1s"}]`, "/0", "must not be negative"},
		{"a negative interval", `[{"kind":"drip","interval":"-1s"}]`, "/0", "must not be negative"},
		{"a negative count", `[{"kind":"drop-items","count":-1}]`, "/0", "must not be negative"},
		{"a negative lag", `[{"kind":"lag","lag":"-1s"}]`, "/0", "must not be negative"},
		{"a probability under 0", `[{"kind":"close","probability":-0.5}]`, "/0/probability", "the probability -0.5 is not from 0 to 1"},
		{"a status beyond the last", `[{"kind":"html","status":600}]`, "/0/status", "is not from 200 to 599"},
		{"a later error that is none", `[{"kind":"error-after","status":399}]`, "/0/status", "is not from 400 to 599"},
		{"a later call of nothing", `[{"kind":"call-after","params":{"Action":"X"}}]`, "/0/params/Action", `the action "X" is unknown`},
		{"a handshake after calls", `[{"kind":"tls-handshake","afterCalls":1}]`, "/0", "there is no request yet"},
		{"a handshake that waits", `[{"kind":"tls-handshake","latency":"1s"}]`, "/0", "there is no request yet"},
		{"a negative size", `[{"kind":"oversize","size":-1}]`, "/0", "interval (0s), size (-1), count (0) and lag (0s) must not be negative"},
		{"a probability over 1", `[{"kind":"close","probability":2}]`, "/0/probability", "the probability 2 is not from 0 to 1"},
		{"a status that is none", `[{"kind":"html","status":99}]`, "/0/status", `the status 99 of the kind "html" is not from 200 to 599`},
		{"an error that is none", `[{"kind":"error","status":200}]`, "/0/status", `the status 200 of the kind "error" is not from 400 to 599`},
		{"an unknown action", `[{"kind":"close","action":"DescribeSecurityGroup"}]`, "/0/action", `the action "DescribeSecurityGroup" is unknown; known actions: ["`},
		{"an unknown action to wait for", `[{"kind":"close","after":"X","afterCalls":1}]`, "/0/after", `the action "X" is unknown`},
		{"an action to wait for and no number", `[{"kind":"close","after":"DescribeRegions"}]`, "/0/after", "after goes with afterCalls only"},
		{"an end before the beginning", `[{"kind":"close","from":"2026-03-02T00:00:00Z","until":"2026-03-01T00:00:00Z"}]`, "/0/until", "would end before it begins"},
		{"a kind that makes no sense for the action", `[{"kind":"stale","action":"TagResources"}]`, "/0/action", `the kind "stale" does not go with the action "TagResources"`},
		{"a reading call to ignore", `[{"kind":"ignore","action":"DescribeRegions"}]`, "/0/action", `the kind "ignore" does not go with`},
		{"an edit before a call about no group", `[{"kind":"edit-before","edit":"tag","action":"TagResources"}]`, "/0/action", `does not go with the action "TagResources"`},
		{"no edit", `[{"kind":"edit-before"}]`, "/0/edit", `the kind "edit-before" needs the field edit`},
		{"an unknown edit", `[{"kind":"edit-before","edit":"x"}]`, "/0/edit", `the edit "x" is unknown; known edits: ["tag"`},
		{"a field of other kinds", `[{"kind":"close","rule":"sgr-a"}]`, "/0/rule", `the kind "close" takes no rule`},
		{"an unknown ending", `[{"kind":"close","how":"softly"}]`, "/0/how", `the ending "softly" is unknown`},
		{"a throttling that is none", `[{"kind":"throttle","code":"Throttled"}]`, "/0/code", `the code "Throttled" is none of ["Throttling"`},
		{"a header with a line break", `[{"kind":"answer","location":"a\nb"}]`, "/0", "a header must not hold a line break"},
		{"a call of nothing", `[{"kind":"call-before","params":{"Action":"X"}}]`, "/0/params/Action", `the action "X" is unknown`},
		{"a handshake of an action", `[{"kind":"tls-handshake","action":"DescribeRegions"}]`, "/0", "there is no request yet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := control(t, r, http.MethodPost, path, test.body)
			var got struct{ At, Message string }
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if status != 400 || got.At != test.at || !strings.Contains(got.Message, test.want) {
				t.Errorf("got %d at %q: %s\nwant 400 at %q: %s", status, got.At, got.Message, test.at, test.want)
			}
			if got := r.Server.Faults(); len(got) != 1 {
				t.Errorf("got %d faults, want the one from before", len(got))
			}
		})
	}
	if status, body := control(t, r, http.MethodDelete, path, ""); status != 204 || len(r.Server.Faults()) != 0 {
		t.Errorf("deleting: got %d %s, %d faults", status, body, len(r.Server.Faults()))
	}
	if _, body := control(t, r, http.MethodPost, path, "[]"); body != "[]" {
		t.Errorf("after clearing: got %s", body)
	}
}
