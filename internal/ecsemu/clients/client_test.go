//go:build clients

package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// built is where prepare.sh puts what the clients need.
const built = "../../../build/clients"

// client is one SDK in one of its forms.
type client struct {
	name   string // As prepare.sh lists it.
	format string // JSON, XML, or empty for what the SDK asks for by itself.
	mode   string
	run    []string // The driver's command line; nil: curl.
	only   string   // The scheme, of forms that take long; empty for both.
	// noStatus: the SDK does not tell the status of errors.
	noStatus bool
	// wrongSecret and wrongHint are what the SDK makes of SignatureDoesNotMatch if what it signed is what the message
	// of the answer says: a code of its own, or a hint.
	wrongSecret, wrongHint string
	// throttled is the SDK's own type for throttling, if it has one, and waits whether it says how long to wait.
	throttled string
	waits     bool
}

func (c *client) title() string {
	return strings.Join(slices.DeleteFunc([]string{c.name, c.mode, c.format}, func(s string) bool { return s == "" }), " ")
}

// clients are all forms that are tried.
func clients() []client {
	typed := []string{built + "/golang/typed"}
	core := []string{built + "/golang/core"}
	python := built + "/python/bin/python"
	python1, python2 := []string{python, "python/v1.py"}, []string{python, "python/v2.py"}
	java := func(version string) []string {
		dir := built + "/java-" + version
		return []string{"java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", dir + ":" + dir + "/lib/*", "Drive"}
	}
	return []client{
		{name: "go-typed", run: typed, wrongHint: "InvalidAccessKeySecret"},
		{name: "go-typed", format: "XML", run: typed},
		{name: "go-core", run: core, throttled: "ThrottlingError", waits: true},
		{name: "go-core", mode: "rpc", run: core, throttled: "ThrottlingError", waits: true},
		{name: "python-v1", run: python1, wrongSecret: "InvalidAccessKeySecret"},
		{name: "python-v1", format: "XML", run: python1, wrongSecret: "InvalidAccessKeySecret"},
		{name: "python-v2", run: python2, throttled: "ThrottlingException", waits: true},
		{name: "node-v1", run: []string{"node", "node/v1.js"}, noStatus: true},
		{name: "node-v2", run: []string{"node", "node/v2.js"}, throttled: "ThrottlingError", waits: true},
		{name: "java-v1", run: java("v1"), noStatus: true, wrongSecret: "SDK.InvalidAccessKeySecret"},
		{name: "java-v1", format: "XML", only: "http", run: java("v1"), noStatus: true, wrongSecret: "SDK.InvalidAccessKeySecret"},
		{name: "java-v1", mode: "acs3", only: "https", run: java("v1"), noStatus: true},
		{name: "java-v2", run: java("v2")},
		{name: "curl", format: "JSON", only: "http"},
		{name: "curl", only: "https"}, // XML, by default.
	}
}

// readyClients are those that prepare.sh could prepare.
func readyClients(t *testing.T) []client {
	t.Helper()
	list, err := os.ReadFile(filepath.FromSlash(built + "/ready"))
	if err != nil {
		t.Fatalf("%v: run make clients", err)
	}
	ready := strings.Fields(string(list))
	return slices.DeleteFunc(clients(), func(c client) bool { return !slices.Contains(ready, c.name) })
}

// request is what a driver is told; see README.md.
type request struct {
	Action     string `json:"action"`
	Product    string `json:"product"`
	Parameters params `json:"parameters"`
	Key        string `json:"key"`
	Secret     string `json:"secret"`
	Token      string `json:"token"`
	Scheme     string `json:"scheme"`
	Endpoint   string `json:"endpoint"`
	CA         string `json:"ca"`
	Format     string `json:"format"`
	Mode       string `json:"mode"`
}

// answer is what a driver tells.
type answer struct {
	OK        bool   `json:"ok"`
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"requestId"`
	Data      any    `json:"data"`
	Raw       string `json:"raw"`
	Type      string `json:"type"`
	Wait      int64  `json:"wait"`
	Hint      string `json:"hint"`
}

// connection makes calls by one client.
type connection interface {
	call(r *request) (answer, error)
}

// connect starts a client's driver, for the time of the test.
func (c *client) connect(t *testing.T) connection {
	t.Helper()
	if c.run == nil {
		return curl{t}
	}
	// The context of the test ends before its cleanup, in which the driver is let come to its end.
	ctx, kill := context.WithCancel(context.WithoutCancel(t.Context()))
	command := exec.CommandContext(ctx, c.run[0], c.run[1:]...)
	command.Env = environment(t)
	command.WaitDelay = time.Second
	var complaints bytes.Buffer
	command.Stderr = &complaints
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<24)
	t.Cleanup(func() {
		defer kill()
		if t.Failed() {
			kill() // It may hang.
		}
		_ = in.Close() // The driver ends with its input; how it ends says the next line.
		if err := command.Wait(); err != nil && !t.Failed() {
			t.Errorf("the driver ended with %v:\n%s", err, complaints.String())
		}
		if t.Failed() && complaints.Len() > 0 {
			t.Logf("the driver's complaints:\n%s", complaints.String())
		}
	})
	return &driver{in: in, out: lines}
}

// environment keeps what a user may have set for the real cloud, and proxies, out of the clients.
func environment(t *testing.T) []string {
	t.Helper()
	modules, err := filepath.Abs(filepath.FromSlash(built + "/node/node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8", "NODE_PATH=" + modules,
		"PYTHONDONTWRITEBYTECODE=1",
	}
}

// driver is a program that answers requests, one a line.
type driver struct {
	in  io.Writer
	out *bufio.Scanner
}

func (d *driver) call(r *request) (answer, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return answer{}, err
	}
	if _, err := d.in.Write(append(line, '\n')); err != nil {
		return answer{}, fmt.Errorf("writing to the driver: %w", err)
	}
	if !d.out.Scan() {
		return answer{}, errors.Join(errors.New("the driver has ended"), d.out.Err())
	}
	var a answer
	if err := json.Unmarshal(d.out.Bytes(), &a); err != nil {
		return answer{}, fmt.Errorf("reading the driver's line %q: %w", d.out.Text(), err)
	}
	return a, nil
}

// curl is the client without an SDK.
type curl struct{ t *testing.T }

func (c curl) call(r *request) (answer, error) {
	arguments := append([]string{r.Scheme + "://" + r.Endpoint, r.Product, r.Action}, flatten("", r.Parameters)...)
	command := exec.CommandContext(c.t.Context(), "curl/call.sh", arguments...)
	command.Env = append(environment(c.t), "KEY="+r.Key, "SECRET="+r.Secret, "TOKEN="+r.Token, "FORMAT="+r.Format)
	if r.Scheme == "https" {
		command.Env = append(command.Env, "CA="+r.CA)
	}
	out, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return answer{}, fmt.Errorf("curl: %w: %s", err, exit.Stderr)
	}
	if err != nil {
		return answer{}, err
	}
	end := bytes.LastIndexByte(out, '\n')
	status, err := strconv.Atoi(string(out[end+1:]))
	return answer{OK: status == 200, Status: status, Raw: string(out[:end])}, err
}

// flatten gives parameters as the API numbers them: Permissions.1.IpProtocol=tcp.
func flatten(name string, value any) []string {
	var flat []string
	below := func(part string) string { return strings.TrimPrefix(name+"."+part, ".") }
	switch value := value.(type) {
	case params:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			flat = append(flat, flatten(below(key), value[key])...)
		}
	case []any:
		for i, element := range value {
			flat = append(flat, flatten(below(strconv.Itoa(i+1)), element)...)
		}
	default:
		flat = append(flat, fmt.Sprintf("%s=%v", name, value))
	}
	return flat
}
