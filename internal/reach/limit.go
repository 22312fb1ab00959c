package reach

import "slices"

// said is the words about an effect.
type said struct{ sentence, warning string }

// Limit gives the effect with at most n spaces each in Closes and Opens, the widest ones, in their order, and what it says
// of others in the same way. What [Effect.Warning] is about goes before everything wider: a warning must not get lost.
// [Effect.Sentence] says of it what it says of e.
func (e *Effect) Limit(n int) *Effect {
	c := *e
	c.said = &said{e.Sentence(), e.Warning()}
	c.closes, c.opens = nil, nil
	var left int
	c.Closes, left = widest(e.Closes, n)
	c.MoreCloses += left
	c.Opens, left = widest(e.Opens, n)
	c.MoreOpens += left
	for _, list := range []*[]By{&c.ShadowedBy, &c.StillPermittedBy, &c.StillDroppedBy} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i].Space, _ = widest((*list)[i].Space, n)
			(*list)[i].tracts = nil
		}
	}
	c.Interfaces = slices.Clone(e.Interfaces)
	for i := range c.Interfaces {
		c.Interfaces[i].Effect = c.Interfaces[i].Effect.Limit(n)
	}
	return &c
}
