package ecsemu

import "errors"

// errorCode is the Code of an error body.
type errorCode string

// Codes the server answers with by itself; faults may name any other. Misspelt ones are misspelt by the cloud.
const (
	// Gateway, signature and common parameters.
	codeAccessKey          errorCode = "InvalidAccessKeyId.NotFound"
	codeSignature          errorCode = "SignatureDoesNotMatch"
	codeIncomplete         errorCode = "IncompleteSignature"
	codeSignatureMethod    errorCode = "InvalidSignatureMethod"
	codeTimestampMissing   errorCode = "IllegalTimestamp"
	codeTimestampFormat    errorCode = "InvalidTimeStamp.Format"
	codeTimestampExpired   errorCode = "InvalidTimeStamp.Expired"
	codeNonceUsed          errorCode = "SignatureNonceUsed"
	codeMissing            errorCode = "MissingParameter"
	codeParameter          errorCode = "InvalidParameter"
	codeFormat             errorCode = "InvalidParameter.Format"
	codeOwner              errorCode = "InvalidOwner"
	codeMethod             errorCode = "UnsupportedHTTPMethod"
	codeNoAPI              errorCode = "InvalidApi.NotFound"
	codeThrottlingUser     errorCode = "Throttling.User"
	codeServiceUnavailable errorCode = "ServiceUnavailable"
	codeInternal           errorCode = "InternalError"
	codeForbidden          errorCode = "Forbidden.RAM"
	codeTokenMismatch      errorCode = "IdempotentParameterMismatch" //nolint:gosec // G101: it is no credential.
	codeTokenInProgress    errorCode = "LastTokenProcessing"

	// Regions and reading.
	codeRegionMissing      errorCode = "MissingParameter.RegionId"
	codeRegion             errorCode = "InvalidRegionId.NotFound"
	codeEmptyRegion        errorCode = "Unauthorized.EmptyRegion"
	codeAcceptLanguage     errorCode = "InvalidAcceptLanguage.NotFound"
	codeResourceType       errorCode = "InvalidResourceType.NotFound"
	codeNextToken          errorCode = "InValidParameter.NextToken"
	codeGroupType          errorCode = "InvalidParameter.SecurityGroupType"
	codeGroupID            errorCode = "InvalidSecurityGroupId.Malformed"
	codeGroupNotFound      errorCode = "InvalidSecurityGroupId.NotFound"
	codeGroupName          errorCode = "InvalidSecurityGroupName.Malformed"
	codeDryRun             errorCode = "DryRunOperation"
	codeAttributeParameter errorCode = "InvalidParamter"
	codeAttribute          errorCode = "InvalidParameter.AttributeNotSupported"
	codeNIC                errorCode = "InvalidNicType.ValueNotSupported"
	codePrefixListNotFound errorCode = "InvalidPrefixListId.NotFound"

	// Rules.
	codeProtocol          errorCode = "InvalidIpProtocol.ValueNotSupported"
	codePortsMissing      errorCode = "InvalidPortRange.Malformed"
	codePorts             errorCode = "InvalidIpPortRange.Malformed"
	codePortsMismatch     errorCode = "OperationDenied"
	codeSourcePorts       errorCode = "InvalidSourcePortRange.Malformed"
	codeDestMissing       errorCode = "MissingParameter.Dest"
	codeDestBoth          errorCode = "InvalidParam.DestIp"
	codeDestCIDR          errorCode = "InvalidDestCidrIp.Malformed"
	codeDestCIDR6         errorCode = "InvalidParam.Ipv6DestCidrIp"
	codeSourceBoth        errorCode = "InvalidParam.SourceIp"
	codeSourceCIDR        errorCode = "InvalidParam.SourceCidrIp"
	codeSourceCIDR6       errorCode = "InvalidParam.Ipv6SourceCidrIp"
	codeFamilies          errorCode = "InvalidParameter.Conflict"
	codeIPv4Protocol      errorCode = "InvalidParam.Ipv4ProtocolConflictWithIpv6Address"
	codeIPv6Protocol      errorCode = "InvalidParam.Ipv6ProtocolConflictWithIpv4Address"
	codePolicy            errorCode = "InvalidPolicy.Malformed"
	codePriority          errorCode = "InvalidPriority.Malformed"
	codePriorityRange     errorCode = "InvalidPriority.ValueNotSupported"
	codeNICMismatch       errorCode = "InvalidNicType.Mismatch"
	codeDescription       errorCode = "InvalidSecurityGroupDiscription.Malformed"
	codePermissions       errorCode = "InvalidParam.Permissions"
	codePermissionTwice   errorCode = "InvalidParam.DuplicatePermissions"
	codeRuleIDs           errorCode = "InvalidParam.SecurityGroupRuleId"
	codeRuleIDTwice       errorCode = "InvalidParam.SecurityGroupRuleIdRepeated"
	codeRuleNotExist      errorCode = "InvalidSecurityGroupRule.RuleNotExist"
	codeRuleNotFound      errorCode = "SecurityGroupRule.NotFound"
	codeRuleIDNotFound    errorCode = "InvalidSecurityGroupRuleId.NotFound"
	codeModifyNothing     errorCode = "InvalidParam.InvalidModifyRuleRequest"
	codeModifyKind        errorCode = "InvalidOperation.ModifySgRuleEntityType"
	codeModifyNIC         errorCode = "InvalidOperation.ModifyNicType"
	codeModifyTwice       errorCode = "InvalidOperation.RuleDuplicate"
	codeGroupInUse        errorCode = "DependencyViolation"
	codeSameGroup         errorCode = "InvalidSecurityGroup.IsSame"
	codeDestGroupNotFound errorCode = "InvalidDestGroupId.NotFound"
	codeDestGroupMismatch errorCode = "InvalidDestGroupId.Mismatch"
	codeEnterpriseGroup   errorCode = "InvalidGroupParameter.OperationDenied"
	codeClassicPrefixList errorCode = "NotSupported.ClassicNetworkPrefixList"
	codePrefixListFamily  errorCode = "InvalidParam.PrefixListAddressFamilyMismatch"
	codePortListProtocol  errorCode = "InvalidParam.ProtocolNotSupportPortRangeList"
	codePortListNotFound  errorCode = "InvalidPortRangeListId.NotFound"
	codeNetworkType       errorCode = "InvalidSecurityGroup.InvalidNetworkType"
	codeManaged           errorCode = "InvalidOperation.ResourceManagedByCloudProduct"
	codeRuleQuota         errorCode = "AuthorizationLimitExceed"
	codeGroupRuleQuota    errorCode = "AuthorizedGroupRule.LimitExceed"
	codeAssociationQuota  errorCode = "LimitExceed.PrefixListAssociationResource"
	codeVPCNotFound       errorCode = "InvalidVpcId.NotFound"

	// Tags.
	codeResourceTypeMissing errorCode = "MissingParameter.ResourceType"
	codeTagsMissing         errorCode = "MissingParameter.Tags"
	codeResourceIDs         errorCode = "NumberExceed.ResourceIds"
	codeTags                errorCode = "NumberExceed.Tags"
	codeTagTwice            errorCode = "Duplicate.TagKey"
	codeTagKey              errorCode = "InvalidTagKey.Malformed"
	codeTagValue            errorCode = "InvalidTagValue.Malformed"
	codeResourceNotFound    errorCode = "InvalidResourceId.NotFound"
	codeTagQuota            errorCode = "QuotaExceed.Tags"
)

// refusal is an error the server answers with. Status and message, if not set, come from the table of errors.
type refusal struct {
	code    errorCode
	status  int
	message string
}

func (r *refusal) Error() string { return string(r.code) + ": " + r.message }

func refuse(code errorCode) *refusal { return &refusal{code: code} }

func refusef(code errorCode, message string) *refusal { return &refusal{code: code, message: message} }

// missing is the refusal of a request without a parameter it needs.
func missing(name string) *refusal {
	return refusef(codeMissing,
		`The input parameter "`+name+`" that is mandatory for processing this request is not supplied.`)
}

// errorRow is what the documents say of a code.
type errorRow struct {
	status  int
	message string
}

// asRefusal completes an error from the table. What is no refusal is a mistake of the server itself.
func asRefusal(err error, table map[errorCode]errorRow) *refusal {
	found, ok := errors.AsType[*refusal](err)
	if !ok {
		found = refuse(codeInternal)
	}
	done := *found
	row := table[done.code]
	if done.status == 0 {
		done.status = row.status
	}
	if done.message == "" {
		done.message = row.message
	}
	return &done
}
