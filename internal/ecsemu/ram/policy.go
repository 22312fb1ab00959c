package ram

// MaxLength is how many characters a document may have, blanks and all
// (https://www.alibabacloud.com/help/en/resource-management/api-createpolicy). The lower limit of a session policy is
// for its caller to see to.
const MaxLength = 6144

// Policy is a policy document that has been read. It never changes and may be used by many at once. The zero value has
// no statement: it allows nothing and trusts nobody.
type Policy struct {
	statements []statement
}

type statement struct {
	deny       bool
	actions    actionSet
	resources  resourceSet // of an identity policy
	principals []string    // of a trust policy: ARNs
	conditions []condition
}

// Parse reads an identity policy: one for users and roles, or for a session. It is strict. What the syntax of RAM does
// not know is an error, and the error names all mistakes, statement by statement:
//
//	statement 2: condition operator "StringEqual" is unknown
func Parse(document []byte) (*Policy, error) {
	return parse(document, identity)
}

// ParseTrust reads the trust policy of a role, as strictly as Parse. Its statements have a Principal and no Resource.
func ParseTrust(document []byte) (*Policy, error) {
	return parse(document, trust)
}
