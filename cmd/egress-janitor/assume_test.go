package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

func TestReferenceOfAssumptions(t *testing.T) {
	var b strings.Builder
	b.WriteString("# What the emulator assumes\n\nGenerated from the code. The published documents of the API leave these " +
		"questions open, or the answer changed over\ntime. The first answer is what the [emulator](emulator.md) takes to be " +
		"true; `egress-janitor emulator --assume NAME=VALUE`\nhas it take another, so that a client can be tried against " +
		"both. `--assume` may be given once for each switch;\n`--assume help` prints this table.\n\n" +
		"| Question | Assumed | Other answers | Switch |\n|---|---|---|---|\n")
	for _, a := range cloud.Assumptions() {
		var others []string
		for _, v := range a.Values[1:] {
			others = append(others, answerOf(v))
		}
		if a.Duration != "" {
			others = append(others, "a duration, as `10m`: "+a.Duration)
		}
		how := a.Elsewhere
		if a.Name != "" {
			how = "`" + a.Name + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", a.Question, answerOf(a.Values[0]), strings.Join(others, "; "), how)
	}
	page(t, "emulator-assumptions.md", b.String())
}

func answerOf(v cloud.Value) string {
	if v.Name == "" {
		return v.Meaning
	}
	return "`" + v.Name + "`: " + v.Meaning
}

func TestWhatIsAssumed(t *testing.T) {
	for name, test := range map[string]struct {
		texts   []string
		want    cloud.Era
		refused string
	}{
		"nothing": {},
		"several": {
			texts: []string{"revoke-batch=partial", "client-token-lifetime=10m", "client-token-scope=account"},
			want:  cloud.Era{PartialRevoke: true, TokenLifetime: 10 * time.Minute, TokenScope: cloud.TokenPerAccount},
		},
		"what is assumed anyway":  {texts: []string{"revoke-batch=whole", "page-token-lifetime=endless"}},
		"what a flag says too":    {texts: []string{"missing-rule=succeed"}, want: cloud.Era{MissingRule: cloud.MissingRuleSucceed}},
		"an unknown name":         {texts: []string{"x=y"}, refused: `"x=y" is none of missing-rule=error|succeed, `},
		"no name":                 {texts: []string{"=y"}, refused: `"=y" is none of missing-rule=`},
		"no value":                {texts: []string{"revoke-batch"}, refused: `"revoke-batch" is not one of revoke-batch=whole|partial`},
		"an unknown value":        {texts: []string{"revoke-batch=some"}, refused: "not one of revoke-batch=whole|partial"},
		"what is no duration":     {texts: []string{"nonce-memory=long"}, refused: "not one of nonce-memory=200000|DURATION"},
		"a duration of nothing":   {texts: []string{"nonce-memory=0s"}, refused: "not one of nonce-memory=200000|DURATION"},
		"a duration where is one": {texts: []string{"revoke-batch=10m"}, refused: "not one of revoke-batch=whole|partial"},
		"the same twice":          {texts: []string{"rule-ids=no", "rule-ids=yes"}, refused: "rule-ids is assumed twice"},
	} {
		t.Run(name, func(t *testing.T) {
			var got cloud.Era
			err := assume(&got, test.texts)
			_, usage := errors.AsType[usageError](err)
			if (err != nil) != (test.refused != "") || err != nil && (!usage || !strings.Contains(err.Error(), test.refused)) {
				t.Fatalf("got error %v, want a usage error with %q", err, test.refused)
			}
			if diff := cmp.Diff(test.want, got); err == nil && diff != "" {
				t.Errorf("era (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatThereIsToAssume(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"emulator", "--assume", "help"}, system{out: &out, err: &out}); code != exitDone {
		t.Fatalf("got exit status %d: %s", code, out.String())
	}
	for _, a := range cloud.Assumptions() {
		if a.Name != "" && !strings.Contains(out.String(), a.Synopsis()+"\n  "+a.Question) {
			t.Errorf("nothing is told of %s:\n%s", a.Name, out.String())
		}
	}
}
