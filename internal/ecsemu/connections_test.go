package ecsemu_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// read reads the next answer of a connection.
func read(t *testing.T, from *bufio.Reader) answer {
	t.Helper()
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAnswer(response)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func write(t *testing.T, conn net.Conn, raw string) {
	t.Helper()
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
}

// TestManyRequestsOnOneConnection sends requests one after the other, of both formats and with and without an error, and
// two at once.
func TestManyRequestsOnOneConnection(t *testing.T) {
	r := startSmall(t)
	for _, secure := range []bool{false, true} {
		conn := dial(t, r, secure)
		answers := bufio.NewReader(conn)
		regions := func(changes ...string) string {
			query := signed("GET", "emulator-secret", common("DescribeRegions", params(changes...)))
			return http11("GET /?"+query.Encode(), hostOf(r), "")
		}
		form := signed("POST", "emulator-secret", common("DescribeRegions", nil)).Encode()
		for _, raw := range []string{
			regions(), regions("Format", "XML"), http11("POST /", hostOf(r), form, formType, length(form)), regions(),
		} {
			write(t, conn, raw)
			if got := read(t, answers); got.status != http.StatusOK || !strings.Contains(got.raw, "cn-qingdao") {
				t.Errorf("got status %d: %s", got.status, got.raw)
			}
		}
		write(t, conn, regions("AccessKeyId", "other")+regions())
		if got := read(t, answers); got.code() != "InvalidAccessKeyId.NotFound" {
			t.Errorf("got %d %q, want a refusal", got.status, got.code())
		}
		if got := read(t, answers); got.status != http.StatusOK {
			t.Errorf("got status %d after a refusal", got.status)
		}
	}
}

func TestHTTP10(t *testing.T) {
	r := startSmall(t)
	conn := dial(t, r, false)
	query := signed("GET", "emulator-secret", common("DescribeRegions", nil))
	write(t, conn, "GET /?"+query.Encode()+" HTTP/1.0\r\n\r\n")
	answers := bufio.NewReader(conn)
	if got := read(t, answers); got.status != http.StatusOK || got.header.Get("Content-Length") == "" {
		t.Errorf("got status %d, header %v", got.status, got.header)
	}
	if _, err := answers.ReadByte(); err != io.EOF {
		t.Errorf("got error %v, want the connection to be closed", err)
	}
}

func TestAClientThatWaitsForContinue(t *testing.T) {
	r := startSmall(t)
	conn := dial(t, r, false)
	form := signed("POST", "emulator-secret", common("DescribeRegions", nil)).Encode()
	write(t, conn, http11("POST /", hostOf(r), "", formType, length(form), "Expect: 100-continue"))
	answers := bufio.NewReader(conn)
	line, err := answers.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("got %q, error %v; want to be told to continue", line, err)
	}
	if _, err := answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	write(t, conn, form)
	if got := read(t, answers); got.status != http.StatusOK {
		t.Errorf("got status %d: %s", got.status, got.raw)
	}
}

// TestPathsAndMethodsThatAreNone asks in ways that web servers answer by themselves if they are let.
func TestPathsAndMethodsThatAreNone(t *testing.T) {
	r := startSmall(t)
	for _, test := range []struct {
		name, line string
		status     int
		code       string
	}{
		{"an unclean path", "GET //?Format=JSON", 404, "InvalidApi.NotFound"},
		{"a path that leads back", "GET /a/..?Format=JSON", 404, "InvalidApi.NotFound"},
		{"another path", "POST /v1?Format=JSON", 404, "InvalidApi.NotFound"},
		{"OPTIONS of everything", "OPTIONS *", 404, "InvalidApi.NotFound"},
		{"OPTIONS", "OPTIONS /?Format=JSON", 403, "UnsupportedHTTPMethod"},
		{"DELETE", "DELETE /", 403, "UnsupportedHTTPMethod"},
		{"a method of one's own", "BREW /?Format=JSON", 403, "UnsupportedHTTPMethod"},
		{"nothing at all", "GET /", 400, "MissingParameter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := exchange(t, dial(t, r, false), http11(test.line, hostOf(r), ""))
			if got.status != test.status || got.code() != test.code {
				t.Errorf("got %d %q, want %d %q; body: %s", got.status, got.code(), test.status, test.code, got.raw)
			}
			want := xmlType
			if target, err := url.Parse(strings.Fields(test.line)[1]); err == nil && target.Query().Get("Format") == "JSON" {
				want = jsonType
			}
			if got := got.header.Get("Content-Type"); got != want {
				t.Errorf("got Content-Type %q, want %q", got, want)
			}
		})
	}
}
