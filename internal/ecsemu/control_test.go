package ecsemu_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func TestTheIndexLeadsToTheRest(t *testing.T) {
	r := startSmall(t)
	status, body := control(t, r, http.MethodGet, "/_emulator/", "")
	var index struct {
		Account string
		Links   map[string]string
	}
	if err := json.Unmarshal([]byte(body), &index); err != nil {
		t.Fatal(err)
	}
	if status != 200 || index.Account != ecsemu.DefaultAccount || len(index.Links) != 5 {
		t.Errorf("got %d %s", status, body)
	}
	for name, path := range index.Links {
		if status, body := control(t, r, http.MethodGet, path, ""); status != 200 || body == "" {
			t.Errorf("%s: got %d %s", name, status, body)
		}
	}
	if status, _ := control(t, r, http.MethodGet, "/_emulator/nothing", ""); status != 404 {
		t.Errorf("got %d of what is not there", status)
	}
	if status, _ := control(t, r, http.MethodDelete, "/_emulator/clock", ""); status != 405 {
		t.Errorf("got %d of a method that is not there", status)
	}
}

func TestWebPagesAreKeptOut(t *testing.T) {
	r := startSmall(t)
	for _, test := range []struct {
		name, host, origin string
		status             int
	}{
		{"its address", "", "", 200},
		{"localhost", "localhost:8080", "", 200},
		{"a name without a domain", "emulator:8080", "", 200},
		{"a name of the cloud", "ecs.cn-hangzhou.aliyuncs.com", "", 200},
		{"IPv6", "[::1]:80", "", 200},
		{"a name that anybody may have", "page.example.com:8080", "", 403},
		{"a page of elsewhere", "", "http://page.example.com", 403},
		{"a page of a file", "", "null", 403},
		{"a page of its own", "", r.URL, 403},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+"/_emulator/clock", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = test.host
		if test.origin != "" {
			request.Header.Set("Origin", test.origin)
		}
		response, err := r.Client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != test.status {
			t.Errorf("%s: got %d, want %d", test.name, response.StatusCode, test.status)
		}
	}
}

func TestRequestsArePickedAndForgotten(t *testing.T) {
	r := startSmall(t)
	for _, action := range []string{"DescribeRegions", "GetCallerIdentity", "DescribeRegions", "DescribeRegions"} {
		call(t, r, action, nil)
	}
	for query, want := range map[string][]int{
		"": {0, 1, 2, 3}, "?action=DescribeRegions": {0, 2, 3}, "?since=2": {2, 3}, "?limit=1": {0},
		"?action=DescribeRegions&since=1&limit=1": {2}, "?since=9": {},
	} {
		_, body := control(t, r, http.MethodGet, "/_emulator/requests"+query, "")
		var shown []ecsemu.Request
		if err := json.Unmarshal([]byte(body), &shown); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		got := []int{}
		for _, request := range shown {
			got = append(got, request.Index)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
	for _, query := range []string{"?since=x", "?limit=-1", "?actions=a"} {
		name, _, _ := strings.Cut(query[1:], "=")
		status, body := control(t, r, http.MethodGet, "/_emulator/requests"+query, "")
		if status != 400 || !strings.HasPrefix(body, `{"at":"/`+name+`","message":"the parameter `) {
			t.Errorf("%s: got %d %s", query, status, body)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+"/_emulator/requests", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/x-ndjson")
	response, err := r.Client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // Read only.
	lines := 0
	for scanner := bufio.NewScanner(response.Body); scanner.Scan(); lines++ {
		var one ecsemu.Request
		if err := json.Unmarshal(scanner.Bytes(), &one); err != nil || one.Index != lines {
			t.Errorf("line %d: index %d, error %v", lines, one.Index, err)
		}
	}
	if kind := response.Header.Get("Content-Type"); lines != 4 || kind != "application/x-ndjson" {
		t.Errorf("got %d lines of %s", lines, kind)
	}
	if status, _ := control(t, r, http.MethodDelete, "/_emulator/requests", ""); status != 204 || len(r.Server.Requests()) != 0 {
		t.Errorf("deleting: got %d, %d requests are left", status, len(r.Server.Requests()))
	}
	call(t, r, "DescribeRegions", nil)
	if got := r.Server.Requests()[0].Index; got != 4 {
		t.Errorf("got index %d after it, want 4", got)
	}
}

func TestTheClockIsMoved(t *testing.T) {
	r := startSmall(t)
	status, body := control(t, r, http.MethodPut, "/_emulator/clock", `{"offset":"16m"}`)
	if want := `{"now":"2026-03-01T12:16:30Z","offset":"16m0s"}`; status != 200 || body != want {
		t.Errorf("got %d %s, want %s", status, body, want)
	}
	if got := call(t, r, "DescribeRegions", nil).code(); got != "InvalidTimeStamp.Expired" {
		t.Errorf("got code %q", got)
	}
	r.Server.SetClockOffset(-time.Minute)
	if _, body := control(t, r, http.MethodGet, "/_emulator/clock", ""); !strings.Contains(body, "11:59:30Z") {
		t.Errorf("got %s", body)
	}
	for body, want := range map[string]string{
		`{"offset":"x"}`: `{"at":"/offset","message":"reading the offset: time: invalid duration \"x\""}`,
		`{"offse":"1m"}`: `{"at":"/offse","message":"json: unknown field \"offse\""}`,
		`{"offset":7}`:   `{"at":"/offset","message":"json: cannot unmarshal number into Go struct field clockJSON.offset of type string"}`,
		``:               `{"at":"","message":"EOF"}`,
	} {
		if status, got := control(t, r, http.MethodPut, "/_emulator/clock", body); status != 400 || got != want {
			t.Errorf("%s: got %d %s, want %s", body, status, got, want)
		}
	}
}

func TestTheEstateIsExportedAndReplaced(t *testing.T) {
	r := startSmall(t)
	must(t, r, "CreateSecurityGroup", params("RegionId", "cn-hangzhou", "VpcId", "vpc-1", "SecurityGroupName", "made-here"))
	status, exported := control(t, r, http.MethodGet, "/_emulator/estate", "")
	if status != 200 || !strings.Contains(exported, "made-here") || strings.Contains(exported, ecsemu.DefaultKeySecret) {
		t.Fatalf("got %d %s", status, exported)
	}
	if _, secret := control(t, r, http.MethodGet, "/_emulator/estate?secrets=true", ""); !strings.Contains(secret, ecsemu.DefaultKeySecret) {
		t.Errorf("got no secrets: %.200s", secret)
	}
	if status, _ := control(t, r, http.MethodGet, "/_emulator/estate?secrets=yes", ""); status != 400 {
		t.Errorf("got %d of secrets that are neither true nor false", status)
	}
	if status, body := control(t, r, http.MethodGet, "/_emulator/estate?secrets=false", ""); status != 200 || strings.Contains(body, ecsemu.DefaultKeySecret) {
		t.Errorf("got %d of no secrets, or some: %.200s", status, body)
	}
	if status, _ := control(t, r, http.MethodGet, "/_emulator/estate?secret=true", ""); status != 400 {
		t.Errorf("got %d of a parameter that is none", status)
	}
	list := func() []string {
		return groupIDs(must(t, r, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou", "PageSize", "50")))
	}
	before := list()
	const other = "version: 1\nregions:\n  - id: cn-hangzhou\n    groups:\n      - id: sg-new\n        name: new\n"
	if status, body := control(t, r, http.MethodPut, "/_emulator/estate", other); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	if diff := cmp.Diff([]string{"sg-new"}, list()); diff != "" {
		t.Errorf("groups of the new estate (-want +got):\n%s", diff)
	}
	status, body := control(t, r, http.MethodPut, "/_emulator/estate", "version: 1\nregions:\n  - ident: x\n")
	if status != 400 || !strings.Contains(body, "estate:3:") {
		t.Errorf("got %d %s, want the line", status, body)
	}
	if status, body := control(t, r, http.MethodPut, "/_emulator/estate", exported+"\n"); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	if diff := cmp.Diff(before, list()); diff != "" {
		t.Errorf("groups once the first estate was back (-want +got):\n%s", diff)
	}
}
