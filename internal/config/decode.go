package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// topKeys and accountKeys are functions because a Go constant cannot hold a list.
func topKeys() strictyaml.Keys {
	return strictyaml.Keys{
		Required: []string{"version", "policies", "accounts"},
		Optional: []string{"mode", "schedule", "protected", "store", "limits", "pause-file", "http", "reach", "hygiene"},
		NotYet:   []string{"accounts-from", "freeze", "hours"},
	}
}

func (c *Config) decode(root strictyaml.Value) {
	top, ok := root.Map(topKeys())
	if !ok {
		return
	}
	for key, value := range top.All() {
		switch key {
		case "version":
			checkVersion(value)
		case "mode":
			c.decodeMode(value)
		case "schedule":
			c.decodeSchedule(value)
		case "policies":
			c.Policies = plain(distinctTexts(value, "path"))
		case "accounts":
			c.decodeAccounts(value)
		case "protected":
			c.Protected.decode(value)
		case "store":
			c.decodeStore(value)
		case "limits":
			c.Limits.decode(value)
		case "pause-file":
			c.PauseFile = decodeFile(value)
		case "http":
			c.HTTP.decode(value)
		case "reach":
			c.Reach.decode(value)
		case "hygiene":
			word, _ := value.OneOf("report", "off")
			c.Hygiene = word == "report"
		}
	}
}

func (r *Reach) decode(value strictyaml.Value) {
	keys, ok := value.Map(strictyaml.Keys{Required: []string{"scope"}})
	if !ok {
		return
	}
	for _, value := range keys.All() {
		if word, ok := value.OneOf(ScopeGroup, ScopeInterface); ok {
			r.Scope = word
		}
	}
}

func checkVersion(value strictyaml.Value) {
	if text, ok := value.Text(); ok && text != "1" {
		value.Problem(CodeVersion, "expected version 1, the only one there is, found %q", text)
	}
}

func (c *Config) decodeMode(value strictyaml.Value) {
	if text, ok := value.OneOf(string(ModeAudit), string(ModeManual), string(ModeEnforce)); ok {
		c.Mode = Mode(text)
	}
}

func (c *Config) decodeSchedule(value strictyaml.Value) {
	text, ok := value.String()
	if !ok {
		return
	}
	if err := checkSchedule(text); err != nil {
		value.Problem(CodeSchedule, "schedule %q: %v", text, err)
		return
	}
	c.Schedule = text
}

func (p *Protected) decode(value strictyaml.Value) {
	keys := strictyaml.Keys{Optional: []string{"groups", "tags", "names"}}
	protected, ok := value.Map(keys)
	if !ok {
		return
	}
	for key, value := range protected.All() {
		switch key {
		case "groups":
			p.Groups = patterns(value)
		case "names":
			p.Names = patterns(value)
		case "tags":
			p.decodeTags(value)
		}
	}
}

func (p *Protected) decodeTags(value strictyaml.Value) {
	tags, ok := value.Map(strictyaml.Keys{})
	if !ok {
		return
	}
	p.Tags = map[string]sg.Glob{}
	for key, value := range tags.All() {
		if strings.TrimSpace(key) == "" {
			tags.Key(key).Problem(strictyaml.CodeEmpty, "expected a tag key, found an empty one")
		}
		if pattern, ok := value.String(); ok {
			p.Tags[key] = sg.Glob(pattern)
		}
	}
}

// patterns reads a list of patterns for IDs or names, which know * and ? only. What other pattern languages give a
// meaning is refused: such a pattern would protect nothing without anybody noticing, and no ID or name has these
// characters.
func patterns(value strictyaml.Value) []sg.Glob {
	texts := distinctTexts(value, "pattern")
	globs := make([]sg.Glob, len(texts))
	for i, text := range texts {
		if odd := unknownInPattern.FindString(text.text); odd != "" {
			text.at.Problem(CodeValue, "%s has no meaning in the pattern %q; patterns know * and ? only", odd, text.text)
		}
		globs[i] = sg.Glob(text.text)
	}
	return globs
}

var unknownInPattern = regexp.MustCompile(`[][{}\\]`)

// located is a text and where it stands.
type located struct {
	text string
	at   strictyaml.Value
}

func plain(texts []located) []string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = text.text
	}
	return list
}

// distinctTexts reads a list of texts of which none stands twice. what names one of them in messages.
func distinctTexts(value strictyaml.Value, what string) []located {
	list, ok := value.List()
	if !ok {
		return nil
	}
	texts := make([]located, 0, len(list))
	for _, element := range list {
		text, ok := element.String()
		if !ok {
			continue
		}
		if slices.ContainsFunc(texts, func(l located) bool { return l.text == text }) {
			element.Problem(CodeDuplicate, "the %s %q stands here a second time", what, text)
			continue
		}
		texts = append(texts, located{text: text, at: element})
	}
	return texts
}
