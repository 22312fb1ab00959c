package ecsapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Canaries: none of these may ever be seen outside of a request.
const (
	canaryKey    = "LTAI5tCanaryKeyOfThisTest"
	canarySecret = "canary/secret+of=this&test"
	canaryToken  = "canary/token+of=this&test"
)

var hangzhou = sg.Region{ID: "cn-hangzhou"}

// fastQuotas do not slow a test down.
func fastQuotas() map[string]float64 {
	quotas := DefaultQuotas()
	for action := range quotas {
		quotas[action] = 1e6
	}
	return quotas
}

func testOptions(url string) Options {
	return Options{
		Endpoint: url, Quotas: fastQuotas(), Now: time.Now, Clients: 4,
		Credentials: Credentials{KeyID: canaryKey, Secret: canarySecret, SecurityToken: canaryToken},
	}
}

func newTestClient(t *testing.T, url string, apply ...func(*Options)) *Client {
	t.Helper()
	o := testOptions(url)
	for _, a := range apply {
		a(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// script is a server that gives its answers in turn, the last one for ever, and keeps what it was asked.
type script struct {
	*httptest.Server
	mu      sync.Mutex
	asked   []map[string]string
	answers []http.HandlerFunc
}

func newScript(t *testing.T, answers ...http.HandlerFunc) *script {
	t.Helper()
	s := &script{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	params := map[string]string{}
	for key, values := range r.URL.Query() {
		params[key] = values[0]
	}
	s.mu.Lock()
	s.asked = append(s.asked, params)
	answer := s.answers[min(len(s.asked), len(s.answers))-1]
	s.mu.Unlock()
	answer(w, r)
}

// requests gives what was asked so far.
func (s *script) requests() []map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// says answers with a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// fails answers with an error of the cloud whose message repeats the whole signed request, as no cloud should.
func fails(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := json.Marshal(map[string]string{
			"RequestId": "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E", "Code": code, "Message": "you asked " + r.URL.String(),
		})
		says(status, string(body))(w, r)
	}
}

const regionsBody = `{"RequestId":"R","Regions":{"Region":[{"RegionId":"cn-hangzhou",` +
	`"RegionEndpoint":"ecs.cn-hangzhou.aliyuncs.com","LocalName":"x","Status":"soldOut"},{"RegionId":"us-west-1"}]}}`

// noCanary fails a test if a text holds a credential or a signature, in any spelling.
func noCanary(t *testing.T, what, text string) {
	t.Helper()
	text = strings.NewReplacer("Signature="+hidden, "", `Signature=\u003csecret\u003e`, "").Replace(text)
	for _, secret := range []string{
		canaryKey, canarySecret, canaryToken, "canary%2F", "canary%252F", "of=this", "CanaryKey", "Signature=",
		"server string", fmt.Sprintf("%x", canaryKey), fmt.Sprintf("%x", canarySecret), fmt.Sprintf("%X", canarySecret),
	} {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds %q:\n%s", what, secret, text)
		}
	}
}

// recorder is an observer that keeps what it is told.
type recorder struct {
	mu    sync.Mutex
	calls []string
	waits []time.Duration
}

func (r *recorder) Call(action string, class Class, latency time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if latency < 0 {
		class = "negative latency"
	}
	r.calls = append(r.calls, action+" "+string(class))
}

func (r *recorder) Wait(_ string, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits = append(r.waits, d)
}
