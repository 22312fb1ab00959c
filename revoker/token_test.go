package revoker_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// named makes a call of which all parameters are given as texts.
func named(id, region, group string, rules ...string) revoker.Call {
	call := revoker.Call{ID: id, Action: revoker.ActionRevoke, Parameters: []revoker.Parameter{
		{Name: "RegionId", Value: region}, {Name: "SecurityGroupId", Value: group},
	}}
	for i, rule := range rules {
		call.Parameters = append(call.Parameters, revoker.Parameter{Name: nameOfRule(i + 1), Value: rule})
	}
	return call
}

// The token of a recorded call must stay what it is over restarts and upgrades.
func TestClientTokenStaysWhatItIs(t *testing.T) {
	revoke := named("call-1", "cn-hangzhou", "sg-1", "sgr-1", "sgr-2")
	restore := revoke
	restore.Action = revoker.ActionAuthorize
	repeat := revoke
	repeat.ID = "call-1~2"
	for _, test := range []struct {
		name string
		call revoker.Call
		want string
	}{
		{"a revoking call", revoke, "6889820526ea20a78848ec3b0ee38395b83a286881aa748e35847be59198b10c"},
		{"a repeat of it", repeat, "6889820526ea20a78848ec3b0ee38395b83a286881aa748e35847be59198b10c"},
		{"a restoring call", restore, "11ea48580e3476096678b6e8f632d42e907769ee49e5e374e63b908fc23215c0"},
	} {
		if got := test.call.ClientToken(); got != test.want {
			t.Errorf("%s: got token %s, want %s", test.name, got, test.want)
		}
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
		repeated := call
		repeated.Parameters = slices.Clone(call.Parameters)
		if repeated.ClientToken() != token {
			t.Fatal("the same call has two tokens")
		}
	})
}

func TestClientTokenChangesWithAnythingInTheCall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		call := anyCall(t, "call")
		other := call
		other.Parameters = slices.Clone(call.Parameters)
		text := rapid.StringMatching(`[a-z\x00]{1,5}`).Draw(t, "text")
		at := rapid.IntRange(0, len(call.Parameters)-1).Draw(t, "at")
		switch rapid.SampledFrom([]string{
			"id", "action", "name", "value", "one more", "one less", "order", "moved end",
		}).Draw(t, "change") {
		case "id":
			other.ID += text
		case "action":
			other.Action = revoker.ActionAuthorize
		case "name":
			other.Parameters[at].Name += text
		case "value":
			other.Parameters[at].Value += text
		case "one more":
			other.Parameters = append(other.Parameters, revoker.Parameter{Name: text})
		case "one less":
			other.Parameters = other.Parameters[:len(other.Parameters)-1]
		case "order":
			slices.Reverse(other.Parameters)
		case "moved end": // all texts written one after the other stay the same
			p := &other.Parameters[at]
			p.Name, p.Value = p.Name+p.Value[:1], p.Value[1:]
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
	f.Add("c~1", "r", "g", "a", "b", "c~2", "r", "g", "a", "b")
	f.Fuzz(func(t *testing.T, id1, region1, group1, a1, b1, id2, region2, group2, a2, b2 string) {
		one, two := named(id1, region1, group1, a1, b1), named(id2, region2, group2, a2, b2)
		joined := named(id1, region1, group1, a1+b1)
		same := one.First() == two.First() && slices.Equal(one.Parameters, two.Parameters)
		if (one.ClientToken() == two.ClientToken()) != same {
			t.Errorf("tokens of %+v and %+v", one, two)
		}
		if one.ClientToken() == joined.ClientToken() {
			t.Errorf("tokens of %+v and %+v", one, joined)
		}
	})
}

func anyCall(t *rapid.T, label string) revoker.Call {
	text := rapid.StringMatching(`[a-z0-9-]{1,20}`)
	rules := rapid.SliceOfNDistinct(text, 2, 100, rapid.ID[string]).Draw(t, label+" rules")
	return named(text.Draw(t, label+" id"), text.Draw(t, label+" region"), text.Draw(t, label+" group"), rules...)
}
