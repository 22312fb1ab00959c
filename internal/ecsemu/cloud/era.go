package cloud

import "fmt"

// MissingRule is what the cloud makes of revoking a rule by an ID that its group does not have. It changed: until July
// 2024 such a call succeeded.
type MissingRule string

// What becomes of revoking a rule that is not there.
const (
	// MissingRuleError refuses the call with InvalidSecurityGroupRule.RuleNotExist, and nothing is removed. This is how
	// it is today.
	MissingRuleError MissingRule = "error"
	// MissingRuleSucceed lets the call succeed, and removes those of its rules that are there.
	MissingRuleSucceed MissingRule = "succeed"
)

// Era is the state of the API that is emulated. The zero value is that of today, where documents tell.
type Era struct {
	// MissingRule is MissingRuleError if empty.
	MissingRule MissingRule
	// NoRuleIDs goes back to before rules had IDs: answers do not tell any, and requests that name some are as if they
	// did not.
	NoRuleIDs bool
	// NoPageNumbers refuses listings by page numbers, which are being withdrawn.
	NoPageNumbers bool
}

func (e Era) validate() error {
	switch e.MissingRule {
	case "", MissingRuleError, MissingRuleSucceed:
		return nil
	}
	return fmt.Errorf("emulator options: missing rule %q: expected %q or %q", string(e.MissingRule), MissingRuleError, MissingRuleSucceed)
}

func (e Era) missingSucceeds() bool { return e.MissingRule == MissingRuleSucceed }
