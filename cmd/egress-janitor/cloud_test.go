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
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
	ctx, cancel := context.WithTimeout(storyOf(ts).tb.Context(), patience)
	defer cancel()
	line, err := p.await(ctx, &p.stdout, regexp.MustCompile(`(?m)^(\{.*\})\n`))
	if err != nil {
		ts.Fatalf("starting an emulator: %v; on stderr: %s", err, p.stderr.text())
	}
	var ready struct{ Address string }
	ts.Check(json.Unmarshal([]byte(line[1]), &ready))
	ts.Setenv("ENDPOINT"+suffix, "http://"+ready.Address)
	ts.Setenv("ADDRESS"+suffix, ready.Address)
	storyOf(ts).processes["emulator"+suffix] = p
}

// fetch makes a request and gives the body of the answer, which must have the status 200.
func fetch(ts *testscript.TestScript, method, address string, body []byte) []byte {
	answer, status := visit(ts, method, address, body)
	if status != http.StatusOK {
		ts.Fatalf("%s %s: status %d: %s", method, address, status, answer)
	}
	return answer
}

// visit makes a request and gives the body and the status of the answer.
func visit(ts *testscript.TestScript, method, address string, body []byte) (answer []byte, status int) {
	ctx, cancel := context.WithTimeout(storyOf(ts).tb.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	ts.Check(err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	ts.Check(err)
	answer, err = io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(response.Body.Close())
	return answer, response.StatusCode
}

func cmdGet(ts *testscript.TestScript, args []string) { savePage(ts, http.MethodGet, args) }

func cmdPost(ts *testscript.TestScript, args []string) { savePage(ts, http.MethodPost, args) }

// savePage fetches a page into a file. It must have the status 200, or the one that is named.
func savePage(ts *testscript.TestScript, method string, args []string) {
	want := http.StatusOK
	if len(args) == 4 && args[0] == "-status" {
		code, err := strconv.Atoi(args[1])
		ts.Check(err)
		want, args = code, args[2:]
	}
	if len(args) != 2 {
		ts.Fatalf("usage: get|post [-status CODE] URL FILE")
	}
	answer, status := visit(ts, method, args[0], nil)
	checkForSecrets(ts, args[0], string(answer))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), answer, 0o600))
	if status != want {
		ts.Fatalf("%s %s: status %d, want %d: %s", method, args[0], status, want, answer)
	}
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

// asked is what an emulator was asked once.
type asked struct {
	Action     string
	Parameters map[string]string
	Code       string
	Status     int
	Effect     bool
}

func requestsOf(ts *testscript.TestScript, suffix string) (requests []asked) {
	answer := fetch(ts, http.MethodGet, ts.Getenv("ENDPOINT"+suffix)+"/_emulator/requests", nil)
	ts.Check(json.Unmarshal(answer, &requests))
	return requests
}

// cmdRequests writes how often an emulator was asked for each action, in the order of the actions' names.
func cmdRequests(ts *testscript.TestScript, args []string) {
	suffix, rest := named(args)
	if len(rest) != 1 {
		ts.Fatalf("usage: requests [-name NAME] FILE")
	}
	counts := map[string]int{}
	for _, r := range requestsOf(ts, suffix) {
		counts[r.Action]++
	}
	var lines strings.Builder
	for _, action := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&lines, "%d %s\n", counts[action], action)
	}
	ts.Check(os.WriteFile(ts.MkAbs(rest[0]), []byte(lines.String()), 0o600))
}

// cmdRevoked writes one line for each call to revoke: the code of its answer, or the status; what it did; whether it was
// the repetition of a call before, by its token; and which rules it named. No token may be seen with other parameters.
func cmdRevoked(ts *testscript.TestScript, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: revoked FILE")
	}
	var lines strings.Builder
	byToken := map[string]map[string]string{}
	for _, r := range requestsOf(ts, "") {
		if r.Action != "RevokeSecurityGroupEgress" {
			continue
		}
		// What differs from one sending of a call to the next.
		for _, name := range []string{"Signature", "SignatureNonce", "Timestamp"} {
			delete(r.Parameters, name)
		}
		token := r.Parameters["ClientToken"]
		before, repeated := byToken[token]
		if token == "" || repeated && !maps.Equal(before, r.Parameters) {
			ts.Fatalf("the token %q came with %v and with %v", token, before, r.Parameters)
		}
		byToken[token] = r.Parameters
		fmt.Fprintf(&lines, "%s %s %s %s\n", cmp.Or(r.Code, strconv.Itoa(r.Status)), choose(r.Effect, "removed", "nothing"),
			choose(repeated, "again", "first"), rulesNamed(r.Parameters))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(lines.String()), 0o600))
}

func choose(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}

// rulesNamed says which rules a call to revoke names: by their IDs, or by everything that the flat form has.
func rulesNamed(parameters map[string]string) string {
	var ids, flat []string
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		switch {
		case strings.HasPrefix(name, "SecurityGroupRuleId."):
			ids = append(ids, parameters[name])
		case !slices.Contains([]string{
			"Action", "Version", "Format", "AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureType", "RegionId",
			"SecurityGroupId", "ClientToken",
		}, name):
			flat = append(flat, name+"="+parameters[name])
		}
	}
	if ids != nil {
		slices.Sort(ids)
		return strings.Join(append(ids, flat...), " ")
	}
	return strings.Join(flat, " ")
}

// cmdRules writes the egress rules that the group SG has now, one "ID PROTOCOL PORTS DESTINATION" a line, and sets
// RULE_PORT to the ID of the rule whose ports begin with PORT.
func cmdRules(ts *testscript.TestScript, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: rules FILE")
	}
	var group struct {
		Permissions struct {
			Permission []struct {
				SecurityGroupRuleID, IPProtocol, PortRange, DestCidrIP, Ipv6DestCidrIP string
			}
		}
	}
	answer := call(ts, "", url.Values{
		"Action": {"DescribeSecurityGroupAttribute"}, "SecurityGroupId": {ts.Getenv("SG")}, "Direction": {"egress"},
	})
	ts.Check(json.Unmarshal(answer, &group))
	var lines strings.Builder
	for _, r := range group.Permissions.Permission {
		fmt.Fprintf(&lines, "%s %s %s %s\n", r.SecurityGroupRuleID, strings.ToLower(r.IPProtocol), r.PortRange,
			cmp.Or(r.DestCidrIP, r.Ipv6DestCidrIP))
		port, _, _ := strings.Cut(r.PortRange, "/")
		ts.Setenv("RULE_"+port, r.SecurityGroupRuleID)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(lines.String()), 0o600))
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
	var made struct{ SecurityGroupID, PrefixListID string }
	ts.Check(json.Unmarshal(call(ts, suffix, params), &made))
	if made.SecurityGroupID != "" {
		ts.Setenv("SG", made.SecurityGroupID)
	}
	if made.PrefixListID != "" {
		ts.Setenv("PL", made.PrefixListID)
	}
}

// call makes a signed call to an emulator and gives the answer.
func call(ts *testscript.TestScript, suffix string, params url.Values) []byte {
	params.Set("RegionId", cmp.Or(params.Get("RegionId"), "cn-hangzhou"))
	sign(params)
	return fetch(ts, http.MethodGet, ts.Getenv("ENDPOINT"+suffix)+"/?"+params.Encode(), nil)
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
