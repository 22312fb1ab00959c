package ecsapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

const (
	requestID = "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"
	wroteBody = `{"RequestId":"` + requestID + `"}`
)

// revoke is a write that has time.
func revoke(apply ...func(*Write)) *Write {
	w := &Write{
		Action: "RevokeSecurityGroupEgress", Region: hangzhou, NotAfter: time.Now().Add(time.Minute),
		Parameters: map[string]string{
			"RegionId": "cn-hangzhou", "SecurityGroupId": "sg-1", "SecurityGroupRuleId.1": "sgr-1",
			"SecurityGroupRuleId.2": "sgr 2&+~*=/安", "ClientToken": "0123456789abcdef",
		},
	}
	for _, a := range apply {
		a(w)
	}
	return w
}

// wantClass wants an error of a class.
func wantClass(t *testing.T, err error, want Class) {
	t.Helper()
	if e, ok := errors.AsType[*Error](err); !ok || e.Class != want {
		t.Fatalf("got %v, want an error of class %s", err, want)
	}
}

func TestWriteSendsWhatItIsGiven(t *testing.T) {
	server, r := newScript(t, says(http.StatusOK, wroteBody)), &recorder{}
	c := newTestClient(t, server.URL, func(o *Options) { o.Observer = r })
	w := revoke()
	got, err := c.Write(t.Context(), w)
	if err != nil || got != requestID {
		t.Fatalf("got %q, %v; want the request id", got, err)
	}
	asked := server.requests()
	if len(asked) != 1 {
		t.Fatalf("asked %d times, want once", len(asked))
	}
	common := map[string]string{
		"AccessKeyId": canaryKey, "SecurityToken": canaryToken, "Format": "JSON", "SignatureMethod": "HMAC-SHA1",
		"SignatureVersion": "1.0", "SignatureType": "", "Action": "RevokeSecurityGroupEgress", "Version": "2014-05-26",
	}
	for name, value := range common {
		if asked[0][name] != value {
			t.Errorf("%s is %q, want %q", name, asked[0][name], value)
		}
		delete(asked[0], name)
	}
	for _, name := range []string{"Signature", "SignatureNonce", "Timestamp"} {
		delete(asked[0], name)
	}
	if diff := cmp.Diff(w.Parameters, asked[0]); diff != "" {
		t.Errorf("parameters, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"RevokeSecurityGroupEgress ok"}, r.calls); diff != "" || len(r.waits) != 1 {
		t.Errorf("observer was told of %d waits, -want +got:\n%s", len(r.waits), diff)
	}
}

func TestAWriteThatIsHeldIsNotSent(t *testing.T) {
	server := newScript(t, says(http.StatusOK, wroteBody))
	c := newTestClient(t, server.URL)
	held := revoke(func(w *Write) { w.Hold = func(context.Context) error { return errors.New("somebody has paused") } })
	_, err := c.Write(t.Context(), held)
	wantClass(t, err, Unsent)
	if !strings.Contains(err.Error(), "somebody has paused") || len(server.requests()) > 0 {
		t.Errorf("got %v after %d requests, want the reason and nothing sent", err, len(server.requests()))
	}
	free := revoke(func(w *Write) { w.Hold = func(context.Context) error { return nil } })
	if _, err := c.Write(t.Context(), free); err != nil {
		t.Errorf("a write that is not held: %v", err)
	}
}

func TestRegionsThatTheCloudNamedAnEndpointForAreCalledThere(t *testing.T) {
	c := newTestClient(t, "")
	c.endpoints.Store("cn-odd", "ecs-odd.aliyuncs.com")
	for region, want := range map[string]string{"cn-odd": "ecs-odd.aliyuncs.com", "cn-even": "ecs.cn-even.aliyuncs.com"} {
		got, err := c.host(&request{product: productECS, region: sg.Region{ID: region}})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", region, got, err, want)
		}
	}
}

func TestWriteIsAttemptedOnceWhateverComesBack(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	tests := map[string]struct {
		answer http.HandlerFunc
		want   Class
		code   string
		id     string
		hint   string
	}{
		"a success":            {says(200, wroteBody), OK, "", requestID, ""},
		"a throttle":           {fails(400, "Throttling.User"), Throttled, "Throttling.User", requestID, hintThrottle},
		"a rule that is gone":  {fails(404, "InvalidSecurityGroupRuleId.NotFound"), Gone, "InvalidSecurityGroupRuleId.NotFound", requestID, ""},
		"a group that is gone": {fails(404, "InvalidSecurityGroupId.NotFound"), GroupGone, "InvalidSecurityGroupId.NotFound", requestID, ""},
		"another's group": {
			fails(403, "InvalidOperation.ResourceManagedByCloudProduct"), Protected,
			"InvalidOperation.ResourceManagedByCloudProduct", requestID, "",
		},
		"a token used before": {fails(400, "IdempotentParameterMismatch"), Idempotency, "IdempotentParameterMismatch", requestID, ""},
		"a token in use":      {fails(403, "LastTokenProcessing"), InProgress, "LastTokenProcessing", requestID, ""},
		"no grant":            {fails(403, "Forbidden.RAM"), Denied, "Forbidden.RAM", requestID, "see deploy/ram/revoke.json"},
		"a stale session":     {fails(400, "InvalidSecurityToken.Expired"), Denied, "InvalidSecurityToken.Expired", requestID, "set " + envSecurityToken},
		"a busy cloud":        {fails(503, "ServiceUnavailable"), Transient, "ServiceUnavailable", requestID, hintUnknown},
		"an unknown code":     {fails(418, "Teapot"), Transient, "Teapot", requestID, hintUnknown},
		"an error of nobody":  {echo(500, json, `{"Message":"x"}`), Transient, "", "", hintUnknown},
		"no request id":       {says(200, `{}`), Transient, "", "", hintUnknown},
		"an empty request id": {says(200, `{"RequestId":null}`), Transient, "", "", hintUnknown},
		"a body cut short":    {says(200, wroteBody[:20]), Transient, "", "", hintUnknown},
		"an empty answer":     {says(200, ""), Transient, "", "", hintBetween},
		"a web page":          {echo(200, "text/html", "<html>%s"), Transient, "", "", hintBetween},
		"a redirect":          {echo(307, json, "%s"), Transient, "", "", hintBetween},
		"a lost connection":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Transient, "", "", hintUnknown},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(wroteBody))
		}, Transient, "", "", hintUnknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newScript(t, tt.answer, says(200, wroteBody))
			id, err := newTestClient(t, server.URL).Write(t.Context(), revoke())
			if got := len(server.requests()); got != 1 {
				t.Errorf("asked %d times, want once", got)
			}
			if id != tt.id {
				t.Errorf("request id %q, want %q", id, tt.id)
			}
			if tt.want == OK {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantClass(t, err, tt.want)
			e, _ := errors.AsType[*Error](err)
			if e.Code != tt.code || e.RequestID != tt.id || !strings.Contains(e.Hint(), tt.hint) {
				t.Errorf("got %+v, hint %q; want code %q and hint %q", e, e.Hint(), tt.code, tt.hint)
			}
			wantClean(t, err, e.Message)
		})
	}
}

func TestWriteRefusesACallThatIsNotWhole(t *testing.T) {
	server := newScript(t, says(200, wroteBody))
	c := newTestClient(t, server.URL)
	set := func(name, value string) func(*Write) {
		return func(w *Write) { w.Parameters[name] = value }
	}
	tests := map[string]struct {
		apply func(*Write)
		want  string
	}{
		"another action":       {func(w *Write) { w.Action = "DeleteSecurityGroup" }, `"DeleteSecurityGroup": not an action`},
		"no time":              {func(w *Write) { w.NotAfter = time.Time{} }, errNoNotAfter.Error()},
		"no token":             {set("ClientToken", ""), errNoToken.Error()},
		"no region":            {func(w *Write) { w.Region.ID = "" }, "expected the same"},
		"another region":       {set("RegionId", "cn-beijing"), `its RegionId is "cn-beijing", that of the call "cn-hangzhou"`},
		"no region parameter":  {func(w *Write) { delete(w.Parameters, "RegionId") }, "expected the same"},
		"another version":      {set("Version", "x"), "parameter Version"},
		"a key":                {set("AccessKeyId", "x"), "parameter AccessKeyId"},
		"a part of signatures": {set("SignatureNonce", "x"), "parameter SignatureNonce"},
		"a region that is no name": {func(w *Write) {
			w.Region.ID, w.Parameters["RegionId"] = "a.example/", "a.example/"
		}, "not a region id"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := c.Write(t.Context(), revoke(tt.apply))
			wantClass(t, err, Invalid)
			wantClean(t, err, tt.want)
		})
	}
	if got := len(server.requests()); got != 0 {
		t.Errorf("asked %d times, want never", got)
	}
}

func TestADeniedRestoreNamesTheGrantOfRestores(t *testing.T) {
	server := newScript(t, fails(403, "Forbidden.RAM"))
	_, err := newTestClient(t, server.URL).Write(t.Context(), revoke(func(w *Write) { w.Action = actionAuthorize }))
	const want = "grant the ram action ecs:AuthorizeSecurityGroupEgress, see deploy/ram/restore.json"
	wantClass(t, err, Denied)
	wantClean(t, err, "; "+want)
}

func TestAThrottledWriteHoldsTheNext(t *testing.T) {
	server := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ratelimit-User-Api", "Limit:1,Remain:0,TimeLeft:60000,Reset:1234")
		fails(400, "Throttling.User")(w, r)
	})
	c := newTestClient(t, server.URL)
	_, err := c.Write(t.Context(), revoke())
	wantClass(t, err, Throttled)
	_, err = c.Write(t.Context(), revoke(func(w *Write) { w.NotAfter = time.Now().Add(20 * time.Millisecond) }))
	wantClass(t, err, Unsent)
	wantClean(t, err, "nothing was sent: too late to send it; "+hintLate)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		t.Error("the caller's context has not ended, yet the error says so")
	}
	if got := len(server.requests()); got != 1 {
		t.Errorf("asked %d times, want once", got)
	}
}

func TestAWriteWhoseBucketIsGivenUpIsThrottled(t *testing.T) {
	c := newTestClient(t, "http://127.0.0.1:1")
	bucket := c.limiter.bucket("cn-hangzhou", actionRevoke)
	for window := range maxStrikes {
		bucket.throttled(window, 0)
	}
	_, err := c.Write(t.Context(), revoke())
	wantClass(t, err, Throttled)
	if !errors.Is(err, sg.ErrThrottled) {
		t.Errorf("got %v, want %v", err, sg.ErrThrottled)
	}
}

func TestWritesAreSlowUnlessToldOtherwise(t *testing.T) {
	for _, action := range []string{actionRevoke, actionAuthorize} {
		if got := DefaultQuotas()[action]; got != 1 {
			t.Errorf("%s has %v per second, want 1", action, got)
		}
	}
}
