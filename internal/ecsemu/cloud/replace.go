package cloud

// Replace has the cloud hold another estate instead, as if it had just been made, but for the keys of [Options], which
// stay. Sessions, ClientTokens and what lags behind are of the new one. If the estate makes no sense, nothing changes.
func (c *Cloud) Replace(estate *Estate) error {
	fresh := &Cloud{
		clock: c.clock, era: c.era, ids: c.ids, world: &World{accounts: map[string]*account{}},
		tokens: newTokens(rememberedTokens), keys: map[string]*Credential{}, people: map[string]*directory{},
	}
	if err := fresh.populate(&Options{Estate: estate, Keys: c.given}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world, c.tokens, c.keys, c.people, c.home = fresh.world, fresh.tokens, fresh.keys, fresh.people, fresh.home
	c.sessions.end()
	if len(c.followers) > 0 {
		c.followed = c.world.clone()
	}
	for _, w := range c.followers {
		w.accounts, w.behind.pending = c.world.clone().accounts, nil
	}
	return nil
}

// end forgets all sessions. The stream of their keys goes on.
func (s *sessions) end() { s.byKey, s.order = map[string]*Credential{}, nil }
