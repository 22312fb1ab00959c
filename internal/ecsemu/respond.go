package ecsemu

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// reply is an answer that was decided on but not sent yet.
type reply struct {
	status int
	header map[string]string
	body   []byte
	code   errorCode // Empty if the call succeeded.
	effect bool      // The call changed something, whatever the answer says.
	// broken says how the answer is spoiled on its way.
	broken breakage
}

type breakage int

const (
	whole breakage = iota
	cutInHalf
	connectionClosed
)

const contentJSON = "application/json;charset=utf-8"

// errorBody is what a refused call gets. AccessDeniedDetail comes with the denials of RAM, which are not emulated yet.
type errorBody struct {
	RequestID string    `json:"RequestId"`
	HostID    string    `json:"HostId"`
	Code      errorCode `json:"Code"`
	Message   string    `json:"Message"`
	Recommend string    `json:"Recommend"`
}

// encode gives a value as the cloud does: on one line, and without escapes for HTML.
func encode(value any, sizeHint int) ([]byte, error) {
	var buffer bytes.Buffer
	buffer.Grow(sizeHint)
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// success is the reply to a call that was done.
func success(response any) (reply, error) {
	hint := 256
	if page, ok := response.(*attributeResponse); ok {
		hint += 800 * len(page.Permissions.Permission)
	}
	body, err := encode(response, hint)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, header: map[string]string{"Content-Type": contentJSON}, body: body}, nil
}

// failure is the reply to a call that was refused.
func (s *Server) failure(err error, host, requestID string) reply {
	r := asRefusal(err, s.errors)
	body, err := encode(errorBody{
		RequestID: requestID, HostID: hostID(host), Code: r.code, Message: r.message,
		Recommend: "https://error-center.aliyun.com/status/search?Keyword=" + string(r.code) + "&source=PopGw",
	}, 1024)
	if err != nil {
		return reply{status: http.StatusInternalServerError, code: codeInternal}
	}
	return reply{status: r.status, code: r.code, header: map[string]string{"Content-Type": contentJSON}, body: body}
}

// hostID is the name the client meant to call, or the central one if it called an address.
func hostID(host string) string {
	name, _, _ := strings.Cut(host, ":")
	if strings.HasSuffix(name, ".aliyuncs.com") {
		return name
	}
	return "ecs.aliyuncs.com"
}

// send writes a reply. A spoiled one ends with the connection closed under the client.
func (r reply) send(w http.ResponseWriter) {
	if r.broken == connectionClosed {
		panic(http.ErrAbortHandler)
	}
	for name, value := range r.header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	w.WriteHeader(r.status)
	body := r.body
	if r.broken == cutInHalf {
		body = body[:len(body)/2]
	}
	// The client may be gone; there is nobody else to tell.
	_, _ = w.Write(body)
	if r.broken == cutInHalf {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
