package cloud

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/draw"
)

// Sessions. The rate at which the cloud gives them out is limited; here, how many there may be at once is.
const (
	rememberedSessions = 20_000
	tokenPrefix        = "CAIS"
	maxTokenText       = 4096
)

// sessions are those that roles were assumed for. The lock of the cloud guards them. Those that expired are kept until
// their place is needed, so that their keys are refused as expired and not as unknown.
type sessions struct {
	limit  int
	byKey  map[string]*Credential
	order  []string // Key IDs, by when they expire.
	stream draw.Stream
}

// newSessions begins a stream of its own, so that sessions do not change the IDs of what is created. That secrets follow
// from a seed is of no harm: who can reach an emulator knows a key of it anyway.
func newSessions(seed uint64, limit int) *sessions {
	return &sessions{limit: limit, byKey: map[string]*Credential{}, stream: draw.From(seed ^ 0x737473)}
}

// begin gives a new session out; nil if there are too many that live.
func (s *sessions) begin(holder *principal, now, expires time.Time) *Credential {
	if len(s.order) >= s.limit && !s.dropExpired(now) {
		return nil
	}
	session := &Credential{
		ID: "STS.N" + s.stream.Token(23), Secret: s.stream.Token(44), Token: s.token(), Account: holder.account,
		Expires: expires, holder: holder,
	}
	at, _ := slices.BinarySearchFunc(s.order, expires, func(id string, t time.Time) int {
		if s.byKey[id].Expires.After(t) {
			return 1
		}
		return -1
	})
	s.order = slices.Insert(s.order, at, session.ID)
	s.byKey[session.ID] = session
	return session
}

// dropExpired forgets the sessions that expired. It is false if there were none.
func (s *sessions) dropExpired(now time.Time) bool {
	gone := 0
	for gone < len(s.order) && !s.byKey[s.order[gone]].Live(now) {
		delete(s.byKey, s.order[gone])
		gone++
	}
	s.order = slices.Delete(s.order, 0, gone)
	return gone > 0
}

// token gives the text that goes with a session's key. It has the characters that need care in a query.
func (s *sessions) token() string {
	raw := make([]byte, 0, 96)
	for range 12 {
		raw = binary.BigEndian.AppendUint64(raw, s.stream.Next())
	}
	return tokenPrefix + base64.StdEncoding.EncodeToString(append(raw, 0))
}

// Live tells whether a session has not expired. Keys without an end always live.
func (k *Credential) Live(now time.Time) bool { return k.Expires.IsZero() || now.Before(k.Expires) }

// LooksLikeToken tells whether a text could be the token of a session.
func LooksLikeToken(text string) bool {
	rest, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok || len(text) > maxTokenText {
		return false
	}
	_, err := base64.StdEncoding.DecodeString(rest)
	return err == nil
}
