// Package drive is how the drivers of the Go SDKs are spoken to; see the README of the clients for the protocol.
package drive

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Request is one call to make.
type Request struct {
	Action     string         `json:"action"`
	Product    string         `json:"product"` // ecs or sts
	Parameters map[string]any `json:"parameters"`
	Key        string         `json:"key"`
	Secret     string         `json:"secret"`
	Token      string         `json:"token"`
	Scheme     string         `json:"scheme"`   // http or https
	Endpoint   string         `json:"endpoint"` // host:port
	CA         string         `json:"ca"`       // File of the certificate to trust, in PEM.
	Format     string         `json:"format"`   // JSON, XML or empty
	Mode       string         `json:"mode"`     // A form of the SDK; empty for the usual one.
}

// Version is the API version of the product.
func (r *Request) Version() string {
	if r.Product == "sts" {
		return "2015-04-01"
	}
	return "2014-05-26"
}

// Answer is what came of a call. What an SDK does not tell is left out.
type Answer struct {
	OK        bool   `json:"ok"`
	Status    int    `json:"status,omitempty"`
	Code      string `json:"code,omitempty"`
	Message   string `json:"message,omitempty"`
	RequestID string `json:"requestId,omitempty"`
	Data      any    `json:"data,omitempty"`
	Raw       string `json:"raw,omitempty"`  // The body, where the SDK does not take it apart.
	Type      string `json:"type,omitempty"` // The SDK's own type of the error.
	Wait      int64  `json:"wait,omitempty"` // How long the SDK says to wait, in milliseconds.
	Hint      string `json:"hint,omitempty"` // What the SDK adds to the error by itself.
}

// Run answers requests, one a line, until the input ends.
func Run(call func(*Request) Answer) {
	if err := run(os.Stdin, os.Stdout, call); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err) // There is nobody else to tell.
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, call func(*Request) Answer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(out)
	for lines.Scan() {
		var request Request
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		if err := answers.Encode(call(&request)); err != nil {
			return fmt.Errorf("writing an answer: %w", err)
		}
	}
	return lines.Err()
}
