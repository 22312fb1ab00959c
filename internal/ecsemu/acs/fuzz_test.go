package acs

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// FuzzRead reads whatever net/http takes for a request. Nothing of it makes Read panic or verifies by chance, and what
// is told or kept is bounded.
func FuzzRead(f *testing.F) {
	f.Add([]byte("GET /?" + documentedRPC[len("https://ecs.aliyuncs.com/?"):] + " HTTP/1.1\r\nHost: ecs.aliyuncs.com\r\n\r\n"))
	var example bytes.Buffer
	example.WriteString("POST /?RegionId=cn-shanghai&a=%2A+( HTTP/1.1\r\nHost: ecs.cn-shanghai.aliyuncs.com\r\n")
	if err := documentedACS3().Header.Write(&example); err != nil {
		f.Fatal(err)
	}
	f.Add(append(example.Bytes(), "\r\n"...))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 8\r\n\r\nAction=A"))
	f.Add([]byte("POST / HTTP/1.0\r\nAuthorization: ACS3-HMAC-SHA256 Credential=,SignedHeaders=;,Signature=\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		query, _ := url.ParseQuery(r.URL.RawQuery)
		form, _ := url.ParseQuery(string(body))
		claim, err := Read(&Request{
			Method: r.Method, Path: r.URL.Path, Host: r.Host, Query: query, Form: form, Header: r.Header, Body: body,
		})
		if err == nil {
			if claim.Action == "" || claim.Version == "" || claim.KeyID == "" {
				t.Errorf("got claim %+v, want one with action, version and key", claim)
			}
			if len(claim.Nonce) < 1 || len(claim.Nonce) > maxNonce {
				t.Errorf("got a nonce of %d bytes, want 1 to %d", len(claim.Nonce), maxNonce)
			}
			_ = claim.Fresh(time.Time{})
			err = claim.Verify("a secret that nobody has")
		}
		refused, ok := errors.AsType[*Error](err)
		if !ok || refused.Code == "" || len(refused.Message) > maxTold+200 {
			t.Errorf("got error %v, want an *Error with a code and a bounded message", err)
		}
	})
}
