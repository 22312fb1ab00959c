package ram_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

const goodStatement = `{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}`

func TestWhatTheSyntaxDoesNotKnowIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ document, want string }{
		"an empty document is none":              {"", "line 1, column 1: unexpected end of JSON input"},
		"broken JSON has a line and a column":    {"{\n  \"Version\": \"1\",\n  é\"Statement\": []\n}", "line 3, column 3: invalid character 'Ã' looking for beginning of object key string"},
		"a document ends with its object":        {document(goodStatement) + "}", "line 1, column 89: invalid character '}' after top-level value"},
		"a document is UTF-8":                    {"{\"\xff\": 1}", "the document is not UTF-8"},
		"a document is an object":                {"[]", "the document is a list, not an object"},
		"an unknown element stops a document":    {`{"Version": "1", "Statement": [` + goodStatement + `], "Id": "x"}`, `the document has the unknown element "Id", not one of Version, Statement`},
		"an element comes once":                  {`{"Version": "1", "Version": "1", "Statement": [` + goodStatement + `]}`, `the document has "Version" twice`},
		"Version and Statement are required":     {`{}`, "Version is missing; Statement is missing"},
		"Version is 1":                           {`{"Version": "2", "Statement": [` + goodStatement + `]}`, `Version is the text "2", RAM knows only the text "1"`},
		"Version has quotes":                     {`{"Version": 1, "Statement": [` + goodStatement + `]}`, `Version is 1 without quotes, RAM knows only the text "1"`},
		"Statement is a list":                    {`{"Version": "1", "Statement": ` + goodStatement + `}`, "Statement is an object, not a list"},
		"Statement has one at least":             {document(""), "Statement is an empty list"},
		"a statement is an object":               {document(`"Allow"`), `statement 1: the statement is the text "Allow", not an object`},
		"the second statement is the second":     {document(goodStatement + `, null`), "statement 2: the statement is null without quotes, not an object"},
		"a statement needs its elements":         {document(`{}`), "statement 1: Effect is missing; statement 1: Action is missing; statement 1: Resource is missing"},
		"an unknown element stops a statement":   {document(`{"Sid": "x", "Effect": "Allow", "Action": "ecs:*", "Resource": "*"}`), `statement 1: the statement has the unknown element "Sid", not one of Effect, Action, NotAction, Resource, NotResource, Condition`},
		"elements are case-sensitive":            {document(`{"effect": "Allow", "Effect": "Deny", "Action": "ecs:*", "Resource": "*"}`), `statement 1: the statement has the unknown element "effect", not one of Effect, Action, NotAction, Resource, NotResource, Condition`},
		"an identity policy has no principal":    {document(`{"Effect": "Allow", "Action": "ecs:*", "Resource": "*", "Principal": {"RAM": "acs:ram::1:root"}}`), `statement 1: the statement has the unknown element "Principal", not one of Effect, Action, NotAction, Resource, NotResource, Condition`},
		"an element of a statement comes once":   {document(`{"Effect": "Deny", "Effect": "Allow", "Action": "ecs:*", "Resource": "*"}`), `statement 1: the statement has "Effect" twice`},
		"an effect is case-sensitive":            {document(`{"Effect": "allow", "Action": "ecs:*", "Resource": "*"}`), `statement 1: Effect is the text "allow", neither "Allow" nor "Deny"`},
		"an effect is a text":                    {document(`{"Effect": true, "Action": "ecs:*", "Resource": "*"}`), `statement 1: Effect is true without quotes, neither "Allow" nor "Deny"`},
		"Action and NotAction exclude another":   {document(`{"Effect": "Allow", "Action": "ecs:*", "NotAction": "ecs:*", "Resource": "*"}`), "statement 1: both Action and NotAction are there"},
		"Resource and NotResource do too":        {document(`{"Effect": "Allow", "Action": "ecs:*", "Resource": "*", "NotResource": "*"}`), "statement 1: both Resource and NotResource are there"},
		"a list has a text at least":             {document(`{"Effect": "Allow", "NotAction": [], "Resource": "*"}`), "statement 1: NotAction is an empty list"},
		"a list has texts only":                  {document(`{"Effect": "Allow", "Action": ["ecs:*", 7], "Resource": "*"}`), "statement 1: Action has 7 without quotes, not a text"},
		"an action is a text":                    {document(`{"Effect": "Allow", "Action": {}, "Resource": "*"}`), "statement 1: Action is an object, not a text or a list of texts"},
		"an action has a service":                {document(`{"Effect": "Allow", "Action": "DescribeRegions", "Resource": "*"}`), `statement 1: Action "DescribeRegions" is malformed`},
		"an action has a name":                   {document(`{"Effect": "Allow", "Action": ["ecs:*", "ecs:"], "Resource": "*"}`), `statement 1: Action "ecs:" is malformed`},
		"an action has no blanks":                {document(`{"Effect": "Allow", "NotAction": "ecs: *", "Resource": "*"}`), `statement 1: NotAction "ecs: *" is malformed`},
		"a resource is an ARN":                   {document(`{"Effect": "Allow", "Action": "ecs:*", "Resource": "sg-1"}`), `statement 1: Resource "sg-1" is malformed`},
		"an ARN has five fields":                 {document(`{"Effect": "Allow", "Action": "ecs:*", "Resource": "acs:ecs:*:securitygroup/sg-1"}`), `statement 1: Resource "acs:ecs:*:securitygroup/sg-1" is malformed`},
		"an ARN begins with acs":                 {document(`{"Effect": "Allow", "Action": "ecs:*", "NotResource": "arn:ecs:*:*:*"}`), `statement 1: NotResource "arn:ecs:*:*:*" is malformed`},
		"an ARN has a service":                   {document(`{"Effect": "Allow", "Action": "ecs:*", "Resource": "acs::*:*:*"}`), `statement 1: Resource "acs::*:*:*" is malformed`},
		"an ARN has a relative ID":               {document(`{"Effect": "Allow", "Action": "ecs:*", "Resource": "acs:ecs:*:*:"}`), `statement 1: Resource "acs:ecs:*:*:" is malformed`},
		"a misspelt operator is found":           {document(goodStatement + `, ` + conditional(`{"StringEqual": {"ecs:tag/a": "b"}}`)), `statement 2: condition operator "StringEqual" is unknown`},
		"IfExists is not known":                  {document(conditional(`{"StringEqualsIfExists": {"ecs:tag/a": "b"}}`)), `statement 1: condition operator "StringEqualsIfExists" is unknown`},
		"operators are case-sensitive":           {document(conditional(`{"IPAddress": {"acs:SourceIp": "10.0.0.1"}}`)), `statement 1: condition operator "IPAddress" is unknown`},
		"a condition is an object":               {document(conditional(`[]`)), "statement 1: Condition is a list, not an object"},
		"an operator comes once":                 {document(conditional(`{"Bool": {"acs:SecureTransport": "true"}, "Bool": {"acs:SecureTransport": "true"}}`)), `statement 1: Condition has "Bool" twice`},
		"an operator has an object":              {document(conditional(`{"Bool": "acs:SecureTransport"}`)), `statement 1: condition Bool is the text "acs:SecureTransport", not an object`},
		"an operator has a key":                  {document(conditional(`{"Bool": {}}`)), "statement 1: condition Bool has no key"},
		"a key comes once":                       {document(conditional(`{"Bool": {"acs:SecureTransport": "true", "acs:SecureTransport": "false"}}`)), `statement 1: condition Bool has "acs:SecureTransport" twice`},
		"a key belongs to a service":             {document(conditional(`{"Bool": {"SecureTransport": "true"}}`)), `statement 1: condition Bool of "SecureTransport": the key is not like acs:SourceIp`},
		"a key has a name":                       {document(conditional(`{"Bool": {"acs:": "true"}}`)), `statement 1: condition Bool of "acs:": the key is not like acs:SourceIp`},
		"a key has a prefix":                     {document(conditional(`{"Bool": {":a": "true"}}`)), `statement 1: condition Bool of ":a": the key is not like acs:SourceIp`},
		"a key has a value":                      {document(conditional(`{"Bool": {"acs:SecureTransport": []}}`)), `statement 1: condition Bool of "acs:SecureTransport" is an empty list`},
		"booleans have quotes":                   {document(conditional(`{"Bool": {"acs:SecureTransport": true}}`)), `statement 1: condition Bool of "acs:SecureTransport" is true without quotes, not a text or a list of texts`},
		"numbers in a list have quotes":          {document(conditional(`{"NumericEquals": {"ecs:n": [1e3]}}`)), `statement 1: condition NumericEquals of "ecs:n" has 1e3 without quotes, not a text`},
		"a boolean is true or false":             {document(conditional(`{"Bool": {"acs:SecureTransport": "True"}}`)), `statement 1: condition Bool of "acs:SecureTransport": "True" is neither "true" nor "false"`},
		"a number is decimal":                    {document(conditional(`{"NumericLessThan": {"ecs:n": "1e9"}}`)), `statement 1: condition NumericLessThan of "ecs:n": "1e9" is not a decimal number`},
		"a date has a time and a zone":           {document(conditional(`{"DateLessThan": {"acs:CurrentTime": "2026-01-02"}}`)), `statement 1: condition DateLessThan of "acs:CurrentTime": "2026-01-02" is not a date like 2026-01-02T15:04:05Z`},
		"an address is one":                      {document(conditional(`{"NotIpAddress": {"acs:SourceIp": ["10.0.0.0/8", "10.0.0"]}}`)), `statement 1: condition NotIpAddress of "acs:SourceIp": "10.0.0" is neither an IP address nor a CIDR block`},
		"an address has no zone":                 {document(conditional(`{"IpAddress": {"acs:SourceIp": "fe80::1%lo"}}`)), `statement 1: condition IpAddress of "acs:SourceIp": "fe80::1%lo" is neither an IP address nor a CIDR block`},
		"all mistakes are told, by statement":    {document(`{"Effect": "No", "Action": "x", "Resource": "*"}, {"Effect": "Allow", "Action": "ecs:*"}`), `statement 1: Effect is the text "No", neither "Allow" nor "Deny"; statement 1: Action "x" is malformed; statement 2: Resource is missing`},
		"mistakes of the document come first":    {`{"Version": "3", "Statement": [{"Effect": "Deny", "Action": "*"}]}`, `Version is the text "3", RAM knows only the text "1"; statement 1: Resource is missing`},
		"a document has 6144 characters at most": {document(goodStatement) + strings.Repeat(" ", 6145-len(document(goodStatement))), "the document has 6145 characters, RAM takes 6144"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy, err := ram.Parse([]byte(test.document))
			if err == nil {
				t.Fatalf("parsed %s", test.document)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if policy != nil {
				t.Errorf("a policy comes with the error: %v", policy)
			}
		})
	}
}

// conditional is a statement with a condition.
func conditional(condition string) string {
	return `{"Effect": "Allow", "Action": "ecs:*", "Resource": "*", "Condition": ` + condition + `}`
}

func TestWhatTheSyntaxKnowsIsRead(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a document of 6144 characters":               document(goodStatement) + strings.Repeat(" ", 6144-len(document(goodStatement))),
		"characters are counted, not bytes":           document(conditional(`{"StringEquals": {"ecs:tag/team": "` + strings.Repeat("é", 6144-len(document(conditional(`{"StringEquals": {"ecs:tag/team": ""}}`)))) + `"}}`)),
		"an action that is everything":                document(`{"Effect": "Deny", "Action": "*", "Resource": "*"}`),
		"wildcards in actions":                        document(`{"Effect": "Allow", "Action": ["ec?:Describe*", "*:*"], "Resource": "*"}`),
		"an ARN with empty region and account":        document(`{"Effect": "Allow", "Action": "ram:*", "Resource": "acs:ram::123:role/a"}`),
		"a relative ID with colons":                   document(`{"Effect": "Allow", "Action": "ecs:*", "Resource": "acs:ecs:*:*:a:b"}`),
		"an empty condition":                          document(conditional(`{}`)),
		"an empty value of a text":                    document(conditional(`{"StringLike": {"oss:Prefix": ["", "a/*"]}}`)),
		"several operators, each with several keys":   document(conditional(`{"StringEquals": {"ecs:tag/a": "1", "ecs:tag/b": ["2", "3"]}, "Bool": {"acs:SecureTransport": "true"}}`)),
		"an unnamed element in a text is but a text":  document(conditional(`{"StringEquals": {"ecs:tag/Sid": "Sid"}}`)),
		"the same key under another operator as well": document(conditional(`{"NumericLessThan": {"ecs:n": "9"}, "NumericGreaterThan": {"ecs:n": "-1.5"}}`)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustParse(t, text)
		})
	}
}
