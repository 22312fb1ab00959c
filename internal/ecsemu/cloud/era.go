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
	// MissingParts is what becomes of revoking a rule by its parts that is not there. It is MissingRuleSucceed if
	// empty, as the documents say. MissingRuleError refuses the call with what the older tables of errors have beside
	// that (InvalidNicType.Mismatch, InvalidGroupAuthItem.NotFound) or else InvalidSecurityGroupRule.RuleNotExist, as
	// was observed of late.
	MissingParts MissingRule
	// NoRuleIDs goes back to before rules had IDs: answers do not tell any, and requests that name some are as if they
	// did not.
	NoRuleIDs bool
	// NoPageNumbers refuses listings by page numbers, which are being withdrawn.
	NoPageNumbers bool
	// VPCOnly is an account without the classic network: it may create groups in VPCs only.
	VPCOnly bool
}

func (e Era) validate() error {
	if err := e.MissingRule.validate("missing rule"); err != nil {
		return err
	}
	return e.MissingParts.validate("missing parts")
}

func (m MissingRule) validate(what string) error {
	switch m {
	case "", MissingRuleError, MissingRuleSucceed:
		return nil
	}
	return fmt.Errorf("emulator options: %s %q: expected %q or %q", what, string(m), MissingRuleError, MissingRuleSucceed)
}

func (e Era) missingSucceeds() bool { return e.MissingRule == MissingRuleSucceed }

func (e Era) missingPartsFail() bool { return e.MissingParts == MissingRuleError }
