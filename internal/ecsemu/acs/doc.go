// Package acs verifies the signatures of requests to the cloud's API, as the server that receives them.
//
// There are two schemes. With RPC, also known as signature version 1, common parameters among those of the call carry
// the key, the nonce, the time and an HMAC-SHA1 over all parameters, wherever they are: in the query, in a form, or
// some here and some there. With ACS3 the action and everything about the signature are headers, and an HMAC-SHA256
// covers the method, the path, the query, a list of headers and the body.
//
// A server asks in this order:
//
//	claim, err := acs.Read(&request)           // What does the request claim to be?
//	err = claim.Fresh(now)                     // Was it made just now?
//	secret := ...                              // Whose key is claim.KeyID, and is claim.Token a session of it?
//	err = claim.Verify(secret)                 // Did the bearer of that key make it?
//	fresh := nonces.Use(claim.KeyID, claim.Nonce) // And is it no copy?
//
// In what order the cloud asks is not documented. A nonce is to be used up last, so that nobody without the secret can
// use up those of others. Until Verify has said yes, a claim is no more than that. Every error is an *Error with code
// and message as the cloud gives them; all of them go with status 400.
//
// Signatures are verified over decoded and encoded again names and values, never over the text that the client sent,
// as clients differ in how they write a space and in what they escape. Signer is the other side, for tests.
package acs
