package wire

import "errors"

// Code is the Code of an error body.
type Code string

// Codes the server answers with by itself; faults may name any other. Misspelt ones are misspelt by the cloud.
const (
	// Gateway, signature and common parameters.
	CodeAccessKey          Code = "InvalidAccessKeyId.NotFound"
	CodeKeyInactive        Code = "InvalidAccessKeyId.Inactive"
	CodeTokenMissing       Code = "MissingSecurityToken"
	CodeTokenMalformed     Code = "InvalidSecurityToken.Malformed"
	CodeTokenWrong         Code = "InvalidSecurityToken.MismatchWithAccessKey"
	CodeTokenExpired       Code = "InvalidSecurityToken.Expired"
	CodeNeedSSL            Code = "InvalidProtocol.NeedSsl"
	CodeSignature          Code = "SignatureDoesNotMatch"
	CodeIncomplete         Code = "IncompleteSignature"
	CodeSignatureMethod    Code = "InvalidSignatureMethod"
	CodeTimestampMissing   Code = "IllegalTimestamp"
	CodeTimestampFormat    Code = "InvalidTimeStamp.Format"
	CodeTimestampExpired   Code = "InvalidTimeStamp.Expired"
	CodeNonceUsed          Code = "SignatureNonceUsed"
	CodeMissing            Code = "MissingParameter"
	CodeParameter          Code = "InvalidParameter"
	CodeFormat             Code = "InvalidParameter.Format"
	CodeOwner              Code = "InvalidOwner"
	CodeMethod             Code = "UnsupportedHTTPMethod"
	CodeNoAPI              Code = "InvalidApi.NotFound"
	CodeThrottlingUser     Code = "Throttling.User"
	CodeThrottlingAPI      Code = "Throttling.Api"
	CodeThrottling         Code = "Throttling"
	CodeConflict           Code = "OperationConflict"
	CodeServiceUnavailable Code = "ServiceUnavailable"
	CodeInternal           Code = "InternalError"
	CodeForbidden          Code = "Forbidden.RAM"
	CodeTokenMismatch      Code = "IdempotentParameterMismatch" //nolint:gosec // G101: it is no credential.
	CodeTokenInProgress    Code = "LastTokenProcessing"

	// Regions and reading.
	CodeRegionMissing      Code = "MissingParameter.RegionId"
	CodeRegion             Code = "InvalidRegionId.NotFound"
	CodeEmptyRegion        Code = "Unauthorized.EmptyRegion"
	CodeAcceptLanguage     Code = "InvalidAcceptLanguage.NotFound"
	CodeResourceType       Code = "InvalidResourceType.NotFound"
	CodeNextToken          Code = "InValidParameter.NextToken"
	CodeGroupType          Code = "InvalidParameter.SecurityGroupType"
	CodeGroupID            Code = "InvalidSecurityGroupId.Malformed"
	CodeGroupNotFound      Code = "InvalidSecurityGroupId.NotFound"
	CodeGroupName          Code = "InvalidSecurityGroupName.Malformed"
	CodeDryRun             Code = "DryRunOperation"
	CodeAttributeParameter Code = "InvalidParamter"
	CodeAttribute          Code = "InvalidParameter.AttributeNotSupported"
	CodeNIC                Code = "InvalidNicType.ValueNotSupported"
	CodePrefixListNotFound Code = "InvalidPrefixListId.NotFound"

	// Rules.
	CodeProtocol          Code = "InvalidIpProtocol.ValueNotSupported"
	CodePortsMissing      Code = "InvalidPortRange.Malformed"
	CodePorts             Code = "InvalidIpPortRange.Malformed"
	CodePortsMismatch     Code = "OperationDenied"
	CodeSourcePorts       Code = "InvalidSourcePortRange.Malformed"
	CodeDestMissing       Code = "MissingParameter.Dest"
	CodeDestBoth          Code = "InvalidParam.DestIp"
	CodeDestCIDR          Code = "InvalidDestCidrIp.Malformed"
	CodeDestCIDR6         Code = "InvalidParam.Ipv6DestCidrIp"
	CodeSourceBoth        Code = "InvalidParam.SourceIp"
	CodeSourceCIDR        Code = "InvalidParam.SourceCidrIp"
	CodeSourceCIDR6       Code = "InvalidParam.Ipv6SourceCidrIp"
	CodeFamilies          Code = "InvalidParameter.Conflict"
	CodeIPv4Protocol      Code = "InvalidParam.Ipv4ProtocolConflictWithIpv6Address"
	CodeIPv6Protocol      Code = "InvalidParam.Ipv6ProtocolConflictWithIpv4Address"
	CodePolicy            Code = "InvalidPolicy.Malformed"
	CodePriority          Code = "InvalidPriority.Malformed"
	CodePriorityRange     Code = "InvalidPriority.ValueNotSupported"
	CodeNICMismatch       Code = "InvalidNicType.Mismatch"
	CodeDescription       Code = "InvalidSecurityGroupDiscription.Malformed"
	CodePermissions       Code = "InvalidParam.Permissions"
	CodePermissionTwice   Code = "InvalidParam.DuplicatePermissions"
	CodeRuleIDs           Code = "InvalidParam.SecurityGroupRuleId"
	CodeRuleIDTwice       Code = "InvalidParam.SecurityGroupRuleIdRepeated"
	CodeRuleNotExist      Code = "InvalidSecurityGroupRule.RuleNotExist"
	CodeRuleNotFound      Code = "SecurityGroupRule.NotFound"
	CodeRuleIDNotFound    Code = "InvalidSecurityGroupRuleId.NotFound"
	CodeModifyNothing     Code = "InvalidParam.InvalidModifyRuleRequest"
	CodeModifyKind        Code = "InvalidOperation.ModifySgRuleEntityType"
	CodeModifyNIC         Code = "InvalidOperation.ModifyNicType"
	CodeModifyTwice       Code = "InvalidOperation.RuleDuplicate"
	CodeGroupInUse        Code = "DependencyViolation"
	CodeSameGroup         Code = "InvalidSecurityGroup.IsSame"
	CodeDestGroupNotFound Code = "InvalidDestGroupId.NotFound"
	CodeDestGroupMismatch Code = "InvalidDestGroupId.Mismatch"
	CodeEnterpriseGroup   Code = "InvalidGroupParameter.OperationDenied"
	CodeClassicPrefixList Code = "NotSupported.ClassicNetworkPrefixList"
	CodePrefixListFamily  Code = "InvalidParam.PrefixListAddressFamilyMismatch"
	CodePortListProtocol  Code = "InvalidParam.ProtocolNotSupportPortRangeList"
	CodePortListNotFound  Code = "InvalidPortRangeListId.NotFound"
	CodeNetworkType       Code = "InvalidSecurityGroup.InvalidNetworkType"
	CodeManaged           Code = "InvalidOperation.ResourceManagedByCloudProduct"
	CodeRuleQuota         Code = "AuthorizationLimitExceed"
	CodeGroupRuleQuota    Code = "AuthorizedGroupRule.LimitExceed"
	CodeAssociationQuota  Code = "LimitExceed.PrefixListAssociationResource"
	CodeVPCNotFound       Code = "InvalidVpcId.NotFound"

	// Rules of one direction, one form or one operation.
	CodePortRange             Code = "InvalidParam.PortRange"
	CodePortsOrProtocol       Code = "InvalidIpProtocol.Malformed"
	CodeListedDestCIDR        Code = "InvalidParam.DestCidrIp"
	CodePeerSourceCIDR        Code = "InvalidSourceCidrIp.Malformed"
	CodeListedCIDR6           Code = "InvalidParameter.Ipv6CidrIp"
	CodeIllegalCIDR6          Code = "ILLEGAL_IPV6_CIDR"
	CodeSourceMissing         Code = "MissingParameter.Source"
	CodeSourceGroupMismatch   Code = "InvalidSourceGroupId.Mismatch"
	CodeSourceGroupNotFound   Code = "InvalidSourceGroupId.NotFound"
	CodeForeignDestNotFound   Code = "InvalidDestGroup.NotFound"
	CodeForeignSourceNotFound Code = "InvalidSourceGroup.NotFound"
	CodeGroupConflict         Code = "InvalidParamter.Conflict"
	CodeNetworkConflict       Code = "InvalidNetworkType.Conflict"
	CodeNetworkMismatch       Code = "InvalidNetworkType.Mismatch"
	CodeEnterprisePeer        Code = "InvalidGroupAuthParameter.OperationDenied"
	CodeGroupItemNotFound     Code = "InvalidGroupAuthItem.NotFound"
	CodeModifyPorts           Code = "InvalidParam.ProtocolAndPortRangeMismatch"
	CodeModifyFamily          Code = "InvalidParam.ProtocolAndAddressFamilyMismatch"
	CodeModifyDirection       Code = "InvalidSourceOrDestGroupId.DirectionMissmatch"
	CodeModifyPortKind        Code = "InvalidOperation.ModifyPortRangeType"

	// In the tables of the documents, but earned by nothing that a client does here; faults answer with them.
	CodeDestCIDRMisspelt Code = "InvalidDestCidrIp.sMalformed"
	CodeVPCDisabled      Code = "VPCDisabled"
	CodeGrayFunction     Code = "NotSupported.GrayFunction"
	CodeNotAuthorized    Code = "InvalidOperation.SecurityGroupNotAuthorized"
	CodeGressFlow        Code = "InvalidGressFlow.Malformed"

	// Roles.
	CodeNoPermission    Code = "NoPermission"
	CodeRoleMissing     Code = "MissingRoleArn"
	CodeSessionMissing  Code = "MissingRoleSessionName"
	CodeRoleARN         Code = "InvalidParameter.RoleArn"
	CodeRoleNotFound    Code = "EntityNotExist.Role"
	CodeSessionName     Code = "InvalidParameter.RoleSessionName"
	CodeSessionDuration Code = "InvalidParameter.DurationSeconds"
	CodeExternalID      Code = "InvalidParameter.ExternalId"
	CodePolicyGrammar   Code = "InvalidParameter.PolicyGrammar"

	// Tags.
	CodeResourceTypeMissing Code = "MissingParameter.ResourceType"
	CodeTagsMissing         Code = "MissingParameter.Tags"
	CodeResourceIDs         Code = "NumberExceed.ResourceIds"
	CodeTags                Code = "NumberExceed.Tags"
	CodeTagTwice            Code = "Duplicate.TagKey"
	CodeTagKey              Code = "InvalidTagKey.Malformed"
	CodeTagValue            Code = "InvalidTagValue.Malformed"
	CodeResourceNotFound    Code = "InvalidResourceId.NotFound"
	CodeTagQuota            Code = "QuotaExceed.Tags"
	CodeTagWithoutKey       Code = "InvalidParameter.TagValue"

	// Groups.
	CodePageNumbers       Code = "NotSupported.PageNumberAndPageSize"
	CodeGroupQuota        Code = "QuotaExceed.SecurityGroup"
	CodeNewGroupType      Code = "InvalidParams.GroupType"
	CodeNewGroupNetwork   Code = "InvalidParams.VpcIdGroupType"
	CodeResourceGroup     Code = "InvalidResourceGroup.NotFound"
	CodeSameResourceGroup Code = "InvalidResourceGroup.Duplicate"
	CodeInnerAccess       Code = "InvalidParameter.InnerAccessPolicy"
	CodePolicyRegion      Code = "MissingParamter.RegionId"

	// Prefix lists and port lists.
	CodeAddressFamily      Code = "InvalidParameter.AddressFamily"
	CodePrefixListName     Code = "InvalidParameter.PrefixListName"
	CodeListDescription    Code = "InvalidDescription.Malformed"
	CodeEntryMalformed     Code = "InvalidParameter.CidrMalformed"
	CodeEntryTwice         Code = "InvalidParameter.CidrDuplicated"
	CodeEntryCount         Code = "LimitExceed.Entry"
	CodeMaxEntries         Code = "LimitExceed.MaxEntries"
	CodePrefixListQuota    Code = "LimitExceed.PrefixListPerRegion"
	CodePrefixListIDs      Code = "LimitExceed.PrefixListId"
	CodePrefixListInUse    Code = "NotAllowed.AssociationExist"
	CodePortListName       Code = "InvalidParameter.PortRangeListName"
	CodePortEntryMalformed Code = "InvalidParameter.PortRange"
	CodePortEntryTwice     Code = "InvalidParameter.PortRangeDuplicated"
	CodePortListEntry      Code = "InvalidParam.Entry"
	CodePortListSize       Code = "InvalidOperation.MaxEntriesCountExceed"
	CodePortListMaxEntries Code = "InvalidOperation.EntryCountExceedMaxEntries"
	CodePortListQuota      Code = "InvalidOperation.MaxCountExceed"
	CodePortListIDs        Code = "LimitExceed.PortRangeListId"
	CodePortListInUse      Code = "InvalidPortRangeListId.AssociationExist"
)

// Refusal is an error the server answers with. Status and message, if not set, come from the table of errors.
type Refusal struct { //nolint:errname // It is an answer as much as it is an error.
	Code    Code
	Status  int
	Message string
	// Denied is told along with a denial of RAM; nil otherwise.
	Denied *AccessDenied
}

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }

// Refuse refuses with the status and message of the table.
func Refuse(code Code) *Refusal { return &Refusal{Code: code} }

// Refusef refuses with a message of its own.
func Refusef(code Code, message string) *Refusal { return &Refusal{Code: code, Message: message} }

// Missing is the refusal of a request without a parameter it needs.
func Missing(name string) *Refusal {
	return Refusef(CodeMissing,
		`The input parameter "`+name+`" that is mandatory for processing this request is not supplied.`)
}

// Row is what the documents say of a code.
type Row struct {
	Status  int
	Message string
}

// Errors is what is known of codes.
type Errors map[Code]Row

// Complete gives an error as a refusal with everything set. What is no refusal is a mistake of the server itself.
func (e Errors) Complete(err error) *Refusal {
	found, ok := errors.AsType[*Refusal](err)
	if !ok {
		found = Refuse(CodeInternal)
	}
	done := *found
	row := e[done.Code]
	if done.Status == 0 {
		done.Status = row.Status
	}
	if done.Message == "" {
		done.Message = row.Message
	}
	return &done
}
