package ecsapi

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sent is a request as it came over the network.
type sent struct {
	method string
	scheme string
	host   string
	path   string
	query  string // raw
	header http.Header
	body   string
}

// violations collects what is wrong with a request: each names the action, the parameter, and why.
type violations struct {
	action string
	found  []string
}

func (v *violations) add(name, format string, args ...any) {
	v.found = append(v.found, fmt.Sprintf("%s: %s: ", v.action, name)+fmt.Sprintf(format, args...))
}

// check holds a request against the tables.
func (c *contract) check(r *sent) []string {
	v := &violations{action: "a request"}
	query, err := url.ParseQuery(r.query)
	if err != nil {
		v.add("the query", "%v", err)
		return v.found
	}
	a := c.actions[query.Get("Action")]
	if a == nil {
		v.add("Action", "%q has no table", query.Get("Action"))
		return v.found
	}
	v.action = a.Action
	params := map[string]string{}
	for name, values := range query {
		params[name] = values[0]
		if len(values) > 1 {
			v.add(name, "given %d times", len(values))
		}
	}
	if params["Version"] != a.Version {
		v.add("Version", "%q, want %s", params["Version"], a.Version)
	}
	v.checkTransport(a, r)
	v.checkHeaders(c.Headers, r.header, params)
	own := maps.Clone(params)
	for i := range c.Common {
		v.checkOne(&c.Common[i], params)
		delete(own, c.Common[i].Name)
	}
	v.checkOwn(a, own)
	slices.Sort(v.found)
	return v.found
}

func (v *violations) checkTransport(a *table, r *sent) {
	if !slices.Contains(a.Methods, r.method) {
		v.add("method", "%s is none of %s", r.method, strings.Join(a.Methods, ", "))
	}
	if !slices.Contains(a.Schemes, r.scheme) {
		v.add("scheme", "%s is none of %s", r.scheme, strings.Join(a.Schemes, ", "))
	}
	if !regexp.MustCompile(`^(?:` + a.Host + `)$`).MatchString(r.host) {
		v.add("host", "%s does not match %s", r.host, a.Host)
	}
	if r.path != "/" {
		v.add("path", "%q, want /", r.path)
	}
	if r.body != "" { // every parameter of every action has its place in the query (META)
		v.add("body", "%d bytes, want none", len(r.body))
	}
}

// checkHeaders looks at the headers that mean something to the gateway: any other of its family must not be there, and
// no Authorization, which would mark another kind of signature.
func (v *violations) checkHeaders(rows []parameter, header http.Header, params map[string]string) {
	known := map[string]bool{}
	for i := range rows {
		known[rows[i].Name] = true
		given := map[string]string{}
		if values := header.Values(rows[i].Name); len(values) > 0 {
			given[rows[i].Name] = strings.Join(values, ", ")
			if same := rows[i].Same; same != "" && given[rows[i].Name] != params[same] {
				v.add(rows[i].Name, "%q, but %s is %q", given[rows[i].Name], same, params[same])
			}
		}
		v.checkOne(&rows[i], given)
	}
	for name := range header {
		if (strings.HasPrefix(name, "X-Acs-") || name == "Authorization") && !known[name] {
			v.add(name, "no such header")
		}
	}
}

// checkOne holds the value of one parameter against its row.
func (v *violations) checkOne(p *parameter, params map[string]string) {
	value, given := params[p.Name]
	switch {
	case !given && p.Required:
		v.add(p.Name, "missing")
	case given:
		if why := p.refuses(value); why != "" {
			v.add(p.Name, "%s", why)
		}
	}
}

// checkOwn holds the parameters of an action against its table.
func (v *violations) checkOwn(a *table, params map[string]string) {
	v.checkRows(a.Parameters, params)
	v.checkConstraints(a.Constraints, "", params)
	rows := a.rows()
	for name, value := range params {
		p, known := rows[generic(name)]
		switch {
		case !known:
			v.add(name, "no such parameter")
		case generic(name) != name: // those without an index are looked at by row
			if why := p.refuses(value); why != "" {
				v.add(name, "%s", why)
			}
		}
	}
	v.checkLists(rows, params)
	var used []string
	for i := range a.Forms {
		f := &a.Forms[i]
		if f.usedBy(params) {
			used = append(used, f.Name)
			v.checkForm(f, params)
		}
	}
	if len(a.Forms) > 0 && len(used) != 1 {
		v.add("forms", "%d of them, want one: %s", len(used), strings.Join(used, ", "))
	}
}

// generic gives the name that a parameter has in the tables: Permissions.N.Policy for Permissions.3.Policy.
func generic(name string) string {
	parts := strings.Split(name, ".")
	for i := 1; i < len(parts); i++ {
		if _, err := strconv.Atoi(parts[i]); err == nil {
			parts[i] = "N"
		}
	}
	return strings.Join(parts, ".")
}

// checkLists makes sure that the indices of each list are 1, 2, 3 and so on, and no more than it may have.
func (v *violations) checkLists(rows map[string]*parameter, params map[string]string) {
	indices, bounds, distinct := map[string]map[int]string{}, map[string][]int64{}, map[string]bool{}
	for name, value := range params {
		list, rest, ok := strings.Cut(name, ".")
		p := rows[generic(name)]
		if !ok || p == nil {
			continue
		}
		text, _, _ := strings.Cut(rest, ".")
		index, err := strconv.Atoi(text)
		if err != nil || strconv.Itoa(index) != text {
			v.add(name, "index %q", text)
			continue
		}
		if indices[list] == nil {
			indices[list] = map[int]string{}
		}
		indices[list][index], bounds[list], distinct[list] = value, p.N, p.Distinct
	}
	for list, items := range indices {
		n := int64(len(items))
		if n < bounds[list][0] || n > bounds[list][1] {
			v.add(list+".N", "%d of them, not %d to %d", n, bounds[list][0], bounds[list][1])
		}
		for i := range len(items) {
			if _, ok := items[i+1]; !ok {
				v.add(list+".N", "%d of them, but none with index %d", n, i+1)
				break
			}
		}
		if values := slices.Sorted(maps.Values(items)); distinct[list] && len(slices.Compact(values)) < len(items) {
			v.add(list+".N", "one value twice")
		}
	}
}

func (f *form) usedBy(params map[string]string) bool {
	rows := f.rows()
	for name := range params {
		if rows[generic(name)] != nil {
			return true
		}
	}
	return false
}

// checkForm holds the parameters of a form against its rows and constraints, rule by rule if it is a list.
func (v *violations) checkForm(f *form, params map[string]string) {
	if f.Each == "" {
		v.checkRows(f.Parameters, params)
		v.checkConstraints(f.Constraints, "", params)
		return
	}
	items := map[string]map[string]string{}
	list := strings.TrimSuffix(f.Each, "N")
	for name, value := range params {
		rest, ok := strings.CutPrefix(name, list)
		index, field, _ := strings.Cut(rest, ".")
		if !ok {
			continue
		}
		if items[index] == nil {
			items[index] = map[string]string{}
		}
		items[index][field] = value
	}
	seen := map[string]string{}
	for index, item := range items {
		prefix := list + index + "."
		for i := range f.Parameters {
			if _, given := item[f.Parameters[i].Name]; f.Parameters[i].Required && !given {
				v.add(prefix+f.Parameters[i].Name, "missing")
			}
		}
		v.checkConstraints(f.Constraints, prefix, item)
		text := fmt.Sprint(item) // in the order of the keys
		if seen[text] != "" && f.Distinct {
			v.add(f.Each, "one rule twice")
		}
		seen[text] = index
	}
}

// checkRows holds the parameters that are no lists against their rows.
func (v *violations) checkRows(rows []parameter, params map[string]string) {
	for i := range rows {
		if !strings.Contains(rows[i].Name, ".N") {
			v.checkOne(&rows[i], params)
		}
	}
}

// checkConstraints holds parameters against what they have to do with one another.
func (v *violations) checkConstraints(constraints []constraint, prefix string, params map[string]string) {
	given := func(names []string) (found []string) {
		for _, name := range names {
			if _, ok := params[name]; ok {
				found = append(found, prefix+name)
			}
		}
		return found
	}
	for i := range constraints {
		k := &constraints[i]
		value, holds := params[k.When]
		if k.When != "" && (!holds || len(k.Is) > 0 && !among(value, k.Is, true)) {
			continue
		}
		condition := fmt.Sprintf("with %s %q", k.When, value)
		if found := given(k.OneOf); len(k.OneOf) > 0 && len(found) != 1 {
			v.add(prefix+k.OneOf[0], "one of %s is needed, given are %q", strings.Join(k.OneOf, ", "), found)
		}
		if found := given(k.AtMostOne); len(found) > 1 {
			v.add(found[0], "not together with %s", strings.Join(found[1:], ", "))
		}
		for _, name := range k.Needs {
			if _, ok := params[name]; !ok {
				v.add(prefix+name, "missing %s", condition)
			}
		}
		for _, name := range given(k.Without) {
			v.add(name, "not %s", condition)
		}
		other, ok := params[k.Parameter]
		if len(k.Values) > 0 && ok && !among(other, k.Values, true) {
			v.add(prefix+k.Parameter, "%q is none of %s %s", other, strings.Join(k.Values, ", "), condition)
		}
		if k.Format != "" && ok && !formats()[k.Format](other) {
			v.add(prefix+k.Parameter, "%q is not written as %s %s", other, k.Format, condition)
		}
	}
}
