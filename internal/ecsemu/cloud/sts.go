package cloud

type identityResponse struct {
	RequestID    string `json:"RequestId"`
	AccountID    string `json:"AccountId"`
	UserID       string `json:"UserId"`
	PrincipalID  string `json:"PrincipalId"`
	ARN          string `json:"Arn"`
	IdentityType string `json:"IdentityType"`
}

// getCallerIdentity tells whose key it is: every key is its account's own. The cloud takes this call over TLS only;
// here plain HTTP will do, as for everything else on loopback.
func getCallerIdentity(c *call) (any, error) {
	return &identityResponse{
		RequestID: c.requestID, AccountID: c.account.id, UserID: c.account.id, PrincipalID: c.account.id,
		ARN: "acs:ram::" + c.account.id + ":root", IdentityType: "Account",
	}, nil
}

func identityActions() []Action {
	return []Action{{Name: "GetCallerIdentity", Version: VersionSTS, handle: getCallerIdentity}}
}
