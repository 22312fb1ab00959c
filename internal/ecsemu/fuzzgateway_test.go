package ecsemu

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
)

// FuzzGateway takes any bytes for an HTTP request, and signs some of them. Whatever it is, it is answered in the format
// that it asks for, and never with an InternalError.
func FuzzGateway(f *testing.F) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	signer := acs.Signer{KeyID: DefaultKeyID, Secret: DefaultKeySecret, Clock: clock}
	regions := signer.RPC(http.MethodGet, url.Values{"Action": {"DescribeRegions"}, "Version": {"2014-05-26"}}).Encode()
	newer := "x-acs-action: DescribeRegions\r\nx-acs-version: 2014-05-26\r\n"
	for _, seed := range []string{
		"GET /?" + regions + " HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /?" + regions + "&Format=JSON HTTP/1.0\r\n\r\n",
		"GET /?Format=YAML HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\nFormat=JSON&",
		"POST /?Format=JSON&%zz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n=\r\n0\r\n\r\n",
		"POST /?RegionId=r HTTP/1.1\r\nHost: a:1\r\n" + newer + "Accept: text/xml\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a:80\r\n" + newer + "Authorization: ACS3-HMAC-SHA256 Credential=a,SignedHeaders=;;,Signature=\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"BREW //..//a?Format=json#x HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://a?Version=2015-04-01&Action=AssumeRole&RoleArn=acs:ram::1:role/ HTTP/1.1\r\nHost: b\r\n\r\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	server, err := New(Options{Clock: clock, Estate: &Estate{Regions: []Region{{ID: "r", Groups: []Group{{ID: "sg-a", VPC: "v"}}}}}})
	if err != nil {
		f.Fatal(err)
	}
	server.nonces = acs.NewNonces(10)
	server.record.limit = 10
	handler := server.routes()
	f.Fuzz(func(t *testing.T, raw []byte, sign bool) {
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil || strings.HasPrefix(request.URL.Path, "/_emulator/") {
			return
		}
		request = request.WithContext(t.Context())
		if sign {
			body, err := io.ReadAll(request.Body)
			if err != nil {
				return
			}
			request.Body = io.NopCloser(bytes.NewReader(body))
			request.Header.Del("Authorization")
			signer.ACS3(request, body)
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if err := wellFormed(recorder.Header().Get("Content-Type"), recorder.Body.Bytes()); err != nil {
			t.Fatalf("status %d, body %q: %v", recorder.Code, recorder.Body, err)
		}
		// Of a POST, the body may say otherwise.
		query, err := url.ParseQuery(request.URL.RawQuery)
		inJSON := recorder.Header().Get("Content-Type") == "application/json;charset=utf-8"
		if asked := query.Get("Format"); err == nil && request.Method != http.MethodPost && strings.EqualFold(asked, "JSON") && !inJSON {
			t.Errorf("asked for %q, got %q", asked, recorder.Header().Get("Content-Type"))
		}
		if recorder.Code >= http.StatusInternalServerError {
			t.Errorf("got %d: %s", recorder.Code, recorder.Body)
		}
	})
}

// wellFormed tells whether a body is a whole document of the type that it is said to be, and has a request's ID.
func wellFormed(contentType string, body []byte) error {
	switch contentType {
	case "application/json;charset=utf-8":
		var answer struct {
			RequestID string `json:"RequestId"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		if answer.RequestID == "" {
			return errors.New("there is no RequestId")
		}
		return nil
	case "text/xml;charset=utf-8":
		var answer struct {
			RequestID string `xml:"RequestId"`
		}
		if err := xml.Unmarshal(body, &answer); err != nil {
			return err
		}
		if answer.RequestID == "" {
			return errors.New("there is no RequestId")
		}
		return nil
	}
	return errors.New("the type is " + contentType)
}
