package ecsapi

import (
	"errors"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

func TestClassOfCode(t *testing.T) {
	tests := map[Class][]string{
		Gone: {
			"InvalidSecurityGroupRule.RuleNotExist", "InvalidSecurityGroupRuleId.NotFound",
			"InvalidParam.SecurityGroupRuleId", "InvalidGroupAuthItem.NotFound",
		},
		GroupGone: {"InvalidSecurityGroupId.NotFound"},
		PeerGone: {
			"InvalidDestGroupId.NotFound", "InvalidDestGroup.NotFound", "InvalidPrefixListId.NotFound",
			"InvalidPortRangeListId.NotFound",
		},
		Protected: {"InvalidOperation.ResourceManagedByCloudProduct"},
		Throttled: {"Throttling", "Throttling.User", "Throttling.Api", "Rejected.Throttling"},
		Denied: {
			"InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive", "SignatureDoesNotMatch", "IncompleteSignature",
			"MissingSecurityToken", "InvalidSecurityToken.Expired", "InvalidSecurityToken.Malformed",
			"InvalidSecurityToken.MismatchWithAccessKey", "InvalidTimeStamp.Expired", "InvalidTimeStamp.Format",
			"IllegalTimestamp", "Forbidden", "Forbidden.RAM", "Forbidden.AccessKeyDisabled", "Forbidden.Unauthorized",
			"Forbidden.SubUser", "Forbidden.NotSupportRAM", "Forbidden.RiskControl", "NoPermission",
			"RealNameAuthenticationError", "Unauthorized.EmptyRegion", "InvalidOperation.SecurityGroupNotAuthorized",
		},
		Invalid: {
			"MissingParameter", "MissingParameter.RegionId", "MissingParameter.Dest", "InvalidParameter",
			"InvalidParameter.Format", "InvalidParameter.SecurityGroupType", "InvalidParam.DestCidrIp",
			"InvalidParam.SecurityGroupRuleIdRepeated", "InvalidParamter", "InvalidParamter.Conflict",
			"InValidParameter.NextToken", "InvalidSecurityGroupId.Malformed", "InvalidDestCidrIp.sMalformed",
			"InvalidPriority.ValueNotSupported", "InvalidNicType.Mismatch", "NotSupported.PageNumberAndPageSize",
			"InvalidRegionId.NotFound", "InvalidApi.NotFound", "InvalidProduct.NotFound", "InvalidProtocol.NeedSsl",
			"VPCDisabled", "ILLEGAL_IPV6_CIDR", "InvalidDestGroupId.Mismatch", "InvalidSecurityGroup.IsSame",
			"InvalidGroupParameter.OperationDenied", "UnsupportedHTTPMethod", "InvalidNetworkType.Conflict",
			"InvalidSecurityGroup.InvalidNetworkType", "AuthorizedGroupRule.LimitExceed", "AuthorizationLimitExceed",
			"LimitExceed.PrefixListAssociationResource", "OperationDenied", "InvalidIpProtocol.Malformed",
		},
		Idempotency: {"IdempotentParameterMismatch", "InvalidIdempotenceParameter.Mismatch"},
		InProgress:  {"LastTokenProcessing", "OperationFailed.LastTokenProcessing", "OperationConflict"},
		Transient: {
			"InternalError", "ServiceUnavailable", "ServiceUnavailable.RegionMaintaining", "SignatureNonceUsed",
			"InvalidGressFlow.Malformed",
			"", "SomethingNew", "ForbiddenFruit", "Invalid", "InvalidTimeStampish",
		},
	}
	for want, codes := range tests {
		for _, code := range codes {
			t.Run(string(want)+" is what "+code+" means", func(t *testing.T) {
				if got := classOf(code); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}

func TestErrorsAnswerToTheDomain(t *testing.T) {
	all := []Class{
		OK, Gone, GroupGone, PeerGone, Protected, Throttled, Denied, Invalid, Idempotency, InProgress, Transient, Cancelled,
		Unsent,
	}
	for sentinel, of := range map[error]Class{
		sg.ErrGroupGone: GroupGone, sg.ErrThrottled: Throttled, sg.ErrDenied: Denied,
	} {
		for _, class := range all {
			err := error(&Error{Class: class})
			if got, want := errors.Is(err, sentinel), class == of; got != want {
				t.Errorf("class %s is %q: got %v, want %v", class, sentinel, got, want)
			}
		}
	}
}
