package ecsemu

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

func (m MissingRule) validate() error {
	switch m {
	case "", MissingRuleError, MissingRuleSucceed:
		return nil
	}
	return fmt.Errorf("missing rule %q: expected %q or %q", string(m), MissingRuleError, MissingRuleSucceed)
}

// era is the state of the API that is emulated; the zero value is that of today.
type era struct {
	missingSucceeds bool
	noRuleIDs       bool
}

func newEra(options Options) era {
	return era{missingSucceeds: options.MissingRule == MissingRuleSucceed, noRuleIDs: options.NoRuleIDs}
}
