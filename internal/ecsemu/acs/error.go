package acs

import "fmt"

// The codes of this package's errors.
const (
	codeMissing         = "MissingParameter"
	codeIncomplete      = "IncompleteSignature"
	codeSignatureMethod = "InvalidSignatureMethod"
	codeTimestampAbsent = "IllegalTimestamp"
	codeTimestampFormat = "InvalidTimeStamp.Format"
	codeExpired         = "InvalidTimeStamp.Expired"
	codeMismatch        = "SignatureDoesNotMatch"
)

// maxTold bounds how much of the server's string to sign is told. That of the largest legal request, a hundred
// permissions, is shorter; only of one that is blown up on purpose is there more.
const maxTold = 256 << 10

// Error is why a request is refused, with Code and Message of the answer's body. The status is 400.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// missing is for a parameter or header that is absent or empty.
func missing(name string) error {
	return &Error{Code: codeMissing, Message: missingMessage(name)}
}

func missingMessage(name string) string {
	return fmt.Sprintf(`The input parameter %q that is mandatory for processing this request is not supplied.`, name)
}

// incompletef is for a signature of the wrong form. The documented message says nothing more; what follows it is ours.
func incompletef(format string, args ...any) error {
	return &Error{
		Code:    codeIncomplete,
		Message: "The request signature does not conform to Aliyun standards. " + fmt.Sprintf(format, args...),
	}
}

func unknownMethod() error {
	return &Error{Code: codeSignatureMethod, Message: "Specified signature method is not valid."}
}

// mismatch tells what the server expected to be signed. Clients cut the text behind the colon out and compare it with
// theirs: if it is the same, they know that the secret is wrong.
func mismatch(stringToSign string) error {
	return &Error{
		Code: codeMismatch,
		Message: "Specified signature is not matched with our calculation. server string to sign is:" +
			stringToSign[:min(len(stringToSign), maxTold)],
	}
}
