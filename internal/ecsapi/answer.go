package ecsapi

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// understand reads an answer: a result into the caller's hands, or the cloud's error.
func (c *Client) understand(q *request, answer *reply, into decode) *failure {
	if answer.status >= 200 && answer.status < 300 {
		if err := into(answer.body); err != nil {
			return c.unreadable(q, answer, err)
		}
		return nil
	}
	var problem struct{ code, message, requestID string }
	err := decodeObject(answer.body, func(s *scanner, key string) error {
		return s.fields(key, field{"Code", &problem.code}, field{"Message", &problem.message},
			field{"RequestId", &problem.requestID})
	})
	if err != nil || problem.code == "" {
		return c.unreadable(q, answer, errNoCode)
	}
	code := c.redactor.name(problem.code)
	class := classOf(code)
	return &failure{Error: &Error{
		Action: q.action, Region: c.redactor.name(q.region.ID), Code: code, Class: class,
		RequestID: c.redactor.name(problem.requestID), HTTPStatus: answer.status,
		Message: c.redactor.message(problem.message), hint: hintOf(q.action, code, class, problem.requestID != ""),
	}}
}

// unreadable makes the error of an answer that is none of the cloud's, or not whole.
func (c *Client) unreadable(q *request, answer *reply, err error) *failure {
	f := fault{"the answer could not be read: " + err.Error(), hintAgain}
	id := requestIDOf(answer.body)
	if id != "" {
		f.hint = hintQuote
	}
	text := strings.TrimSpace(answer.body)
	switch {
	case answer.status >= 300 && answer.status < 400:
		f = fault{"redirected, which the cloud never does; not followed", hintBetween}
	case isEncoded(answer.header):
		f = fault{"the answer is compressed or otherwise encoded, which was not asked for", hintBetween}
	case text == "":
		f = fault{fmt.Sprintf("an empty answer, http %d", answer.status), hintBetween}
	case strings.HasPrefix(text, "<"), strings.Contains(answer.contentType, "html"):
		f = fault{"the answer is a web page, not json", hintBetween}
	}
	e := c.fail(q, Transient, f)
	e.HTTPStatus, e.RequestID = answer.status, c.redactor.name(id)
	return &failure{Error: e}
}

// requestIDOf finds the ID of an answer that is of no other use. It is empty if there is none to be trusted.
func requestIDOf(body string) (id string) {
	err := decodeObject(body, func(s *scanner, key string) error { return s.fields(key, field{"RequestId", &id}) })
	if err != nil {
		return ""
	}
	return id
}

// isEncoded tells whether a body needs decoding before it is what the sender meant.
func isEncoded(header http.Header) bool {
	encoding := strings.TrimSpace(header.Get("Content-Encoding"))
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}

// askedWait is how long the cloud asks to wait, by its headers x-ratelimit-user-api and x-ratelimit-user, which look
// like "Limit:1,Remain:0,TimeLeft:2000,Reset:1234" (TimeLeft in milliseconds). Zero if it does not ask.
func askedWait(header http.Header) time.Duration {
	var longest time.Duration
	for _, name := range []string{"x-ratelimit-user-api", "x-ratelimit-user"} {
		for part := range strings.SplitSeq(header.Get(name), ",") {
			text, ok := strings.CutPrefix(strings.TrimSpace(part), "TimeLeft:")
			if !ok {
				continue
			}
			if ms, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil && ms > 0 {
				longest = max(longest, time.Duration(min(ms, maxHold.Milliseconds()))*time.Millisecond)
			}
		}
	}
	return longest
}
