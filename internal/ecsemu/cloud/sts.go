package cloud

type identityResponse struct {
	RequestID    string `json:"RequestId"`
	AccountID    string `json:"AccountId"`
	UserID       string `json:"UserId,omitempty"` // Of an account or user.
	RoleID       string `json:"RoleId,omitempty"` // Of a session.
	PrincipalID  string `json:"PrincipalId"`
	ARN          string `json:"Arn"`
	IdentityType string `json:"IdentityType"`
}

// getCallerIdentity tells whose key it is. No permission is needed to ask. The form of the ARN of a session is not
// documented; here it is acs:ram::ACCOUNT:assumed-role/ROLE/SESSION.
func getCallerIdentity(c *call) (any, error) {
	who := c.caller.holder
	r := &identityResponse{
		RequestID: c.requestID, AccountID: who.account, UserID: who.id, PrincipalID: who.id, ARN: who.arn(),
		IdentityType: "Account",
	}
	switch who.kind {
	case userOfAccount:
		r.IdentityType = "RAMUser"
	case sessionOfRole:
		r.IdentityType, r.UserID, r.RoleID = "AssumedRoleUser", "", who.id
		r.PrincipalID = who.id + ":" + who.session
		r.ARN = "acs:ram::" + who.account + ":assumed-role/" + who.name + "/" + who.session
	case accountItself:
	}
	return r, nil
}

func identityActions() []Action {
	return []Action{
		{Name: "GetCallerIdentity", Version: VersionSTS, unchecked: true, handle: getCallerIdentity},
		// It asks RAM by itself, as its refusals are others.
		{Name: "AssumeRole", Version: VersionSTS, Writes: true, unchecked: true, handle: assumeRole},
	}
}
