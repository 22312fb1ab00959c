package ecsapi

import (
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Class is what an answer means, under a short name.
type Class = sg.Class

// The classes of answers, under short names; see [sg.Class].
const (
	OK          = sg.ClassOK
	Gone        = sg.ClassGone
	GroupGone   = sg.ClassGroupGone
	PeerGone    = sg.ClassPeerGone
	Protected   = sg.ClassProtected
	Throttled   = sg.ClassThrottled
	Denied      = sg.ClassDenied
	Invalid     = sg.ClassInvalid
	Idempotency = sg.ClassIdempotency
	InProgress  = sg.ClassInProgress
	Transient   = sg.ClassTransient
	Cancelled   = sg.ClassCancelled
	Unsent      = sg.ClassUnsent
)

// classOf maps an error code of the cloud. This is the only place that knows codes' meanings; unknown ones are
// [Transient], for then the outcome is unknown. Exact codes come before families.
//
// Sources: error tables of RevokeSecurityGroupEgress, AuthorizeSecurityGroupEgress, DescribeSecurityGroupAttribute,
// DescribeSecurityGroups, and the common errors of ECS and of the API gateway.
func classOf(code string) Class {
	switch code {
	case "InvalidSecurityGroupRule.RuleNotExist", "InvalidSecurityGroupRuleId.NotFound",
		"InvalidParam.SecurityGroupRuleId", "InvalidGroupAuthItem.NotFound":
		return Gone
	case "InvalidSecurityGroupId.NotFound":
		return GroupGone
	case "InvalidDestGroupId.NotFound", "InvalidDestGroup.NotFound", "InvalidPrefixListId.NotFound",
		"InvalidPortRangeListId.NotFound":
		return PeerGone
	case "InvalidOperation.ResourceManagedByCloudProduct":
		return Protected
	case "IdempotentParameterMismatch", "InvalidIdempotenceParameter.Mismatch":
		return Idempotency
	case "LastTokenProcessing", "OperationFailed.LastTokenProcessing", "OperationConflict", "IdempotentProcessing":
		return InProgress
	case "SignatureNonceUsed", "InternalError", "InvalidGressFlow.Malformed":
		return Transient // the next attempt is signed anew; the last, by its words, is a fault of the cloud
	case "SignatureDoesNotMatch", "IncompleteSignature", "MissingSecurityToken", "IllegalTimestamp",
		"RealNameAuthenticationError", "Unauthorized.EmptyRegion", "InvalidOperation.SecurityGroupNotAuthorized":
		return Denied
	case "InvalidRegionId.NotFound", "InvalidApi.NotFound", "InvalidProduct.NotFound", "InvalidProtocol.NeedSsl",
		"InvalidAction", "InvalidVersion", "InvalidSignatureMethod", "UnsupportedHTTPMethod", "VPCDisabled",
		"InvalidOwner", "ILLEGAL_IPV6_CIDR", "InvalidSecurityGroup.IsSame", "AuthorizationLimitExceed",
		"InvalidGroupParameter.OperationDenied", "InvalidGroupAuthParameter.OperationDenied",
		"InvalidDestGroupId.Mismatch", "InvalidNicType.Mismatch", "InvalidNetworkType.Conflict",
		"InvalidSecurityGroup.InvalidNetworkType", "AuthorizedGroupRule.LimitExceed",
		"LimitExceed.PrefixListAssociationResource":
		return Invalid
	}
	return classOfFamily(code)
}

// classOfFamily maps codes by how they begin or end.
func classOfFamily(code string) Class {
	begins := func(families ...string) bool {
		for _, family := range families {
			if code == family || strings.HasPrefix(code, family+".") {
				return true
			}
		}
		return false
	}
	switch {
	case strings.Contains(code, "Throttling"):
		return Throttled
	case begins("InvalidAccessKeyId", "InvalidSecurityToken", "InvalidTimeStamp", "Forbidden", "NoPermission",
		"AccessDenied"):
		return Denied
	case begins("ServiceUnavailable"):
		return Transient
	case begins("MissingParameter", "InvalidParameter", "InvalidParam", "InvalidParamter", "InValidParameter",
		"NotSupported", "OperationDenied"),
		strings.HasSuffix(code, "Malformed"), strings.HasSuffix(code, ".ValueNotSupported"):
		return Invalid
	default:
		return Transient
	}
}
