package ecsemu

import (
	"cmp"
	"crypto/subtle"
	"errors"
	"net/http"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// rememberedNonces is how many of them are remembered at most.
const rememberedNonces = 200_000

// readClaim reads what a request says of its sender.
func (q *request) readClaim() (*acs.Claim, error) {
	claim, err := acs.Read(&acs.Request{
		Method: q.http.Method, Path: q.http.URL.Path, Host: q.http.Host, Query: q.Query, Form: q.Form,
		Header: q.http.Header, Body: q.Body,
	})
	return claim, refusal(err)
}

// authenticate finds the key of a request and checks that its bearer sent it just now and once. In what order the
// cloud checks is not documented. Here, unless [cloud.Era.GatewayOrder] says otherwise, what anybody can see comes first,
// and then what only the bearer of the secret is told; a nonce is remembered only once the signature is known to be good.
func (s *Server) authenticate(claim *acs.Claim) (*cloud.Credential, error) {
	order := cmp.Or(s.era.GatewayOrder, cloud.TimeKeySignature)
	fresh := func(place cloud.GatewayOrder) error {
		if order != place {
			return nil
		}
		return refusal(claim.Fresh(s.clock()))
	}
	if err := fresh(cloud.TimeKeySignature); err != nil {
		return nil, err
	}
	key, err := s.keyOf(claim)
	if err != nil {
		return nil, err
	}
	if err := fresh(cloud.KeyTimeSignature); err != nil {
		return nil, err
	}
	if err := claim.Verify(key.Secret); err != nil {
		return nil, refusal(err)
	}
	if err := fresh(cloud.KeySignatureTime); err != nil {
		return nil, err
	}
	switch {
	// Of a token along with a key that needs none no document says anything. It is of another key, for sure.
	case subtle.ConstantTimeCompare([]byte(key.Token), []byte(claim.Token)) == 0:
		return nil, wire.Refuse(wire.CodeTokenWrong)
	case !key.Live(s.clock()):
		return nil, wire.Refuse(wire.CodeTokenExpired)
	case !s.useNonce(key.ID, claim.Nonce):
		return nil, wire.Refuse(wire.CodeNonceUsed)
	}
	return key, nil
}

// keyOf finds the key that a request names, and whether a token goes with it.
func (s *Server) keyOf(claim *acs.Claim) (*cloud.Credential, error) {
	key := s.cloud.Credential(claim.KeyID)
	switch {
	case key == nil:
		return nil, wire.Refuse(wire.CodeAccessKey)
	case key.Inactive:
		return nil, wire.Refuse(wire.CodeKeyInactive)
	case key.Token != "" && claim.Token == "":
		return nil, wire.Refuse(wire.CodeTokenMissing)
	case claim.Token != "" && !cloud.LooksLikeToken(claim.Token):
		return nil, wire.Refuse(wire.CodeTokenMalformed)
	}
	return key, nil
}

// useNonce is false if a nonce was used before, as far as that is remembered.
func (s *Server) useNonce(keyID, nonce string) bool {
	if s.era.NoncesOfAll {
		keyID = ""
	}
	return s.nonces.UseFor(s.era.NonceMemory, keyID, nonce, s.clock())
}

// errorsOf gives what is known of codes, as an era has it.
func errorsOf(era *cloud.Era) wire.Errors {
	table := wire.Table()
	if era.SecurityTokenRefused {
		for _, code := range []wire.Code{wire.CodeTokenMalformed, wire.CodeTokenWrong, wire.CodeTokenExpired} {
			table[code] = wire.Row{Status: http.StatusForbidden, Message: table[code].Message}
		}
	}
	return table
}

// refusal gives an error of a signature as it is answered.
func refusal(err error) error {
	if found, ok := errors.AsType[*acs.Error](err); ok {
		return wire.Refusef(wire.Code(found.Code), found.Message)
	}
	return err
}
