package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// claim is what the log says about a part of a row, and where. Of the values only their hash is kept, so that a long
// history fits into memory.
type claim struct {
	seq int64 // of the entry; 0 if none says anything
	sum [sha256.Size]byte
}

// claims is what the log says about a row.
type claims struct {
	intent, ending claim
	seen           bool // in its table
}

// finding is a row that is not as the log says.
type finding struct {
	key    recordKey
	text   string // empty if it is to be found out which column differs
	seq    int64  // of the entry that is contradicted, 0 if there is none
	ending bool
	got    []string
}

// comparison is a comparison of the tables with the log.
type comparison struct {
	claims map[recordKey]*claims
	armed  bool
	first  *finding // the one about the earliest entry
	count  int
}

// verifyTables compares the rows of an intact log with what it says of them, at one moment: entries that were written
// after those that were verified are taken at their word. It also looks whether everything is still in place that keeps
// the log from being changed. What it finds wrong goes to the verification.
func (s *SQL) verifyTables(ctx context.Context, v *Verification) error {
	return s.read(ctx, "comparing the records with the audit log", func(t *tx) error {
		c := &comparison{claims: map[recordKey]*claims{theSwitches(): {}}}
		if err := t.collectClaims(ctx, c); err != nil {
			return err
		}
		tables := recordTables()
		for i := range tables {
			if err := t.compareRows(ctx, c, &tables[i]); err != nil {
				return err
			}
		}
		c.addMissing(tables)
		if c.first == nil {
			wrong, err := t.wrongGuard(ctx)
			if err == nil && wrong == "" {
				wrong, err = t.wrongBlob(ctx)
			}
			if wrong != "" {
				v.Broken = "the audit log is intact, but " + wrong
			}
			return err
		}
		text, err := t.explain(ctx, c, tables)
		if err != nil {
			return err
		}
		v.Broken, v.BrokenSeq = "the audit log is intact, but "+text, c.first.seq
		if c.count > 1 {
			v.Broken += fmt.Sprintf(" (records that are wrong: %d)", c.count)
		}
		return nil
	})
}

func (t *tx) collectClaims(ctx context.Context, c *comparison) error {
	for last := int64(0); ; {
		page, err := t.entries(ctx, last, verifyPage)
		if err != nil {
			return err
		}
		for i := range page {
			if err := c.take(&page[i]); err != nil {
				return err
			}
			last = page[i].Seq
		}
		if len(page) < verifyPage {
			return nil
		}
	}
}

// take keeps what an entry says. Of several entries that end a row, as an amendment does, the last counts.
func (c *comparison) take(e *Entry) error {
	c.armed = c.armed || e.Kind == KindResumed
	list, err := e.statements(c.armed)
	if err != nil {
		return err
	}
	for i := range list {
		s := &list[i]
		of := c.claims[s.key]
		if of == nil {
			of = &claims{}
			c.claims[s.key] = of
		}
		part := &of.intent
		if s.ending {
			part = &of.ending
		}
		*part = claim{e.Seq, digest(s.values)}
	}
	return nil
}

func digest(values []string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q", values))
}

// compareRows reads a table and compares each row. The rows pass by one at a time.
func (t *tx) compareRows(ctx context.Context, c *comparison, table *recordTable) error {
	columns := slices.Concat([]string{table.id}, table.intent, table.ending)
	raw := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range raw {
		into[i] = &raw[i]
	}
	return t.rows(ctx, func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		values := make([]string, len(raw))
		for i := range raw {
			values[i] = columnText(raw[i])
		}
		c.compare(table, values[0], values[1:])
		return nil
	}, "SELECT "+strings.Join(columns, ", ")+" FROM "+table.name)
}

// columnText spells a value as the log does. A value of a type that we never write, which compares as nothing that we
// write does, comes out as none of its texts; bytes that are no UTF-8 are in the log as replacement characters.
func columnText(value any) string {
	switch x := value.(type) {
	case string:
		return string([]rune(x))
	case int64:
		return number(x)
	}
	return fmt.Sprintf("%T(%v)", value, value)
}

func (c *comparison) compare(table *recordTable, id string, values []string) {
	key := recordKey{table.name, id}
	of := c.claims[key]
	switch {
	case of == nil || of.intent.seq == 0 && key != theSwitches():
		c.add(&finding{key: key, text: fmt.Sprintf("there is a record of %s %s, which no entry announces", table.what, id)})
		return
	case of.seen:
		c.add(&finding{key: key, text: fmt.Sprintf("there are several records of %s %s", table.what, id), seq: of.intent.seq})
		return
	}
	of.seen = true
	intent, ending := values[:len(table.intent)], values[len(table.intent):]
	if of.intent.seq > 0 && of.intent.sum != digest(intent) {
		c.add(&finding{key: key, seq: of.intent.seq, got: intent})
		return
	}
	want := of.ending
	if want.seq == 0 {
		want = claim{of.intent.seq, digest(table.open)}
	}
	if want.sum != digest(ending) {
		c.add(&finding{key: key, seq: want.seq, ending: true, got: ending})
	}
}

// addMissing adds the rows that the log knows and the tables do not.
func (c *comparison) addMissing(tables []recordTable) {
	what := map[string]string{}
	for i := range tables {
		what[tables[i].name] = tables[i].what
	}
	for key, of := range c.claims {
		if !of.seen && (of.intent.seq > 0 || key == theSwitches()) {
			text := fmt.Sprintf("the record of %s %s is missing", what[key.table], key.id)
			c.add(&finding{key: key, text: text, seq: of.intent.seq})
		}
	}
}

// add keeps the finding about the earliest entry, and one about no entry only if there is no other.
func (c *comparison) add(f *finding) {
	c.count++
	if c.first == nil || f.before(c.first) {
		c.first = f
	}
}

// before puts a row before its parts, whose keys are longer.
func (f *finding) before(other *finding) bool {
	if f.seq != other.seq {
		return f.seq > 0 && (other.seq == 0 || f.seq < other.seq)
	}
	return cmp.Or(cmp.Compare(len(f.key.id), len(other.key.id)), cmp.Compare(f.key.id, other.key.id)) < 0
}

// explain says what is wrong with the first row, for which it reads the entry again.
func (t *tx) explain(ctx context.Context, c *comparison, tables []recordTable) (string, error) {
	f := c.first
	if f.text != "" {
		return f.text, nil
	}
	table := &tables[slices.IndexFunc(tables, func(r recordTable) bool { return r.name == f.key.table })]
	columns, want := table.intent, table.open
	if f.ending {
		columns = table.ending
	}
	said := "the log"
	if f.seq > 0 {
		entries, err := t.entries(ctx, f.seq-1, 1)
		if err != nil {
			return "", err
		}
		said += fmt.Sprintf(" (entry %d)", f.seq)
		list, err := entries[0].statements(c.armed)
		if err != nil {
			return "", err
		}
		for i := range list {
			if list[i].key == f.key && list[i].ending == f.ending {
				want = list[i].values
			}
		}
	}
	for i, column := range columns {
		if f.got[i] != want[i] {
			return fmt.Sprintf("the record of %s %s says %s %s where %s says %s", table.what, f.key.id, column, excerpt(f.got[i]),
				said, excerpt(want[i])), nil
		}
	}
	return fmt.Sprintf("the record of %s %s is not what %s says", table.what, f.key.id, said), nil
}

// maxExcerpt bounds how much of a value is shown.
const maxExcerpt = 200

func excerpt(value string) string {
	if value == "" {
		return "nothing"
	}
	if runes := []rune(value); len(runes) > maxExcerpt {
		value = string(runes[:maxExcerpt]) + "…"
	}
	return fmt.Sprintf("%q", value)
}

// guards are what the database itself refuses changes with.
func guards() []string {
	return []string{"audit_no_update", "audit_no_delete", "audit_in_order", "revocations_open", "restores_open"}
}

// wrongGuard says which guard is not as a migration made it, or which trigger none made, or nothing.
func (t *tx) wrongGuard(ctx context.Context) (string, error) {
	made, err := migrationText()
	if err != nil {
		return "", err
	}
	found, wrong := map[string]bool{}, ""
	err = t.rows(ctx, func(rows *sql.Rows) error {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			return err
		}
		found[name] = true
		if (kind == "trigger" || slices.Contains(guards(), name)) && !strings.Contains(made, squeeze(text)) && wrong == "" {
			wrong = fmt.Sprintf("%s %s of the database is not one that this program made", kind, name)
		}
		return nil
	}, `SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL
		AND tbl_name NOT LIKE 'river%' ORDER BY name`)
	if err != nil || wrong != "" {
		return wrong, err
	}
	for _, name := range guards() {
		if !found[name] {
			return name + ", by which the database refuses changes, was dropped", nil
		}
	}
	return "", nil
}

func migrationText() (string, error) {
	var b strings.Builder
	names, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	if err != nil {
		return "", err
	}
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return "", err
		}
		b.Write(text)
	}
	return squeeze(b.String()), nil
}

// squeeze makes all space the same.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }
