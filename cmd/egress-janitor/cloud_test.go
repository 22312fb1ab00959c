package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// named takes a leading "-name NAME" off the arguments and gives the ending that the variables of that emulator have.
func named(args []string) (suffix string, rest []string) {
	if len(args) >= 2 && args[0] == "-name" {
		return "_" + args[1], args[2:]
	}
	return "", args
}

// cmdEmulator starts an emulator that takes the script's key, unless the arguments name others.
func cmdEmulator(ts *testscript.TestScript, args []string) {
	suffix, rest := named(args)
	command := append([]string{"emulator"}, rest...)
	if !slices.Contains(rest, "--access-key") {
		command = append(command, "--access-key", canaryKeyID+":"+canarySecret)
	}
	p := startProcess(ts, command)
	line, err := p.await(storyOf(ts).tb.Context(), &p.stdout, regexp.MustCompile(`(?m)^(\{.*\})\n`))
	if err != nil {
		ts.Fatalf("starting an emulator: %v; on stderr: %s", err, p.stderr.text())
	}
	var ready struct{ Address string }
	ts.Check(json.Unmarshal([]byte(line[1]), &ready))
	ts.Setenv("ENDPOINT"+suffix, "http://"+ready.Address)
	ts.Setenv("ADDRESS"+suffix, ready.Address)
	storyOf(ts).processes["emulator"+suffix] = p
}

// fetch makes a request and gives the body of the answer, which must be a success.
func fetch(ts *testscript.TestScript, method, address string, body []byte) []byte {
	ctx, cancel := context.WithTimeout(storyOf(ts).tb.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	ts.Check(err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	ts.Check(err)
	answer, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(response.Body.Close())
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("%s %s: %s: %s", method, address, response.Status, answer)
	}
	return answer
}

func cmdGet(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: get URL FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), fetch(ts, http.MethodGet, args[0], nil), 0o600))
}

func cmdFaults(ts *testscript.TestScript, args []string) {
	suffix, rest := named(args)
	if len(rest) != 1 {
		ts.Fatalf("usage: faults [-name NAME] JSON|FILE")
	}
	list := rest[0]
	if !strings.HasPrefix(list, "[") {
		list = ts.ReadFile(list)
	}
	fetch(ts, http.MethodPost, ts.Getenv("ENDPOINT"+suffix)+"/_emulator/faults", []byte(list))
}

// cmdRequests writes how often an emulator was asked for each action, in the order of the actions' names.
func cmdRequests(ts *testscript.TestScript, args []string) {
	suffix, rest := named(args)
	if len(rest) != 1 {
		ts.Fatalf("usage: requests [-name NAME] FILE")
	}
	var requests []struct{ Action string }
	answer := fetch(ts, http.MethodGet, ts.Getenv("ENDPOINT"+suffix)+"/_emulator/requests", nil)
	ts.Check(json.Unmarshal(answer, &requests))
	counts := map[string]int{}
	for _, r := range requests {
		counts[r.Action]++
	}
	var lines strings.Builder
	for _, action := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&lines, "%d %s\n", counts[action], action)
	}
	ts.Check(os.WriteFile(ts.MkAbs(rest[0]), []byte(lines.String()), 0o600))
}

// cmdCloud makes a call as any client of the cloud would. What it makes is named by SG or PL.
func cmdCloud(ts *testscript.TestScript, args []string) {
	suffix, rest := named(args)
	if len(rest) == 0 {
		ts.Fatalf("usage: cloud [-name NAME] ACTION KEY=VALUE...")
	}
	params := url.Values{"Action": {rest[0]}}
	for _, pair := range rest[1:] {
		key, value, found := strings.Cut(pair, "=")
		if !found {
			ts.Fatalf("%q is not KEY=VALUE", pair)
		}
		params.Set(key, value)
	}
	params.Set("RegionId", cmp.Or(params.Get("RegionId"), "cn-hangzhou"))
	sign(params)
	var made struct{ SecurityGroupID, PrefixListID string }
	answer := fetch(ts, http.MethodGet, ts.Getenv("ENDPOINT"+suffix)+"/?"+params.Encode(), nil)
	ts.Check(json.Unmarshal(answer, &made))
	if made.SecurityGroupID != "" {
		ts.Setenv("SG", made.SecurityGroupID)
	}
	if made.PrefixListID != "" {
		ts.Setenv("PL", made.PrefixListID)
	}
}

// sign adds the common parameters of a call by GET and its signature, as the cloud's page "Request signatures" of the
// RPC style says.
func sign(params url.Values) {
	for name, value := range map[string]string{
		"Version": "2014-05-26", "Format": "JSON", "AccessKeyId": canaryKeyID, "SignatureMethod": "HMAC-SHA1",
		"SignatureVersion": "1.0", "SignatureNonce": rand.Text(), "Timestamp": time.Now().UTC().Format(time.RFC3339),
	} {
		params.Set(name, value)
	}
	escape := strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~")
	query := escape.Replace(params.Encode())
	mac := hmac.New(sha1.New, []byte(canarySecret+"&"))
	_, _ = io.WriteString(mac, "GET&%2F&"+escape.Replace(url.QueryEscape(query)))
	params.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// gate stands in front of an emulator and keeps the calls of one action waiting for ever.
type gate struct {
	action  string
	arrived chan struct{} // closed when the first such call has come
	once    sync.Once
	opened  chan struct{} // closed at the end of the script
	next    http.Handler
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("Action") != g.action {
		g.next.ServeHTTP(w, r)
		return
	}
	g.once.Do(func() { close(g.arrived) })
	select {
	case <-g.opened:
	case <-r.Context().Done():
	}
}

func (g *gate) await(ts *testscript.TestScript) {
	if g == nil {
		ts.Fatalf("nothing is held")
	}
	ctx, cancel := context.WithTimeout(storyOf(ts).tb.Context(), patience)
	defer cancel()
	select {
	case <-g.arrived:
	case <-ctx.Done():
		ts.Fatalf("no call of %s came", g.action)
	}
}

func cmdHold(ts *testscript.TestScript, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: hold ACTION")
	}
	target, err := url.Parse(ts.Getenv("ENDPOINT"))
	ts.Check(err)
	g := &gate{
		action: args[0], arrived: make(chan struct{}), opened: make(chan struct{}),
		next: httputil.NewSingleHostReverseProxy(target),
	}
	server := httptest.NewServer(g)
	ts.Defer(func() {
		close(g.opened)
		server.Close()
	})
	storyOf(ts).gate = g
	ts.Setenv("HELD", server.URL)
}
