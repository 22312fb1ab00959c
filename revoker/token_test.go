package revoker_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// The token of a recorded call must stay what it is over restarts and upgrades.
func TestClientTokenStaysWhatItIs(t *testing.T) {
	call := revoker.Call{ID: "call-1", Region: "cn-hangzhou", Group: "sg-1", Rules: []string{"sgr-1", "sgr-2"}}
	const want = "6889820526ea20a78848ec3b0ee38395b83a286881aa748e35847be59198b10c"
	if got := call.ClientToken(); got != want {
		t.Errorf("got token %s, want %s", got, want)
	}
}

func TestClientTokenFitsTheCloud(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		call := anyCall(t, "call")
		token := call.ClientToken()
		if len(token) == 0 || len(token) > 64 {
			t.Fatalf("token %q has %d characters", token, len(token))
		}
		for _, c := range []byte(token) {
			if c <= ' ' || c > '~' {
				t.Fatalf("token %q holds more than printable ASCII", token)
			}
		}
		repeated := revoker.Call{ID: call.ID, Region: call.Region, Group: call.Group, Rules: slices.Clone(call.Rules)}
		if repeated.ClientToken() != token {
			t.Fatal("the same call has two tokens")
		}
	})
}

func TestClientTokenChangesWithAnythingInTheCall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		call := anyCall(t, "call")
		other := revoker.Call{ID: call.ID, Region: call.Region, Group: call.Group, Rules: slices.Clone(call.Rules)}
		text := rapid.StringN(1, 5, -1).Draw(t, "text")
		at := rapid.IntRange(0, len(call.Rules)-1).Draw(t, "at")
		switch rapid.SampledFrom([]string{
			"id", "region", "group", "rule", "one more", "one less", "order", "moved end",
		}).Draw(t, "change") {
		case "id":
			other.ID += text
		case "region":
			other.Region += text
		case "group":
			other.Group += text
		case "rule":
			other.Rules[at] += text
		case "one more":
			other.Rules = append(other.Rules, text)
		case "one less":
			other.Rules = other.Rules[:len(other.Rules)-1]
		case "order":
			slices.Reverse(other.Rules)
		case "moved end": // all texts written one after the other stay the same
			other.ID, other.Region = other.ID+other.Region[:1], other.Region[1:]
		}
		if same(call, other) {
			t.Skip("the change is none")
		}
		if call.ClientToken() == other.ClientToken() {
			t.Fatalf("%+v and %+v have one token", call, other)
		}
	})
}

// FuzzClientToken looks for two calls whose encodings meet.
func FuzzClientToken(f *testing.F) {
	f.Add("c", "r", "g", "a", "b", "c", "rg", "", "a", "b")
	f.Add("c", "r", "g", "a", "b", "c", "r", "g", "ab", "")
	f.Add("c", "r", "g", "a\x00b", "", "c", "r", "g", "a", "\x00b")
	f.Fuzz(func(t *testing.T, id1, region1, group1, a1, b1, id2, region2, group2, a2, b2 string) {
		one := revoker.Call{ID: id1, Region: region1, Group: group1, Rules: []string{a1, b1}}
		two := revoker.Call{ID: id2, Region: region2, Group: group2, Rules: []string{a2, b2}}
		joined := revoker.Call{ID: id1, Region: region1, Group: group1, Rules: []string{a1 + b1}}
		if (one.ClientToken() == two.ClientToken()) != same(one, two) {
			t.Errorf("tokens of %+v and %+v", one, two)
		}
		if one.ClientToken() == joined.ClientToken() {
			t.Errorf("tokens of %+v and %+v", one, joined)
		}
	})
}

func same(a, b revoker.Call) bool {
	return a.ID == b.ID && a.Region == b.Region && a.Group == b.Group && slices.Equal(a.Rules, b.Rules)
}

func anyCall(t *rapid.T, label string) revoker.Call {
	text := rapid.StringN(1, 20, -1)
	rules := rapid.SliceOfNDistinct(text, 1, 100, rapid.ID[string]).Draw(t, label+" rules")
	id, region, group := text.Draw(t, label+" id"), text.Draw(t, label+" region"), text.Draw(t, label+" group")
	call, err := revoker.NewCall(id, region, group, rules)
	if err != nil {
		t.Fatal(err)
	}
	return call
}
