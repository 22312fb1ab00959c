// Package promtest runs a real Prometheus in tests, so that what dashboards and rules ask is asked of the server that
// will be asked.
//
//	if !promtest.Available(t) {
//		return
//	}
//	server := promtest.Start(t, []string{"127.0.0.1:9464"}, rules)
//	server.WaitFor(t, `count(up == 1)`)
//	samples, err := server.Query(t, `egress_janitor_armed`)
//
// It needs the programs prometheus and promtool, of 2.42 or later.
package promtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Job is the scrape job of the targets.
const Job = "egress-janitor"

// patience is how long the server may take for what it takes a second or two for.
const patience = time.Minute

// Available tells whether the programs are there. If not, the test fails where CI=true; elsewhere the log says what is
// not checked.
func Available(t *testing.T) bool {
	t.Helper()
	for _, program := range []string{"prometheus", "promtool"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed: %v", program, err)
			}
			t.Logf("NOT CHECKED: %s needs the program %s", t.Name(), program)
			return false
		}
	}
	return true
}

// Sample is one series of an answer.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Prometheus is a running server.
type Prometheus struct {
	base   string
	client *http.Client
}

// Start starts a server on loopback that scrapes the targets (host:port, at /metrics) every second and evaluates the
// rules of a file as often. It ends with the test.
func Start(t *testing.T, targets []string, rules string) *Prometheus {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, configuration(t, targets, rules), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log")) //nolint:gosec // a directory of the test's own
	if err != nil {
		t.Fatal(err)
	}
	address := freePort(t)
	//nolint:gosec // The program is a constant, and the arguments are of the test's own making.
	command := exec.CommandContext(context.WithoutCancel(t.Context()), "prometheus",
		"--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, command, log) })
	p := &Prometheus{base: "http://" + address, client: &http.Client{Timeout: 10 * time.Second}}
	p.poll(t, "the server answers", func() error {
		_, err := p.get(t.Context(), "/-/ready", nil)
		return err
	})
	return p
}

func stop(t *testing.T, command *exec.Cmd, log *os.File) {
	t.Helper()
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("ending prometheus: %v", err)
	}
	err := command.Wait()
	if err == nil && !t.Failed() {
		return
	}
	text, readErr := os.ReadFile(log.Name())
	t.Logf("prometheus ended with %v and wrote (%v):\n%s", err, readErr, text)
}

// configuration is JSON, of which YAML is a superset.
func configuration(t *testing.T, targets []string, rules string) []byte {
	t.Helper()
	files := []string{}
	if rules != "" {
		absolute, err := filepath.Abs(rules)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, absolute)
	}
	data, err := json.Marshal(map[string]any{
		"global":     map[string]string{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
		"rule_files": files,
		"scrape_configs": []map[string]any{{
			"job_name":       Job,
			"static_configs": []map[string]any{{"targets": targets}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// freePort gives a loopback address that nothing listens on. The server cannot be told to choose one and say which.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

// WaitFor waits until a query gives at least one sample. The test fails if it takes longer than a minute.
func (p *Prometheus) WaitFor(t *testing.T, query string) {
	t.Helper()
	p.poll(t, query, func() error {
		samples, err := p.Query(t.Context(), query)
		if err == nil && len(samples) == 0 {
			err = errors.New("no sample")
		}
		return err
	})
}

func (p *Prometheus) poll(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waiting for %s: %v", what, err)
		case <-ticker.C:
		}
	}
}

// Query evaluates an expression now.
func (p *Prometheus) Query(ctx context.Context, query string) ([]Sample, error) {
	data, err := p.get(ctx, "/api/v1/query", url.Values{"query": {query}})
	if err != nil {
		return nil, fmt.Errorf("querying %s: %w", query, err)
	}
	var answer struct {
		ResultType string
		Result     json.RawMessage
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fmt.Errorf("reading the answer to %s: %w", query, err)
	}
	if answer.ResultType != "vector" {
		return nil, fmt.Errorf("querying %s: the answer is a %s, not a vector", query, answer.ResultType)
	}
	var series []struct {
		Metric map[string]string
		Value  [2]any
	}
	if err := json.Unmarshal(answer.Result, &series); err != nil {
		return nil, fmt.Errorf("reading the answer to %s: %w", query, err)
	}
	samples := make([]Sample, 0, len(series))
	for _, s := range series {
		text, _ := s.Value[1].(string) // numbers are written as texts, since JSON has no NaN
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("reading the answer to %s: %w", query, err)
		}
		samples = append(samples, Sample{Labels: s.Metric, Value: value})
	}
	return samples, nil
}

// Check has promtool check a page of metrics: that it can be read, and that its names follow the conventions.
func Check(t *testing.T, page io.Reader) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	command.Stdin = page
	if text, err := command.CombinedOutput(); err != nil || len(text) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, text)
	}
}

// Rule is a rule that the server has loaded.
type Rule struct {
	Name      string
	Query     string
	Health    string // ok after an evaluation without error
	LastError string
}

// Rules gives the rules that the server has loaded.
func (p *Prometheus) Rules(ctx context.Context) ([]Rule, error) {
	data, err := p.get(ctx, "/api/v1/rules", nil)
	if err != nil {
		return nil, fmt.Errorf("asking for rules: %w", err)
	}
	var answer struct {
		Groups []struct{ Rules []Rule }
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	var all []Rule
	for _, group := range answer.Groups {
		all = append(all, group.Rules...)
	}
	return all, nil
}

// get asks the server. Answers of its API are given without their envelope.
func (p *Prometheus) get(ctx context.Context, path string, values url.Values) (json.RawMessage, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path+"?"+values.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	if !strings.HasPrefix(path, "/api/") {
		return nil, nil
	}
	var envelope struct{ Data json.RawMessage }
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, err
	}
	return envelope.Data, nil
}
