package wire_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

const formType = "application/x-www-form-urlencoded"

func TestParametersAreReadWhereverTheyAre(t *testing.T) {
	for _, test := range []struct {
		name, method, query, contentType, body string
		want                                   wire.Params
		refused                                bool
	}{
		{"in the query", http.MethodGet, "A=1&B=x+y%20z", "", "", wire.Params{"A": "1", "B": "x y z"}, false},
		{"in a form", http.MethodPost, "", formType, "A=1&B=", wire.Params{"A": "1", "B": ""}, false},
		{"in both, the form's counts", http.MethodPost, "A=1&B=2", formType, "B=3", wire.Params{"A": "1", "B": "3"}, false},
		{"in a form that does not say so", http.MethodPost, "", "", "A=1", wire.Params{"A": "1"}, false},
		{"in no form", http.MethodPost, "A=1", "application/json", `{"B":2}`, wire.Params{"A": "1"}, false},
		{"twice, which is refused", http.MethodGet, "A=1&A=2", "", "", wire.Params{"A": "1"}, true},
		{"twice in a form", http.MethodPost, "", formType, "A=1&A=1", wire.Params{"A": "1"}, true},
		{"in another encoding", http.MethodGet, "A=%ff", "", "", wire.Params{"A": "\xff"}, true},
		{"with a name in another encoding", http.MethodGet, "%ff=1", "", "", wire.Params{"\xff": "1"}, true},
		{"with a NUL", http.MethodGet, "A=a%00b", "", "", wire.Params{"A": "a\x00b"}, true},
		{"with raw marks", http.MethodGet, "A=(1;2)*", "", "", wire.Params{"A": "(1;2)*"}, false},
		{"with raw marks in a form", http.MethodPost, "", formType, "A=1;B=2", wire.Params{"A": "1;B=2"}, false},
		{"in a broken query, what can be read", http.MethodGet, "Format=JSON&A=%zz", "", "", wire.Params{"Format": "JSON"}, true},
		{"in a broken form, what can be read", http.MethodPost, "A=1", formType, "%zz&Format=JSON", wire.Params{"A": "1", "Format": "JSON"}, true},
		{"in too large a body, the query", http.MethodPost, "A=1", formType, strings.Repeat("x", 1<<20+1), wire.Params{"A": "1"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), test.method, "/?"+test.query, strings.NewReader(test.body))
			request.Header.Set("Content-Type", test.contentType)
			got, err := wire.Read(request)
			if diff := cmp.Diff(test.want, got.Params); diff != "" || (err != nil) != test.refused {
				t.Errorf("got error %v; parameters (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestNumbersAreDigitsWithinTheirBounds(t *testing.T) {
	for _, test := range []struct {
		text string
		want int
		ok   bool
	}{
		{"", 7, true},
		{"1", 1, true},
		{"10", 10, true},
		{"0", 0, false},
		{"11", 11, false},
		{"01", 0, false},
		{"+1", 0, false},
		{"1.0", 0, false},
		{"99999999999999999999", 0, false},
	} {
		got, ok := wire.Params{"N": test.text}.Int("N", 7, 1, 10)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%q: got %d, %t, want %d, %t", test.text, got, ok, test.want, test.ok)
		}
	}
}

func TestBooleansAreInAnyCase(t *testing.T) {
	for text, want := range map[string]bool{"": false, "false": false, "False": false, "true": true, "TRUE": true} {
		if got, err := (wire.Params{"B": text}).Bool("B"); got != want || err != nil {
			t.Errorf("%q: got %t, %v, want %t", text, got, err, want)
		}
	}
	if _, err := (wire.Params{"B": "yes"}).Bool("B"); err == nil {
		t.Error("yes was taken")
	}
}

func TestMembersOfListsHaveNumbers(t *testing.T) {
	for name, bad := range map[string]bool{
		"Tag.1.Key": false, "ResourceId.50": false, "RegionId": false, "Tag.0.Key": true, "Tag.01.Key": true, "Tag.-1.Key": true,
		"Tag.x": true, "Tag.": true, "Tag..Key": true, "Tag.99999999999999999999.Key": true,
	} {
		if got := (wire.Params{"A": "", name: "v"}).BadMember(); (got == name) != bad || got != "" && !bad {
			t.Errorf("%s: got %q, want it %t", name, got, bad)
		}
	}
}

func TestListsAreInTheOrderOfTheirNumbers(t *testing.T) {
	p := wire.Params{
		"Tag.10.Key": "j", "Tag.2.Key": "b", "Tag.2.Value": "", "Tag.0.Key": "no", "Tag.x.Key": "no", "Tag.02.Key": "no",
		"Tags.1.Key": "no", "Id.2": "second", "Id.1": "first", "Id.3": "",
	}
	want := []wire.Element{
		{Index: 2, Fields: wire.Params{"Key": "b", "Value": ""}}, {Index: 10, Fields: wire.Params{"Key": "j"}},
	}
	if diff := cmp.Diff(want, p.List("Tag")); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"first", "second"}, p.Texts("Id")); diff != "" {
		t.Errorf("IDs (-want +got):\n%s", diff)
	}
}
