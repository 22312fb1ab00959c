package ecsapi

import "strings"

// Class is what an answer means to the caller: what may be done next. The values are labels of metrics.
type Class string

// The classes of answers.
const (
	// OK is an answer that was read whole.
	OK Class = "ok"
	// Gone says that a rule is not there; to be believed only after a look.
	Gone Class = "gone"
	// GroupGone says that the security group is not there.
	GroupGone Class = "group-gone"
	// PeerGone says that what a rule refers to is not there; it says nothing about the rule.
	PeerGone Class = "peer-gone"
	// Protected says that a cloud service owns the group.
	Protected Class = "protected"
	// Throttled says that the quota is used up until the next window.
	Throttled Class = "throttled"
	// Denied says that the credentials are wrong or may not do this. Repeating cannot help.
	Denied Class = "denied"
	// Invalid says that the call itself is wrong: a fault of this program or of its configuration.
	Invalid Class = "invalid"
	// Idempotency says that a client token was used for another call before.
	Idempotency Class = "idempotency"
	// InProgress says that the cloud is still at work on an earlier call.
	InProgress Class = "in-progress"
	// Transient says that the outcome is unknown: a fault of the cloud or of the way to it, or an unknown code.
	Transient Class = "transient"
	// Cancelled says that the caller's context ended first.
	Cancelled Class = "cancelled"
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
	case "InvalidDestGroupId.NotFound", "InvalidPrefixListId.NotFound", "InvalidPortRangeListId.NotFound":
		return PeerGone
	case "InvalidOperation.ResourceManagedByCloudProduct":
		return Protected
	case "IdempotentParameterMismatch", "InvalidIdempotenceParameter.Mismatch":
		return Idempotency
	case "LastTokenProcessing", "OperationConflict", "IdempotentProcessing":
		return InProgress
	case "SignatureNonceUsed", "InternalError":
		return Transient // the next attempt is signed anew
	case "SignatureDoesNotMatch", "IncompleteSignature", "MissingSecurityToken", "IllegalTimestamp",
		"RealNameAuthenticationError", "Unauthorized.EmptyRegion", "InvalidOperation.SecurityGroupNotAuthorized":
		return Denied
	case "InvalidRegionId.NotFound", "InvalidApi.NotFound", "InvalidProduct.NotFound", "InvalidProtocol.NeedSsl",
		"InvalidAction", "InvalidVersion", "InvalidSignatureMethod", "UnsupportedHTTPMethod", "VPCDisabled",
		"InvalidOwner", "ILLEGAL_IPV6_CIDR", "InvalidSecurityGroup.IsSame", "AuthorizationLimitExceed",
		"InvalidGroupParameter.OperationDenied", "InvalidGroupAuthParameter.OperationDenied",
		"InvalidDestGroupId.Mismatch", "InvalidNicType.Mismatch":
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
		"NotSupported"),
		strings.HasSuffix(code, "Malformed"), strings.HasSuffix(code, ".ValueNotSupported"):
		return Invalid
	default:
		return Transient
	}
}
