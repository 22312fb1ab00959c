package config

import (
	"regexp"
	"strconv"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

const allRegions = "*"

func accountKeys() strictyaml.Keys {
	return strictyaml.Keys{
		Required: []string{"name", "id"},
		Optional: []string{"regions", "endpoint", "ca-file", "quotas", "revoke-without-rule-id"},
		NotYet:   []string{"roles", "external-id"},
	}
}

// quotaKeys are the actions that this product calls and paces.
func quotaKeys() strictyaml.Keys {
	return strictyaml.Keys{Optional: []string{
		"DescribeRegions",
		"DescribeSecurityGroups",
		"DescribeSecurityGroupAttribute",
		"DescribeNetworkInterfaces",
		"DescribePortRangeListEntries",
		"DescribePrefixListAttributes",
		"GetCallerIdentity",
		"RevokeSecurityGroupEgress",
		"AuthorizeSecurityGroupEgress",
	}}
}

func (c *Config) decodeAccounts(value strictyaml.Value) {
	list, ok := value.List()
	if !ok {
		return
	}
	names, ids := map[string]strictyaml.Pos{}, map[string]map[string]strictyaml.Pos{}
	for _, element := range list {
		fields, ok := element.Map(accountKeys())
		if !ok {
			continue
		}
		account := defaultAccount()
		account.decode(fields)
		if ids[account.Endpoint] == nil {
			ids[account.Endpoint] = map[string]strictyaml.Pos{}
		}
		once(fields, "name", account.Name, names)
		once(fields, "id", account.ID, ids[account.Endpoint])
		c.Accounts = append(c.Accounts, account)
	}
}

// once refuses a value of a key that another account has. Two accounts of one ID at one endpoint would be swept twice,
// against one quota, and their reports would differ only by accident.
func once(fields strictyaml.Map, key, text string, seen map[string]strictyaml.Pos) {
	value, ok := fields.Get(key)
	if !ok || text == "" {
		return
	}
	if first, twice := seen[text]; twice {
		value.Problem(CodeDuplicate, "the account %s %q at line %d is the one at line %d again",
			key, text, value.Pos().Line, first.Line)
		return
	}
	seen[text] = value.Pos()
}

func (a *Account) decode(fields strictyaml.Map) {
	for key, value := range fields.All() {
		switch key {
		case "name":
			a.Name = matching(value, accountName, "letters, digits, dots, hyphens and underscores, at most 63")
		case "id":
			a.ID = matching(value, accountID, "an account ID, which has digits only")
		case "regions":
			a.Regions = decodeRegions(value)
		case "endpoint":
			a.Endpoint = decodeEndpoint(value)
		case "ca-file":
			a.CAFile, _ = value.String()
		case "quotas":
			a.Quotas = decodeQuotas(value)
		case "revoke-without-rule-id":
			a.RevokeWithoutRuleID, _ = value.Bool()
		}
	}
}

var (
	accountName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	accountID   = regexp.MustCompile(`^[0-9]{1,20}$`) // 16 today; the cloud promises no length
	regionName  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	plainNumber = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
)

// matching reads a text of a given form, or reports what was expected instead and gives the empty text.
func matching(value strictyaml.Value, form *regexp.Regexp, expected string) string {
	text, ok := value.String()
	if ok && !form.MatchString(text) {
		value.Problem(CodeValue, "expected %s, found %q", expected, text)
		return ""
	}
	return text
}

func decodeRegions(value strictyaml.Value) []string {
	regions := distinctTexts(value, "region")
	for _, region := range regions {
		switch {
		case region.text == allRegions && len(regions) > 1:
			region.at.Problem(CodeValue, "the region %q stands for all of them and must be alone; it stands among %d",
				allRegions, len(regions))
		case region.text != allRegions && !regionName.MatchString(region.text):
			region.at.Problem(CodeValue, "expected a region such as cn-hangzhou, or %q alone, found %q",
				allRegions, region.text)
		}
	}
	return plain(regions)
}

func decodeQuotas(value strictyaml.Value) map[string]float64 {
	fields, ok := value.Map(quotaKeys())
	if !ok {
		return nil
	}
	quotas := map[string]float64{}
	for action, value := range fields.All() {
		text, ok := value.Text()
		if !ok {
			continue
		}
		perSecond, err := strconv.ParseFloat(text, 64)
		if !plainNumber.MatchString(text) || err != nil || perSecond == 0 {
			value.Problem(CodeValue, "expected a number of calls per second above 0, found %q", text)
			continue
		}
		quotas[action] = perSecond
	}
	return quotas
}
