package revoker

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Hash domains keep tokens apart from every other hash, those of different actions from one another, and all from those
// of a later encoding. A change of what is hashed below needs new ones: a call that was recorded before an upgrade must
// not be re-sent under a changed token unseen.
const (
	revokeDomain  = "egress-janitor/revoke/v1"
	restoreDomain = "egress-janitor/restore/v1"
)

// ClientToken is what makes a repeat of the request harmless: the cloud remembers it, and refuses it for a request
// with other parameters. It is derived from the ID of the first call and all parameters, so that a repeat has the same
// token, after a restart too, and different calls never share one: a token under which a rule was removed must not be
// used for one that was created again.
//
// It has 64 characters, hexadecimal digits; more are not allowed.
// Source: How to ensure idempotence (ECS), parameter ClientToken.
func (c *Call) ClientToken() string {
	// Every text goes in behind its length, and the number of parameters before them. So no two different calls give
	// the same bytes, wherever texts begin and end.
	var encoded []byte
	add := func(text string) {
		encoded = binary.BigEndian.AppendUint64(encoded, uint64(len(text)))
		encoded = append(encoded, text...)
	}
	if c.Action == ActionAuthorize {
		add(restoreDomain)
	} else {
		add(revokeDomain)
	}
	add(c.First())
	encoded = binary.BigEndian.AppendUint64(encoded, uint64(len(c.Parameters)))
	for _, parameter := range c.Parameters {
		add(parameter.Name)
		add(parameter.Value)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}
