package store

import "testing"

func TestPlaceholdersAreNumberedWhereADatabaseWantsIt(t *testing.T) {
	const query = `SELECT a FROM b WHERE c = ? AND d IN (?, ?) LIMIT ?`
	if got := rebind(query, false); got != query {
		t.Errorf("got %s, want it as it was", got)
	}
	if got, want := rebind(query, true), `SELECT a FROM b WHERE c = $1 AND d IN ($2, $3) LIMIT $4`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
