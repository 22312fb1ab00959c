package feeds

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// explain says in words of its own why a request failed. The texts of net/http are not passed on: they carry whole URLs,
// those of redirects and proxies too, and any of these may hold a secret.
func (f *Fetcher) explain(err error) error {
	if refused, ok := errors.AsType[*redirectError](err); ok {
		return refused
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("it was not waited for")
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("the server's certificate is not trusted: %w", certificate.Err)
	}
	return &passingError{f.transient(err)}
}

// transient names what may be over soon.
func (f *Fetcher) transient(err error) string {
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("looking up its host %s did not work", lookup.Name)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("there was no whole answer within %s", f.Timeout)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS"
	}
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		return "the server refused the TLS connection: " + alert.Error()
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return "connecting to the server, or reading from it, did not work: " + number.Error()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection ended before the answer was whole"
	}
	return fmt.Sprintf("the request did not work (%T)", err)
}
