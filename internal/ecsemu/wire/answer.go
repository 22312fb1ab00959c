package wire

// AccessDenied says what RAM denied; it is in the body of such a refusal as AccessDeniedDetail.
type AccessDenied struct {
	AuthAction               string `json:"AuthAction"`
	AuthPrincipalDisplayName string `json:"AuthPrincipalDisplayName"`
	AuthPrincipalOwnerID     string `json:"AuthPrincipalOwnerId"`
	AuthPrincipalType        string `json:"AuthPrincipalType"`
	NoPermissionType         string `json:"NoPermissionType"` // ImplicitDeny or ExplicitDeny.
	PolicyType               string `json:"PolicyType"`
}

// ErrorBody is what a refused call gets.
type ErrorBody struct {
	RequestID string        `json:"RequestId"`
	HostID    string        `json:"HostId"`
	Code      Code          `json:"Code"`
	Message   string        `json:"Message"`
	Recommend string        `json:"Recommend"`
	Denied    *AccessDenied `json:"AccessDeniedDetail,omitempty"`
}
