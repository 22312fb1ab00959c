package wire

import "maps"

// Table gives status and message of every code. Where the documents give no message (%s), one is made up.
func Table() Errors {
	table := gatewayErrors()
	maps.Copy(table, readErrors())
	maps.Copy(table, ruleErrors())
	maps.Copy(table, directedRuleErrors())
	maps.Copy(table, roleErrors())
	maps.Copy(table, tagErrors())
	maps.Copy(table, groupErrors())
	maps.Copy(table, listErrors())
	return table
}

func gatewayErrors() Errors {
	return Errors{
		CodeAccessKey:    {404, "Specified access key is not found."},
		CodeKeyInactive:  {400, "Specified access key is disabled."},
		CodeTokenMissing: {400, "SecurityToken is mandatory for this action."},
		// Of the next three, the codes are known, and neither messages nor status.
		CodeTokenMalformed:     {400, "Specified SecurityToken is malformed."},
		CodeTokenWrong:         {400, "Specified SecurityToken mismatch with the AccessKey."},
		CodeTokenExpired:       {400, "Specified SecurityToken is expired."},
		CodeNeedSSL:            {404, "Your request is denied as lack of ssl protect."},
		CodeSignature:          {400, "Specified signature is not matched with our calculation."},
		CodeIncomplete:         {400, "The request signature does not conform to Aliyun standards."},
		CodeSignatureMethod:    {400, "Specified signature method is not valid."},
		CodeTimestampMissing:   {400, Missing("Timestamp").Message},
		CodeTimestampFormat:    {400, "Specified time stamp or date value is not well formatted."},
		CodeTimestampExpired:   {400, "Specified time stamp or date value is expired."},
		CodeNonceUsed:          {400, "Specified signature nonce was used already."},
		CodeMissing:            {400, "A mandatory parameter is not supplied."},
		CodeParameter:          {400, "A specified parameter is not valid."},
		CodeFormat:             {400, "The specified format is neither XML nor JSON."},
		CodeOwner:              {400, "The parameters OwnerId and OwnerAccount cannot be specified together."},
		CodeMethod:             {403, "This http method is not supported."},
		CodeNoAPI:              {404, "Specified api is not found, please check your url and method."},
		CodeThrottlingUser:     {400, "Request was denied due to user flow control."},
		CodeThrottlingAPI:      {400, "Request was denied due to api flow control."},
		CodeThrottling:         {400, "Request was denied due to request throttling."},
		CodeConflict:           {409, "Request was denied due to conflict with a previous request."},
		CodeServiceUnavailable: {503, "The request has failed due to a temporary failure of the server."},
		CodeInternal:           {500, "The request processing has failed due to some unknown error."},
		CodeForbidden: {
			403, "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
		},
		CodeTokenMismatch:   {400, "The request is retried with updated parameters."},
		CodeTokenInProgress: {403, "The last token request is processing."},
	}
}

func readErrors() Errors {
	return Errors{
		CodeRegionMissing:      {400, Missing("RegionId").Message},
		CodeRegion:             {404, "The specified RegionId does not exist."},
		CodeEmptyRegion:        {403, "The account may not see any region."},
		CodeAcceptLanguage:     {404, "The provided accept language does not exist in our records."},
		CodeResourceType:       {404, "The ResourceType provided does not exist in our records."},
		CodeNextToken:          {400, "The parameter NextToken is invalid."},
		CodeGroupType:          {400, "The specified SecurityGroupType is not valid."},
		CodeGroupID:            {400, `The specified parameter "SecurityGroupId" is not valid.`},
		CodeGroupNotFound:      {404, "The specified SecurityGroupId does not exist."},
		CodeGroupName:          {400, "The specified parameter SecurityGroupName is not valid."},
		CodeDryRun:             {400, "The request would have succeeded; it was a dry run."},
		CodeAttributeParameter: {400, "A specified parameter is not valid."},
		CodeAttribute:          {400, "The specified Attribute is not supported."},
		CodeNIC:                {400, "The specified NicType does not exist."},
		CodePrefixListNotFound: {404, "The specified prefix list was not found."},
	}
}

func ruleErrors() Errors {
	return Errors{
		CodeProtocol: {
			400, "The parameter IpProtocol must be specified with case insensitive TCP, UDP, ICMP, GRE or All.",
		},
		CodePortsMissing:      {400, "The specified parameter PortRange must set."},
		CodePorts:             {400, `The specified parameter "PortRange" is not valid.`},
		CodePortsMismatch:     {400, "The specified IpProtocol does not exist or IpProtocol and PortRange do not match."},
		CodeSourcePorts:       {400, `The specified parameter "SourcePortRange" is not valid.`},
		CodeDestMissing:       {400, "One of the parameters DestCidrIp, DestGroupId or DestPrefixListId must be specified."},
		CodeDestBoth:          {400, "The parameters DestCidrIp and Ipv6DestCidrIp cannot be specified together."},
		CodeDestCIDR:          {400, `The specified parameter "DestCidrIp" is not valid.`},
		CodeDestCIDR6:         {400, "The specified parameter Ipv6DestCidrIp is not valid."},
		CodeSourceBoth:        {400, "The parameters SourceCidrIp and Ipv6SourceCidrIp cannot be specified together."},
		CodeSourceCIDR:        {400, "The specified param SourceCidrIp is not valid."},
		CodeSourceCIDR6:       {400, "The specified parameter Ipv6SourceCidrIp is not valid."},
		CodeFamilies:          {400, "IPv6 and IPv4 addresses cannot exist at the same time."},
		CodeIPv4Protocol:      {400, "IPv6 address cannot be specified for IPv4-specific protocol."},
		CodeIPv6Protocol:      {400, "IPv4 address cannot be specified for IPv6-specific protocol."},
		CodePolicy:            {400, `The specified parameter "Policy" is not valid.`},
		CodePriority:          {400, "The parameter Priority is invalid."},
		CodePriorityRange:     {400, "The parameter Priority is invalid."},
		CodeNICMismatch:       {403, "Specified nic type conflicts with the authorization record."},
		CodeDescription:       {400, "The specified security group rule description is not valid."},
		CodePermissions:       {400, "The specified parameter Permissions cannot coexist with other parameters."},
		CodePermissionTwice:   {400, "There are duplicate permissions in the specified parameter Permissions."},
		CodeRuleIDs:           {400, "The specified parameter SecurityGroupRuleId is not valid."},
		CodeRuleIDTwice:       {400, "The specified parameter SecurityGroupRuleId is repeated."},
		CodeRuleNotExist:      {400, "The specified rule does not exist."},
		CodeRuleNotFound:      {404, "The target security group rule not exist."},
		CodeRuleIDNotFound:    {404, "The specified SecurityGroupRuleId is not exists."},
		CodeModifyNothing:     {400, "The request parameters are illegal."},
		CodeModifyKind:        {400, "The source or destination type of the rules cannot be modified."},
		CodeModifyNIC:         {400, "NicType is not allowed to modify."},
		CodeModifyTwice:       {400, "The security group has an equal rule already."},
		CodeGroupInUse:        {403, "The specified security group has been authorized in another one."},
		CodeSameGroup:         {403, "The authorized SecurityGroupId should be different from the DestGroupId."},
		CodeDestGroupNotFound: {404, "The DestGroupId provided does not exist in our records."},
		CodeDestGroupMismatch: {400, "Specified security group and destination group are not in the same VPC."},
		CodeEnterpriseGroup: {400, "The attributes Policy, SourceGroupId, DestGroupId of enterprise level security groups " +
			"are not allowed to be set or modified."},
		CodeClassicPrefixList: {400, "The prefix list is not supported when the network type of security group is classic."},
		CodePrefixListFamily:  {400, "The address family of the prefix list does not match the rule."},
		CodePortListProtocol:  {400, "The specified protocol does not support the port range list."},
		CodePortListNotFound:  {400, "The specified port range list was not found."},
		CodeNetworkType: {400, "The specified security group network type is not support this operation, please check the " +
			"security group network types. For VPC security groups, ClassicLink must be enabled."},
		CodeManaged:   {403, "The security group is managed by a cloud product and cannot be changed."},
		CodeRuleQuota: {403, "The limit of authorization records in the security group reaches."},
		CodeGroupRuleQuota: {400, "You have reached the limit on the number of group authorization rules that you can add " +
			"to a security group.When authorization object of rule is security group, the limit is 20."},
		CodeAssociationQuota: {403, "The number of resources associated with the prefix list exceeds the limit."},
		CodeVPCNotFound:      {404, "Specified VPC does not exist."},
	}
}

func roleErrors() Errors {
	return Errors{
		CodeNoPermission:    {403, "You are not authorized to do this action. You should be authorized by RAM."},
		CodeRoleMissing:     {400, "RoleArn is mandatory for this action."},
		CodeSessionMissing:  {400, "RoleSessionName is mandatory for this action."},
		CodeRoleARN:         {400, "The parameter RoleArn is wrongly formed."},
		CodeRoleNotFound:    {404, "The role not exists."},
		CodeSessionName:     {400, "The parameter RoleSessionName is wrongly formed."},
		CodeSessionDuration: {400, "The Min/Max value of DurationSeconds is 15min/1hr."},
		CodeExternalID:      {400, "The parameter ExternalId is wrongly formed."},
		CodePolicyGrammar:   {400, "The parameter Policy has not passed grammar check."},
	}
}

func tagErrors() Errors {
	return Errors{
		CodeResourceTypeMissing: {404, "The parameter - ResourceType should not be null"},
		CodeTagsMissing:         {404, "The parameter - Tags should not be null"},
		CodeResourceIDs:         {400, "The ResourceIds parameter's number is exceed , Valid : 50"},
		CodeTags:                {400, "The Tags parameter's number is exceed , Valid : 20"},
		CodeTagTwice:            {400, "The Tag.N.Key contain duplicate key."},
		CodeTagKey:              {400, "The specified Tag.n.Key is not valid."},
		CodeTagValue:            {400, "The specified Tag.n.Value is not valid."},
		CodeResourceNotFound:    {404, "The specified ResourceIds are not found in our records."},
		CodeTagQuota:            {403, "A resource would have more than 20 tags."},
		CodeTagWithoutKey:       {400, "The Tag.N.Value is specified without its Tag.N.Key."},
	}
}

func groupErrors() Errors {
	return Errors{
		CodePageNumbers: {
			400, "The parameters PageNumber and PageSize are currently not supported, " +
				"please use NextToken and MaxResults instead.",
		},
		CodeGroupQuota:        {403, "The maximum number of security groups is reached."},
		CodeNewGroupType:      {400, "The specified security group type is not valid."},
		CodeNewGroupNetwork:   {400, "Only VPC instance supports enterprise level security group."},
		CodeResourceGroup:     {404, "The ResourceGroup provided does not exist in our records."},
		CodeSameResourceGroup: {403, "The ResourceId provided has a ResourceGroup in our records."},
		CodeInnerAccess: {
			404, "The InnerAccessPolicy attribute of enterprise level security group can't be modified.",
		},
		CodePolicyRegion: {400, "The RegionId should not be null."},
	}
}

func listErrors() Errors {
	return Errors{
		CodeAddressFamily:   {400, "The parameter AddressFamily should be IPv4 or IPv6."},
		CodePrefixListName:  {400, "The parameter PrefixListName is not valid."},
		CodeListDescription: {400, "The specified Description is wrongly formed."},
		CodeEntryMalformed:  {400, "The specified CIDR block is not valid."},
		CodeEntryTwice:      {400, "The specified CIDR block is duplicated."},
		CodeEntryCount:      {400, "The number of entries added or removed exceeds the limit."},
		CodeMaxEntries:      {400, "The number of entries exceeds the MaxEntries of the specified prefix list."},
		CodePrefixListQuota: {404, "The number of prefix lists in the region exceeds the limit."},
		CodePrefixListIDs:   {400, "The specified number of PrefixListId exceeds the limit."},
		CodePrefixListInUse: {400, "The specified prefix list has associated resources."},
		CodePortListName:    {400, "The specified parameter PortRangeListName is not valid."},
		CodePortEntryMalformed: {
			400, "The specified parameter PortRange is not valid. " +
				"It should be two integers less than 65535 in specified format.",
		},
		CodePortEntryTwice:     {400, "The specified PortRange is duplicated."},
		CodePortListEntry:      {400, "The specified parameter Entry is not valid."},
		CodePortListSize:       {400, "The specified MaxEntries exceeded the upper limit."},
		CodePortListMaxEntries: {400, "The number of entries in the port list exceeds MaxEntries."},
		CodePortListQuota:      {400, "The number of port range list in the current account has exceeded quota."},
		CodePortListIDs:        {400, "The specified number of PortRangeListId exceeds the limit."},
		CodePortListInUse:      {400, "The specified port range list has association resources."},
	}
}

// directedRuleErrors are those of rules that only one direction, form or operation has.
func directedRuleErrors() Errors {
	return Errors{
		CodePortRange: {
			400, "The specified parameter is not valid. It should be two integers less than 65535 in ?/? format.",
		},
		CodePortsOrProtocol: {400, `The specified parameter "PortRange" is not valid.`},
		CodeListedDestCIDR:  {400, "The specified parameter DestCidrIp is invalid."},
		CodePeerSourceCIDR:  {400, `The specified parameter "SourceCidrIp" is not valid.`},
		CodeListedCIDR6:     {400, "The specified Ipv6CidrIp is not valid."},
		CodeIllegalCIDR6:    {400, "The specified IPv6 address is not valid."},
		CodeSourceMissing: {
			400, "One of the parameters SourceCidrIp, SourceGroupId or SourcePrefixListId must be specified.",
		},
		CodeSourceGroupMismatch:   {400, "Specified security group and source group are not in the same VPC."},
		CodeSourceGroupNotFound:   {404, "The SourceGroupId provided does not exist in our records."},
		CodeForeignDestNotFound:   {400, "Specified destination security group does not exist."},
		CodeForeignSourceNotFound: {400, "Specified source security group does not exist."},
		CodeGroupConflict:         {403, "The specified SecurityGroupId should be different from the SourceGroupId."},
		CodeNetworkConflict: {
			403, "The specified SecurityGroup network type should be same with SourceGroup network type (vpc or classic).",
		},
		CodeNetworkMismatch: {
			403, "The specified SecurityGroup network type should be same with SourceGroup network type (vpc or classic).",
		},
		CodeEnterprisePeer:    {400, "The security group can not authorize to enterprise level security group."},
		CodeGroupItemNotFound: {403, "Specified group authorized item does not exist in our records."},
		CodeModifyPorts:       {400, "The specified Protocol and PortRange do not match."},
		CodeModifyFamily:      {400, "The specified Protocol and address family do not match."},
		CodeModifyDirection: {
			400, "The specified SourceGroupId or DestGroupId does not match the direction of the rule.",
		},
		CodeModifyPortKind: {400, "The PortRange type is not allowed to be modified. You cannot modify a rule from using " +
			"the port list to not using it, and vice versa."},
		CodeDestCIDRMisspelt: {400, `The specified parameter "DestCidrIp" is not valid.`},
		CodeVPCDisabled:      {400, "Can't use the SecurityGroup in VPC."},
		CodeGrayFunction:     {404, "The prefix list is a gray-scale function, not currently supported."},
		CodeNotAuthorized:    {401, "The specified security group is not authorized to operate."},
		CodeGressFlow: {
			500, "The specified parameter GressFlow is not valid,it cause by internal,try calling again.",
		},
	}
}
