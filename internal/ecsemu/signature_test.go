package ecsemu

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

func TestSignatureOfTheDocumentedExample(t *testing.T) {
	params := wire.Params{
		"AccessKeyId": "testid", "Action": "DescribeRegions", "Format": "XML", "SignatureMethod": "HMAC-SHA1",
		"SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", "SignatureVersion": "1.0",
		"Timestamp": "2016-02-23T12:46:24Z", "Version": "2014-05-26", "Signature": "is not signed",
	}
	wantText := "GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML%26SignatureMethod%3DHMAC-SHA1" +
		"%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0" +
		"%26Timestamp%3D2016-02-23T12%253A46%253A24Z%26Version%3D2014-05-26"
	text := stringToSign("GET", params)
	if diff := cmp.Diff(wantText, text); diff != "" {
		t.Errorf("string to sign (-want +got):\n%s", diff)
	}
	if got, want := sign("testsecret", text), "OLeaidS1JvxuMvnyHOwuJ+uX5qY="; got != want {
		t.Errorf("got signature %q, want %q", got, want)
	}
}

func TestPercentEncoding(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"unreserved characters stay", "AZaz09-_.~", "AZaz09-_.~"},
		{"a space is no plus", "a b+c", "a%20b%2Bc"},
		{"a star is encoded", "*", "%2A"},
		{"digits are upper case, bytes are those of UTF-8", "/é", "%2F%C3%A9"},
		{"an encoded tilde stays encoded", "%7E", "%257E"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := percentEncode(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestEmptyParametersAreSigned(t *testing.T) {
	got := stringToSign("POST", wire.Params{"SignatureType": "", "B": "1"})
	if want := "POST&%2F&B%3D1%26SignatureType%3D"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNoncesAreForgottenInTheirOrder(t *testing.T) {
	n := newNonces(3)
	for i := range 5 {
		if !n.use(strconv.Itoa(i)) {
			t.Errorf("nonce %d was refused at its first use", i)
		}
	}
	var got []bool
	for _, nonce := range []string{"4", "3", "2", "1"} {
		got = append(got, n.use(nonce))
	}
	if diff := cmp.Diff([]bool{false, false, false, true}, got); diff != "" {
		t.Errorf("use of nonces 4, 3, 2 again, and of 1, which is forgotten (-want +got):\n%s", diff)
	}
	if len(n.known) != 3 {
		t.Errorf("got %d remembered nonces, want 3", len(n.known))
	}
}
