package ram_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

// encode writes statements as policies, each of at least one statement.
func encode(t *rapid.T, statements []modelStatement, cuts []bool) []*ram.Policy {
	var policies []*ram.Policy
	var batch []modelStatement
	flush := func() {
		text, err := json.Marshal(map[string]any{"Version": "1", "Statement": batch})
		if err != nil {
			t.Fatal(err)
		}
		policy, err := ram.Parse(text)
		if err != nil {
			t.Fatalf("parsing %s: %v", text, err)
		}
		policies = append(policies, policy)
		batch = nil
	}
	for i := range statements {
		batch = append(batch, statements[i])
		if i == len(statements)-1 || cuts[i] {
			flush()
		}
	}
	return policies
}

func drawStatements(t *rapid.T) ([]modelStatement, []bool) {
	const most = 5
	return rapid.SliceOfN(statementGen(), 0, most).Draw(t, "statements"), rapid.SliceOfN(rapid.Bool(), most, most).Draw(t, "cuts")
}

func TestEvaluateEqualsTheOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		statements, cuts := drawStatements(t)
		request := requestGen().Draw(t, "request")
		got := ram.Evaluate(encode(t, statements, cuts), &request)
		if want := oracle(statements, &request); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestOrderAndDivisionOfStatementsAreIrrelevant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		statements, cuts := drawStatements(t)
		request := requestGen().Draw(t, "request")
		want := ram.Evaluate(encode(t, statements, cuts), &request)
		shuffled := rapid.Permutation(statements).Draw(t, "shuffled")
		otherCuts := rapid.Permutation(cuts).Draw(t, "other cuts")
		if got := ram.Evaluate(encode(t, shuffled, otherCuts), &request); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestADenialNeverAllowsMore(t *testing.T) {
	t.Parallel()
	checkAddition(t, "Deny", func(_, after ram.Verdict) bool { return after == ram.Explicit })
}

func TestAnAllowanceNeverAllowsLess(t *testing.T) {
	t.Parallel()
	checkAddition(t, "Allow", func(before, after ram.Verdict) bool { return before == ram.Implicit && after == ram.Allowed })
}

// checkAddition adds a statement with an effect to policies. The verdict stays, or becomes another in a way that may be.
func checkAddition(t *testing.T, effect string, may func(before, after ram.Verdict) bool) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		statements, cuts := drawStatements(t)
		request := requestGen().Draw(t, "request")
		before := ram.Evaluate(encode(t, statements, cuts), &request)
		added := statementGen().Draw(t, "added")
		added.Effect = effect
		after := ram.Evaluate(append(encode(t, statements, cuts), encode(t, []modelStatement{added}, []bool{true})...), &request)
		if after != before && !may(before, after) {
			t.Fatalf("%v before, %v after", before, after)
		}
	})
}

func TestAnotherResourceNeverAllowsMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		statements, cuts := drawStatements(t)
		policies := encode(t, statements, cuts)
		request := requestGen().Filter(func(r ram.Request) bool { return len(r.Resources) > 0 }).Draw(t, "request")
		before := ram.Evaluate(policies, &request)
		request.Resources = append(request.Resources, rapid.SampledFrom(modelResources).Draw(t, "another"))
		if after := ram.Evaluate(policies, &request); after == ram.Allowed && before != ram.Allowed || before == ram.Explicit && after != before {
			t.Fatalf("%v before, %v after", before, after)
		}
	})
}
