package ecsapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

const (
	// maxAnswer bounds an answer: 1,000 rules take about 600 KB.
	maxAnswer = 8 << 20
	// maxHeader bounds the header of an answer.
	maxHeader = 256 << 10
	// maxIdle is more connections than all pools of an account have calls under way. With one endpoint for all regions
	// they share a host, so a bound by host must not be the one that holds.
	maxIdle = 1024
)

// newTransport makes the one pool of connections that all SDK clients share. The pools of clients bound how many are
// open: a bound by host would let one region that hangs starve others that are served by the same host. Redirects are
// never followed: nobody above it sees one.
func newTransport(o *Options, e endpoint) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.CAs},
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    maxIdle,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	if !e.loopback {
		t.Proxy = http.ProxyFromEnvironment
	}
	return t
}

// reply is an answer as it came.
type reply struct {
	status      int
	contentType string
	header      http.Header
	body        string
}

// exchange is the transport of one SDK client: it sends the call under way with the context of its caller, keeps the
// answer, and shows the SDK an empty success instead. So the SDK's parsers, which panic on odd errors, and its error
// texts, which hold signed URLs, never see what the cloud or the network said.
//
// It holds the one context of the code base that is kept in a struct: the SDK has no other way in. That is sound
// because a client, and so its exchange, serves one call at a time.
type exchange struct {
	base   http.RoundTripper
	buffer []byte

	ctx    context.Context //nolint:containedctx // see above
	gate   *gate           // of a write; nil for a read
	reply  reply
	err    error
	called bool
}

// begin makes the exchange ready for a call.
func (x *exchange) begin(ctx context.Context, g *gate) {
	x.ctx, x.gate, x.reply, x.err, x.called = ctx, g, reply{}, nil, false
}

// RoundTrip sends a request of the SDK. It never fails: see [exchange].
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	x.called = true
	x.reply, x.err = x.send(r)
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), ContentLength: 2, Request: r,
	}, nil
}

var errTooLong = errors.New("answer of more than 8 MiB")

func (x *exchange) send(r *http.Request) (reply, error) {
	response, err := x.roundTrip(r.WithContext(x.ctx))
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close() //nolint:errcheck // read to the end below, or given up
	answer := reply{
		status: response.StatusCode, contentType: response.Header.Get("Content-Type"), header: response.Header,
	}
	if response.ContentLength > maxAnswer {
		return answer, errTooLong
	}
	var body strings.Builder
	body.Grow(int(max(response.ContentLength, 0)))
	limited := io.LimitReader(response.Body, maxAnswer+1)
	n, err := io.CopyBuffer(onlyWriter{&body}, limited, x.buffer)
	switch {
	case err != nil:
		return answer, fmt.Errorf("reading the answer: %w", err)
	case n > maxAnswer:
		return answer, errTooLong
	}
	answer.body = body.String()
	return answer, nil
}

func (x *exchange) roundTrip(r *http.Request) (*http.Response, error) {
	if x.gate != nil {
		return x.gate.send(x.base, r)
	}
	return x.base.RoundTrip(r)
}

// onlyWriter keeps io.CopyBuffer from looking for a better way, so that the buffer is used.
type onlyWriter struct{ io.Writer }

// fault is what is told of a failure on the way: its own words, since those of the network may hold a proxy's
// password.
type fault struct {
	message string
	hint    string
}

// faultOf puts a failure of the network into words.
func faultOf(err error) fault {
	if f, ok := faultOfTLS(err); ok {
		return f
	}
	var (
		dns     *net.DNSError
		op      *net.OpError
		timeout net.Error
	)
	switch {
	case errors.Is(err, errTooLong):
		return fault{errTooLong.Error(), hintBetween}
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return fault{"the proxy could not be reached", hintProxy}
	case errors.As(err, &dns):
		return fault{"no address found for host " + dns.Name, hintNetwork}
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault{"connection refused" + addressOf(op), hintNetwork}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fault{"no answer in time" + addressOf(op), hintNetwork}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault{"the answer ended early: connection lost", hintNetwork}
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fault{"connection lost before the answer", hintNetwork}
	default:
		return fault{"the call did not get through" + addressOf(op), hintNetwork}
	}
}

func faultOfTLS(err error) (fault, bool) {
	var (
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
		name   x509.HostnameError
	)
	switch {
	case errors.As(err, &name):
		return fault{"the certificate of the endpoint is for another host", hintTLS}, true
	case errors.As(err, &verify):
		return fault{"the certificate of the endpoint is not trusted: " + verify.Err.Error(), hintTLS}, true
	case errors.As(err, &record):
		return fault{"the endpoint does not speak tls", hintBetween}, true
	case errors.As(err, &alert):
		return fault{"the endpoint refused tls: " + alert.Error(), hintTLS}, true
	default:
		return fault{}, false
	}
}

func addressOf(op *net.OpError) string {
	if op == nil || op.Addr == nil {
		return ""
	}
	return " (" + op.Addr.String() + ")"
}
