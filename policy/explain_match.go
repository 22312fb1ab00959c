package policy

// mapping explains a `match`, or a mapping inside `any`, `all` or `not`, as it is written: every clause is asked,
// whatever the others say.
func (x *explainer) mapping(m *matcher) Node {
	n := Node{Pos: m.pos}
	for i := range m.children {
		child := &m.children[i]
		switch child.op {
		case opLeaf:
			n.Children = append(n.Children, x.leaf(child))
		case opAny, opAll, opNot:
			n.Children = append(n.Children, x.several(child))
		}
	}
	n.Truth = allOf(n.Children)
	return n
}

// several explains the keys that hold mappings.
func (x *explainer) several(m *matcher) Node {
	n := Node{Pos: m.pos}
	for i := range m.children {
		n.Children = append(n.Children, x.mapping(&m.children[i]))
	}
	switch m.op {
	case opAny:
		n.Key, n.Truth = "any", anyOf(n.Children)
	case opNot:
		n.Key, n.Truth = "not", allOf(n.Children).not()
	case opAll, opLeaf:
		n.Key, n.Truth = "all", allOf(n.Children)
	}
	return n
}

func (x *explainer) leaf(m *matcher) Node {
	v := m.clause.eval(x.probe)
	told := m.clause.tell(x.probe, v)
	return Node{Pos: m.pos, Key: told.key, Asks: told.asks, Has: told.has, Truth: truthOf(v), Gap: gapOf(v), Why: told.why}
}

// excess lists the clauses that make [matcher.collateral] true of a true matcher.
func (m *matcher) excess(p *probe, assume assumption, list []Excess) []Excess {
	switch m.op {
	case opLeaf:
		if c, can := m.clause.(collateralClause); can && m.collateral(p, assume) {
			list = append(list, Excess{Pos: m.pos, Text: c.excess(p)})
		}
	case opAll:
		for i := range m.children {
			list = m.children[i].excess(p, assume, list)
		}
	case opAny:
		// All true branches have some, or the matcher had none: the first one stands for them, as in because.
		if c := m.cause(p, assume); c != nil {
			list = c.excess(p, assume, list)
		}
	case opNot:
	}
	return list
}
