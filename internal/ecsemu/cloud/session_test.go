package cloud

import (
	"strings"
	"testing"
	"time"
)

func TestSessionsAreForgottenOnlyWhenTheirPlaceIsNeeded(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newSessions(1, 3)
	holder := &principal{kind: sessionOfRole, account: "1", name: "r"}
	begin := func(now time.Time, d time.Duration) *Credential { return s.begin(holder, now, now.Add(d)) }
	long, short, middle := begin(start, 3*time.Hour), begin(start, time.Hour), begin(start, 2*time.Hour)
	if begin(start, time.Hour) != nil {
		t.Error("a session began beyond the limit")
	}
	if len(s.byKey) != 3 {
		t.Errorf("got %d sessions, want 3", len(s.byKey))
	}
	later := start.Add(2 * time.Hour)
	for _, expired := range []*Credential{short, middle} {
		if expired.Live(later) || s.byKey[expired.ID] == nil {
			t.Errorf("the session until %s lives or is forgotten at %s", expired.Expires, later)
		}
	}
	next := begin(later, time.Hour)
	if next == nil {
		t.Fatal("no session began although two had expired")
	}
	if len(s.byKey) != 2 || len(s.order) != 2 || s.byKey[long.ID] == nil || s.byKey[next.ID] == nil {
		t.Errorf("got sessions %v, want the two that live", s.order)
	}
}

func TestSessionsAreTheSameForASeed(t *testing.T) {
	expires := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	begin := func(seed uint64) Credential {
		return *newSessions(seed, 1).begin(&principal{}, expires.Add(-time.Hour), expires)
	}
	one, same, other := begin(1), begin(1), begin(2)
	one.holder, same.holder = nil, nil
	if one != same {
		t.Errorf("got %v and %v for one seed", one, same)
	}
	if one.ID == other.ID || one.Secret == other.Secret || one.Token == other.Token {
		t.Error("two seeds give the same session")
	}
	if !LooksLikeToken(one.Token) {
		t.Errorf("%q does not look like a token", one.Token)
	}
}

func TestWhatLooksLikeAToken(t *testing.T) {
	for text, want := range map[string]bool{
		"CAISAAAA": true, "CAIS": true, "AAAA": false, "": false, "CAIS****": false,
		"CAIS" + strings.Repeat("A", maxTokenText-len("CAIS")): true, "CAIS" + strings.Repeat("A", maxTokenText): false,
	} {
		if got := LooksLikeToken(text); got != want {
			t.Errorf("%.20q of %d characters: got %t, want %t", text, len(text), got, want)
		}
	}
}

// TestEverySessionIsForgottenOnceAllExpired has no session left that lives.
func TestEverySessionIsForgottenOnceAllExpired(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newSessions(1, 2)
	for range 2 {
		s.begin(&principal{}, start, start.Add(time.Hour))
	}
	later := start.Add(time.Hour)
	if s.begin(&principal{}, later, later.Add(time.Hour)) == nil || len(s.byKey) != 1 || len(s.order) != 1 {
		t.Errorf("got sessions %v, want the last alone", s.order)
	}
}
