package ecsemu

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// alter changes members of an answer; see [FaultAlter].
func alter(top *object, fields map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		parent, field, nested := strings.Cut(name, ".")
		found := false
		walk("", top, func(at string, o *object) {
			switch {
			case nested && at == parent:
				o.set(field, fields[name])
			case !nested && slices.ContainsFunc(o.members, func(m member) bool { return m.name == name }):
				o.set(name, fields[name])
				found = true
			}
		})
		if !nested && !found {
			top.set(name, fields[name])
		}
	}
}

// changed carries a request out and changes its answer.
func (s *Server) changed(q *request, change func(top *object)) (reply, error) {
	done, err := s.cloudDoes(q)
	if err != nil {
		return reply{}, err
	}
	body, err := wire.FormatJSON.Encode("", done.Response, 1024)
	if err != nil {
		return reply{}, err
	}
	top, err := readTree(body)
	if err != nil {
		return reply{}, err
	}
	change(top)
	answer, err := q.success(top)
	answer.effect = done.Changed
	return answer, err
}

// cloudDoes carries a request out on what its client is to see of the world.
func (s *Server) cloudDoes(q *request) (cloud.Answer, error) {
	if behind := s.seen(q); behind != nil {
		return s.cloud.DoOn(behind, q.call())
	}
	return s.cloud.Do(q.call())
}

// seen is the world that a request reads from; nil is the world as it is.
func (s *Server) seen(q *request) *cloud.World {
	if q.do.Writes {
		return nil
	}
	return s.behind
}

// alteredFailure is the reply to a refused request, with members changed.
func (s *Server) alteredFailure(q *request, refused error, fields map[string]any) (reply, error) {
	if len(fields) == 0 {
		return s.failure(q, refused), nil
	}
	plain := *q
	plain.format = wire.FormatJSON
	answer := s.failure(&plain, refused)
	top, err := readTree(answer.body)
	if err != nil {
		return reply{}, err
	}
	alter(top, fields)
	answer.body, err = q.format.Encode("Error", top, 1024)
	answer.header = q.header()
	return answer, err
}

// readAs gives a request as if it had been asked with other parameters. An empty value takes one away.
func (q *request) readAs(params map[string]string) *request {
	twin, asked := *q, *q.Request
	twin.Request = &asked
	asked.Params = maps.Clone(q.Params)
	for name, value := range params {
		if value == "" {
			delete(asked.Params, name)
			continue
		}
		asked.Params[name] = value
	}
	return &twin
}

// isLaterPage tells whether a request asks for another page than the first.
func isLaterPage(p wire.Params) bool {
	number, _ := p.Int("PageNumber", 1, 1, 1<<30) // What is no number is refused before it matters.
	return p.Get("NextToken") != "" || number > 1
}

// firstPage gives a request as the one for the first page of its listing, in the same style.
func (q *request) firstPage() *request {
	other := map[string]string{"NextToken": "", "PageNumber": ""}
	if q.Params.Get("NextToken") != "" && q.Params.Get("MaxResults") == "" {
		// Without either, a listing of groups would change to its other style.
		other["MaxResults"] = "10"
	}
	return q.readAs(other)
}

func (s *Server) playAlter(q *request, f *armedFault) (reply, error) {
	answer, err := s.changed(q, func(top *object) { alter(top, f.Fields) })
	if err != nil {
		return s.alteredFailure(q, err, f.Fields)
	}
	return answer, nil
}

func (s *Server) playSwap(q *request, f *armedFault) (reply, error) {
	return s.plainly(q.readAs(f.Params), f)
}

// playLoop answers with the first page, whatever page was asked for.
func (s *Server) playLoop(q *request, _ *armedFault) (reply, error) {
	return s.changed(q.firstPage(), func(top *object) { top.set("NextToken", loopToken) })
}

func (s *Server) playEmptyPages(q *request, _ *armedFault) (reply, error) {
	return s.changed(q.firstPage(), func(top *object) {
		if items := top.items(); items != nil {
			items.elements = []any{}
		}
		top.set("NextToken", loopToken+q.id)
	})
}

func (s *Server) playEmptyList(q *request, _ *armedFault) (reply, error) {
	return s.changed(q, func(top *object) {
		items := top.items()
		if items == nil {
			return
		}
		items.elements = []any{}
		if top.get("NextToken") != nil {
			top.set("NextToken", "")
		}
		if top.get("TotalCount") != nil {
			top.set("TotalCount", json.Number("0"))
		}
	})
}

func (s *Server) playDropItems(q *request, f *armedFault) (reply, error) {
	return s.changed(q, func(top *object) {
		items := top.items()
		if items == nil {
			return
		}
		n := min(max(f.Count, 1), len(items.elements))
		items.elements = items.elements[:len(items.elements)-n]
		if total, ok := top.get("TotalCount").(json.Number); ok {
			count, _ := strconv.Atoi(string(total)) // It is a number of ours.
			top.set("TotalCount", json.Number(strconv.Itoa(count-n)))
		}
	})
}

func (s *Server) playRepeatItem(q *request, f *armedFault) (reply, error) {
	var last any
	_, err := s.changed(q.firstPage(), func(top *object) {
		if items := top.items(); items != nil && len(items.elements) > 0 {
			last = items.elements[len(items.elements)-1]
		}
	})
	if err != nil {
		return reply{}, err
	}
	return s.changed(q, func(top *object) {
		items := top.items()
		if items == nil || last == nil {
			return
		}
		if element, ok := last.(*object); ok {
			alter(element, f.Fields)
		}
		items.elements = append([]any{last}, items.elements...)
	})
}

// refusal is the error that a fault answers with.
func (f *armedFault) refusal(table wire.Errors, fallback wire.Code) *wire.Refusal {
	code := cmp.Or(wire.Code(f.Code), fallback)
	return &wire.Refusal{
		Code: code, Status: cmp.Or(f.Status, table[code].Status, 503),
		Message: cmp.Or(f.Message, table[code].Message, "This error was asked for by a fault."),
	}
}
