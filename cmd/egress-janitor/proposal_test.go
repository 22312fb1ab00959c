package main

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdAuthorize sends rules of a JSON document to the group SG, in one call, each field under the name that it has there:
// as somebody does who follows a proposal of a report. The path is as that of json.
func cmdAuthorize(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: authorize FILE PATH")
	}
	docs, err := documents(ts.ReadFile(args[0]))
	ts.Check(err)
	if len(docs) != 1 {
		ts.Fatalf("%s holds %d documents", args[0], len(docs))
	}
	text, err := lookUp(docs[0], args[1])
	ts.Check(err)
	var rules []map[string]string
	ts.Check(json.Unmarshal([]byte(text), &rules))
	params := url.Values{"Action": {"AuthorizeSecurityGroupEgress"}, "SecurityGroupId": {ts.Getenv("SG")}}
	for i, rule := range rules {
		for field, value := range rule {
			params.Set(fmt.Sprintf("Permissions.%d.%s", i+1, field), value)
		}
	}
	call(ts, "", params)
}
