package ram_test

import (
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

func FuzzParse(f *testing.F) {
	f.Add([]byte(document(goodStatement)), revoke, groupA, "1")
	f.Add([]byte(document(`{"Effect": "Deny", "NotAction": ["e?s:*", "*"], "NotResource": ["acs:ecs:*:*:*", "*"]}`)), "ecs:", "*", "")
	f.Add([]byte(document(conditional(`{"StringNotLike": {"ecs:key": ["*a", ""]}, "NumericLessThan": {"ecs:key": "-1.5"}}`))), "x", "acs:::", "1e9")
	f.Add([]byte(document(conditional(`{"DateEquals": {"ecs:key": "2026-01-02T15:04:05+08:00"}, "Bool": {"ecs:key": "true"}}`))), "", "", "true")
	f.Add([]byte(document(conditional(`{"IpAddress": {"ecs:key": ["::ffff:10.0.0.0/95", "10.0.0.1"]}}`))), revoke, groupA, "fe80::1%lo")
	f.Add([]byte(document(trusting("Allow", `{"RAM": ["acs:ram::1:root"], "Service": "ecs.aliyuncs.com"}`))), revoke, "acs:ram::1:user/a", "1")
	f.Add([]byte(`{"Version": 1, "Statement": {}} `), "", "", "")
	f.Add([]byte(`[[[[null, true, 1e400, "\ud800"]]]]`), "", "", "")
	denyAll, err := ram.Parse([]byte(document(`{"Effect": "Deny", "Action": "*", "Resource": "*"}`)))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, action, resource, value string) {
		context := map[string][]string{"ecs:key": {value}}
		policy, err := ram.Parse(data)
		if (policy == nil) != (err != nil) || err != nil && err.Error() == "" {
			t.Fatalf("policy %v with error %v", policy, err)
		}
		trust, trustErr := ram.ParseTrust(data)
		if (trust == nil) != (trustErr != nil) {
			t.Fatalf("trust policy %v with error %v", trust, trustErr)
		}
		if err == nil && trustErr == nil {
			t.Fatal("a document is of both kinds")
		}
		if trustErr == nil && trust.Trusts(ram.Principal{}, context) {
			t.Error("nobody is trusted by name")
		}
		if err != nil {
			return
		}
		request := ram.Request{Action: action, Resources: []string{resource}, Context: context}
		verdict := ram.Evaluate([]*ram.Policy{policy}, &request)
		if verdict == ram.Allowed {
			request.Resources = append(request.Resources, resource)
			if got := ram.Evaluate([]*ram.Policy{policy}, &request); got != ram.Allowed {
				t.Errorf("a resource that is named twice: got %v", got)
			}
		}
		if got := ram.Evaluate([]*ram.Policy{policy, denyAll}, &request); got != ram.Explicit {
			t.Errorf("with a denial of everything: got %v", got)
		}
	})
}
