package policy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/egress-janitor/egress-janitor/policy"
)

// This file takes every good policy file apart, node by node, makes at each the slips that people make, and judges drawn
// rules by what still loads: nothing may be revoked then that was not before. What no reader can notice is not tried:
// another name of a group, tag or account, another address or number, or a branch that moves within a `match`.

// slip is one way to get one place of a file wrong.
type slip struct {
	path string
	kind string
	make func() (undo func())
}

// slips are all those of a document.
func slips(doc *yaml.Node) []slip {
	var list []slip
	visitNode(doc.Content[0], nil, &list)
	return list
}

// place is a value in a mapping or list, with what is around it.
type place struct {
	keys   []string // from the root; of a list element, its number
	parent *yaml.Node
	index  int // in parent.Content
	above  *place
}

func (p *place) path() string { return strings.Join(p.keys, ".") }

func (p *place) node() *yaml.Node { return p.parent.Content[p.index] }

// under tells whether a key of this name is above the place or the last of its path.
func (p *place) under(names ...string) bool {
	for at := p; at != nil; at = at.above {
		if slices.Contains(names, at.keys[len(at.keys)-1]) {
			return true
		}
	}
	return false
}

// of tells whether the place is the value of such a key, or an element of its list.
func (p *place) of(keys ...string) bool {
	at := p
	for at.above != nil && at.parent.Kind == yaml.SequenceNode {
		at = at.above
	}
	return slices.Contains(keys, at.keys[len(at.keys)-1])
}

func visitNode(n *yaml.Node, above *place, list *[]slip) {
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := step - 1; i < len(n.Content); i += step {
		if step == 1 && i > 1 && n.Content[i].Kind == yaml.ScalarNode {
			continue // it would be tried like the first two
		}
		p := &place{parent: n, index: i, above: above}
		if above != nil {
			p.keys = append(p.keys, above.keys...)
		}
		if step == 2 {
			p.keys = append(p.keys, n.Content[i-1].Value)
			keySlips(p, list)
		} else {
			p.keys = append(p.keys, fmt.Sprint(i))
		}
		valueSlips(p, list)
		visitNode(n.Content[i], p, list)
	}
}

// replace makes a slip of putting another node in the place of one.
func replace(p *place, index int, kind string, with *yaml.Node) slip {
	return slip{path: p.path(), kind: kind, make: func() func() {
		was := p.parent.Content[index]
		p.parent.Content[index] = with
		return func() { p.parent.Content[index] = was }
	}}
}

// content makes a slip of changing what the parent holds.
func content(p *place, kind string, change func(was []*yaml.Node) []*yaml.Node) slip {
	return slip{path: p.path(), kind: kind, make: func() func() {
		was := p.parent.Content
		p.parent.Content = change(append([]*yaml.Node(nil), was...))
		return func() { p.parent.Content = was }
	}}
}

// scalar is a text; the encoder quotes what would be something else.
func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func null() *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"} }

// misspellings are a letter too many, too few, in upper case, or in the wrong place.
func misspellings(word string) []string {
	words := []string{word + "s", word[:len(word)-1], strings.ToUpper(word[:1]) + word[1:]}
	if len(word) > 1 {
		words = append(words, word[1:2]+word[:1]+word[2:])
	}
	return words
}

func keySlips(p *place, list *[]slip) {
	key := p.parent.Content[p.index-1]
	free := p.above != nil && p.above.under("tags", "without-tags")
	for _, word := range misspellings(key.Value) {
		if !free && word != key.Value {
			*list = append(*list, replace(p, p.index-1, "key "+word, scalar(word)))
		}
	}
	*list = append(*list,
		replace(p, p.index-1, "empty key", scalar("")),
		replace(p, p.index-1, "blank key", scalar(" ")),
		replace(p, p.index-1, "null key", null()),
		content(p, "key twice", func(was []*yaml.Node) []*yaml.Node { return append(was, key, p.node()) }))
	if p.above == nil {
		return
	}
	for at := p.above; at != nil; at = at.above {
		if at.parent.Kind != yaml.MappingNode || at.under("match") && !at.under("destination", "source") {
			continue
		}
		*list = append(*list, moved(p, at.parent, "moved up"))
	}
	if p.above.under("match") {
		return
	}
	for i := 1; i < len(p.parent.Content); i += 2 {
		if i == p.index || p.parent.Content[i-1].Value == "match" {
			continue
		}
		for _, inner := range mappingsIn(p.parent.Content[i]) {
			*list = append(*list, moved(p, inner, "moved down into "+p.parent.Content[i-1].Value))
		}
	}
}

// mappingsIn are a mapping and those below it; of a list, those of its first element.
func mappingsIn(n *yaml.Node) []*yaml.Node {
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		return mappingsIn(n.Content[0])
	case n.Kind != yaml.MappingNode:
		return nil
	}
	list := []*yaml.Node{n}
	for i := 1; i < len(n.Content); i += 2 {
		list = append(list, mappingsIn(n.Content[i])...)
	}
	return list
}

func moved(p *place, to *yaml.Node, kind string) slip {
	return slip{path: p.path(), kind: kind, make: func() func() {
		was, wasTo := p.parent.Content, to.Content
		pair := was[p.index-1 : p.index+1]
		to.Content = append(append([]*yaml.Node(nil), wasTo...), pair...)
		if to != p.parent {
			p.parent.Content = append(append([]*yaml.Node(nil), was[:p.index-1]...), was[p.index+1:]...)
		}
		return func() { to.Content, p.parent.Content = wasTo, was }
	}}
}

// closed are keys whose values are words of the language, or names that are checked.
func closed() []string {
	return []string{
		"version", "timezone", "severity", "action", "collateral", "only-if", "approval", "allow-opening", "allow-wide",
		"rule-action", "types", "destination-kind", "protocol", "every-rule", "empty", "policies",
	}
}

func valueSlips(p *place, list *[]slip) {
	n := p.node()
	add := func(kind string, with *yaml.Node) { *list = append(*list, replace(p, p.index, kind, with)) }
	add("empty text", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.SingleQuotedStyle})
	add("blank text", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.SingleQuotedStyle, Value: " "})
	add("empty list", &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle})
	add("empty mapping", &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle})
	add("null", null())
	add("in a list", &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{n}})
	if p.parent.Kind == yaml.SequenceNode {
		*list = append(*list, content(p, "element twice", func(was []*yaml.Node) []*yaml.Node { return append(was, n) }))
	}
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		add("first element alone", n.Content[0])
	case n.Kind == yaml.ScalarNode && n.Value != "" && (p.of(closed()...) || n.Value[0] == '$' || n.Value == "all"):
		for _, word := range misspellings(n.Value) {
			if word != n.Value {
				add("value "+word, &yaml.Node{Kind: yaml.ScalarNode, Tag: n.Tag, Value: word})
			}
		}
	}
	if n.Kind == yaml.ScalarNode && p.of("version", "ports", "per-sweep", "per-group", "grace", "expires", "older-than") {
		for _, word := range []string{"0", "-1", "1.5", "true", "yes", "0x1"} {
			add("plain "+word, &yaml.Node{Kind: yaml.ScalarNode, Value: word})
		}
	}
}

func TestNoSlipLoadsAsSomethingWider(t *testing.T) {
	t.Parallel()
	for _, file := range goodFiles(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			tryAllSlips(t, file)
		})
	}
}

func tryAllSlips(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	files := besides(t, file)
	whole := loadFiles(t, withFile(files, string(data)), "p.yaml")
	u := newUniverse(&doc)
	before := u.judge(whole)
	tried, loaded := 0, 0
	for i, s := range slips(&doc) {
		if strings.Contains(file, "cookbook") && i%6 != 0 {
			continue // they are many, and much alike
		}
		undo := s.make()
		text, err := yaml.Marshal(&doc)
		undo()
		tried++
		if err != nil {
			continue // it cannot even be written
		}
		set, err := policy.Load(memory(withFile(files, string(text))), []string{"p.yaml"})
		if err != nil {
			continue
		}
		loaded++
		after := before
		if set.Hash() != whole.Hash() {
			after = u.judge(set)
		}
		for _, wider := range after.widerThan(before, whole, set) {
			t.Errorf("%s: %s: %s", s.path, s.kind, wider)
		}
	}
	t.Logf("%d slips, of which %d load", tried, loaded)
	if tried < 50 {
		t.Errorf("tried only %d slips", tried)
	}
}

// besides are the files of sets beside a policy file.
func besides(t *testing.T, file string) map[string]string {
	t.Helper()
	files := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(file), "feeds", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files["feeds/"+filepath.Base(path)] = string(data)
	}
	return files
}

func withFile(files map[string]string, text string) map[string]string {
	files["p.yaml"] = text
	return files
}
