package ecsemu

import (
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// FaultKind is a way to misbehave.
type FaultKind string

// Kinds of faults that answer something instead of doing what was asked.
const (
	// FaultError answers with Status, Code and Message. Fields then change what is in that answer.
	FaultError FaultKind = "error"
	// FaultThrottle answers as if the quota were used up: with Code, a Throttling of some sort, and the header of it.
	FaultThrottle FaultKind = "throttle"
	// FaultAnswer answers with Status, Body, ContentType and Location: a redirect, a type that is none, anything.
	FaultAnswer FaultKind = "answer"
	// FaultHTML answers with a web page and Status, 200 if not given, as a proxy in between would.
	FaultHTML FaultKind = "html"
	// FaultEmptyBody answers with status 200 and nothing else.
	FaultEmptyBody FaultKind = "empty-body"
	// FaultClose ends the connection, as How says.
	FaultClose FaultKind = "close"
	// FaultIgnore answers a writing call as if it were done, but does nothing. The ClientToken of the call is taken.
	FaultIgnore FaultKind = "ignore"
)

// Kinds of faults that do what was asked and keep the client from learning it.
const (
	// FaultLatency holds the answer back for Latency, which every other kind can do too.
	FaultLatency FaultKind = "latency"
	// FaultTruncate closes the connection in the middle of the body.
	FaultTruncate FaultKind = "truncate"
	// FaultLoseAnswer ends the connection before an answer, as How says.
	FaultLoseAnswer FaultKind = "lose-answer"
	// FaultErrorAfter answers with Status, Code and Message. Fields then change what is in that answer.
	FaultErrorAfter FaultKind = "error-after"
	// FaultDrip sends the body byte by byte, with Interval between two of them.
	FaultDrip FaultKind = "drip"
	// FaultOversize sends Size bytes of white space behind the answer, which any parser would skip. Gzip compresses the
	// whole, asked for or not.
	FaultOversize FaultKind = "oversize"
	// FaultAlter changes members of the answer, be it of a call that was done or refused: each of Fields is a name and
	// the value that its members get wherever they are. A name that is nowhere is added at the top. A name like
	// Permission.NicType is that of a member of Permission only, and is added to each Permission that lacks it.
	FaultAlter FaultKind = "alter"
)

// Kinds of faults of reading calls.
const (
	// FaultStale answers reading calls from the state as it was when the fault was set.
	FaultStale FaultKind = "stale"
	// FaultLag answers reading calls from the state as it was Lag ago, but not before the fault was set.
	FaultLag FaultKind = "lag"
	// FaultSwap answers a reading call as if it had been asked with Params, such as another group.
	FaultSwap FaultKind = "swap"
	// FaultLoopToken answers a listing with its first page, and always the same token for a next one.
	FaultLoopToken FaultKind = "loop-token"
	// FaultEmptyPages answers a listing without any element, and with another token for a next page each time.
	FaultEmptyPages FaultKind = "empty-pages"
	// FaultEmptyList answers a listing as if it were empty.
	FaultEmptyList FaultKind = "empty-list"
	// FaultDropItems leaves out the last Count elements of a page, without a word: a total is the lower for it.
	FaultDropItems FaultKind = "drop-items"
	// FaultRepeatItem begins a second or later page with an element of the first page, the last, which Fields may change.
	FaultRepeatItem FaultKind = "repeat-item"
)

// Kinds of faults in which somebody else changes something before or after a call.
const (
	// FaultEditBefore makes an Edit to the group that a call is about, right before the call is carried out. That may
	// be a reading call too.
	FaultEditBefore FaultKind = "edit-before"
	// FaultEditAfter makes an Edit to the group right after a call, before it is answered. The edit recreate is of the
	// rules that the call removed: somebody wants them back.
	FaultEditAfter FaultKind = "edit-after"
	// FaultCallBefore makes the call that Params name, Action and all, as the account itself right before a call. Its
	// RegionId, SecurityGroupId and PrefixListId are those of the call if not given.
	FaultCallBefore FaultKind = "call-before"
	// FaultCallAfter does the same right after a call that was done, before it is answered.
	FaultCallAfter FaultKind = "call-after"
	// FaultDeleteGroup deletes the group right before its attributes are read. Skip says before which time.
	FaultDeleteGroup FaultKind = "delete-group"
	// FaultForgetToken forgets the ClientToken of a writing call right before the call, which is then done again.
	FaultForgetToken FaultKind = "forget-token"
)

// Kinds of faults of TLS handshakes. What selects requests does not go with them; connections that are open stay.
const (
	// FaultTLSHandshake fails the handshake.
	FaultTLSHandshake FaultKind = "tls-handshake"
	// FaultTLSCertificate shows a certificate of an authority that nobody knows.
	FaultTLSCertificate FaultKind = "tls-certificate"
)

// kindRow is what is known of a kind.
type kindRow struct {
	kind      FaultKind
	takes     []string                 // The fields, as they are called in JSON, that belong to some kinds only.
	needs     string                   // The one of them without which the kind makes no sense.
	suits     func(*cloud.Action) bool // The actions for which it makes sense. Nil: all.
	later     bool                     // It is of second and later pages only.
	handshake bool
	play      func(*Server, *request, *armedFault) (reply, error)
}

type kindRows []kindRow

func (t kindRows) row(kind FaultKind) kindRow {
	for _, row := range t {
		if row.kind == kind {
			return row
		}
	}
	return kindRow{}
}

func (t kindRows) names() []FaultKind {
	names := make([]FaultKind, 0, len(t))
	for _, row := range t {
		names = append(names, row.kind)
	}
	return names
}

func reads(do *cloud.Action) bool    { return !do.Writes }
func writes(do *cloud.Action) bool   { return do.Writes }
func pages(do *cloud.Action) bool    { return do.Pages }
func oneGroup(do *cloud.Action) bool { return do.OneGroup }
func attributes(do *cloud.Action) bool {
	return do.Name == cloud.ActionDescribeAttribute
}

// kindTable is the table of all kinds.
func kindTable() kindRows {
	refusal := []string{"status", "code", "message", "fields"}
	edit := []string{"edit", "rule"}
	return kindRows{
		{kind: FaultLatency, play: (*Server).plainly},
		{kind: FaultError, takes: refusal, play: (*Server).playError},
		{kind: FaultThrottle, takes: []string{"code"}, play: (*Server).playThrottle},
		{kind: FaultAnswer, takes: []string{"status", "body", "contentType", "location"}, play: (*Server).playAnswer},
		{kind: FaultHTML, takes: []string{"status"}, play: (*Server).playHTML},
		{kind: FaultEmptyBody, play: (*Server).playEmptyBody},
		{kind: FaultClose, takes: []string{"how"}, play: (*Server).playClose},
		{kind: FaultIgnore, suits: writes, play: (*Server).playIgnore},

		{kind: FaultTruncate, play: (*Server).playTruncate},
		{kind: FaultLoseAnswer, takes: []string{"how"}, play: (*Server).playLoseAnswer},
		{kind: FaultErrorAfter, takes: refusal, play: (*Server).playErrorAfter},
		{kind: FaultDrip, takes: []string{"interval"}, needs: "interval", play: (*Server).playDrip},
		{kind: FaultOversize, takes: []string{"size", "gzip"}, play: (*Server).playOversize},
		{kind: FaultAlter, takes: []string{"fields"}, needs: "fields", play: (*Server).playAlter},

		{kind: FaultStale, suits: reads, play: (*Server).playPast},
		{kind: FaultLag, takes: []string{"lag"}, needs: "lag", suits: reads, play: (*Server).playPast},
		{kind: FaultSwap, takes: []string{"params"}, needs: "params", suits: reads, play: (*Server).playSwap},
		{kind: FaultLoopToken, suits: pages, play: (*Server).playLoop},
		{kind: FaultEmptyPages, suits: pages, play: (*Server).playEmptyPages},
		{kind: FaultEmptyList, suits: reads, play: (*Server).playEmptyList},
		{kind: FaultDropItems, takes: []string{"count"}, suits: reads, play: (*Server).playDropItems},
		{kind: FaultRepeatItem, takes: []string{"fields"}, suits: pages, later: true, play: (*Server).playRepeatItem},

		{kind: FaultEditBefore, takes: edit, needs: "edit", suits: oneGroup, play: (*Server).playEditBefore},
		{kind: FaultEditAfter, takes: edit, needs: "edit", suits: oneGroup, play: (*Server).playEditAfter},
		{kind: FaultCallBefore, takes: []string{"params"}, needs: "params", play: (*Server).playCallBefore},
		{kind: FaultCallAfter, takes: []string{"params"}, needs: "params", play: (*Server).playCallAfter},
		{kind: FaultDeleteGroup, suits: attributes, play: (*Server).playDeleteGroup},
		{kind: FaultForgetToken, suits: writes, play: (*Server).playForgetToken},

		{kind: FaultTLSHandshake, handshake: true},
		{kind: FaultTLSCertificate, handshake: true},
	}
}
