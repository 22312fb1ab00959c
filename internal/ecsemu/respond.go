package ecsemu

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// reply is an answer that was decided on but not sent yet.
type reply struct {
	status int
	header map[string]string
	body   []byte
	code   wire.Code // Empty if the call succeeded.
	effect bool      // The call changed something, whatever the answer says.
	// broken says how the answer is spoiled on its way.
	broken breakage
	// deliver sends it in a way of its own, if not nil.
	deliver func(http.ResponseWriter, reply)
}

type breakage int

const (
	whole breakage = iota
	cutInHalf
	connectionClosed
)

// success is the reply to a call that was done.
func (q *request) success(response any) (reply, error) {
	hint := 256
	if sized, ok := response.(interface{ SizeHint() int }); ok {
		hint = sized.SizeHint()
	}
	body, err := q.format.Encode(q.action+"Response", response, hint)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, header: q.header(), body: body}, nil
}

func (q *request) header() map[string]string {
	return map[string]string{"Content-Type": q.format.ContentType()}
}

// failure is the reply to a request that was refused.
func (s *Server) failure(q *request, err error) reply {
	r := s.errors.Complete(err)
	body, err := q.format.Encode("Error", wire.ErrorBody{
		RequestID: q.id, HostID: q.hostID(), Code: r.Code, Message: r.Message,
		Recommend: "https://error-center.aliyun.com/status/search?Keyword=" + string(r.Code) + "&source=PopGw",
		Denied:    r.Denied,
	}, 1024)
	if err != nil {
		return reply{status: http.StatusInternalServerError, code: wire.CodeInternal}
	}
	return reply{status: r.Status, code: r.Code, header: q.header(), body: body}
}

// hostID is the name the client meant to call, or the central one of the product if it called an address.
func (q *request) hostID() string {
	name, _, _ := strings.Cut(q.http.Host, ":")
	if strings.HasSuffix(name, ".aliyuncs.com") {
		return name
	}
	version := q.Params.Get("Version")
	if acs.SchemeOf(q.http.Header) == acs.ACS3 {
		version = q.http.Header.Get("X-Acs-Version")
	}
	if version == cloud.VersionSTS {
		return "sts.aliyuncs.com"
	}
	return "ecs.aliyuncs.com"
}

// send writes a reply. A spoiled one ends with the connection closed under the client.
func (r reply) send(w http.ResponseWriter) {
	if r.deliver != nil {
		r.deliver(w, r)
		return
	}
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
