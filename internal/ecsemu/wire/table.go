package wire

import "maps"

// Table gives status and message of every code. Where the documents give no message (%s), one is made up.
func Table() Errors {
	table := gatewayErrors()
	maps.Copy(table, readErrors())
	maps.Copy(table, ruleErrors())
	maps.Copy(table, tagErrors())
	return table
}

func gatewayErrors() Errors {
	return Errors{
		CodeAccessKey:          {404, "Specified access key is not found."},
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
		CodeNextToken:          {400, "The specified parameter NextToken is not valid."},
		CodeGroupType:          {400, "The specified parameter SecurityGroupType is not valid."},
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
		CodePortsMissing:      {400, "The parameter PortRange must be specified."},
		CodePorts:             {400, `The specified parameter "PortRange" is not valid.`},
		CodePortsMismatch:     {400, "The specified IpProtocol does not match the specified PortRange."},
		CodeSourcePorts:       {400, `The specified parameter "SourcePortRange" is not valid.`},
		CodeDestMissing:       {400, "One of the parameters DestCidrIp, DestGroupId or DestPrefixListId must be specified."},
		CodeDestBoth:          {400, "The parameters DestCidrIp and Ipv6DestCidrIp cannot be specified together."},
		CodeDestCIDR:          {400, "The specified parameter DestCidrIp is not valid."},
		CodeDestCIDR6:         {400, "The specified parameter Ipv6DestCidrIp is not valid."},
		CodeSourceBoth:        {400, "The parameters SourceCidrIp and Ipv6SourceCidrIp cannot be specified together."},
		CodeSourceCIDR:        {400, "The specified parameter SourceCidrIp is not valid."},
		CodeSourceCIDR6:       {400, "The specified parameter Ipv6SourceCidrIp is not valid."},
		CodeFamilies:          {400, "The specified source and destination are not of one address family."},
		CodeIPv4Protocol:      {400, "An IPv4 protocol cannot be specified with an IPv6 address."},
		CodeIPv6Protocol:      {400, "An IPv6 protocol cannot be specified with an IPv4 address."},
		CodePolicy:            {400, `The specified parameter "Policy" is not valid.`},
		CodePriority:          {400, "The parameter Priority is invalid."},
		CodePriorityRange:     {400, "The parameter Priority is invalid."},
		CodeNICMismatch:       {403, "Specified nic type conflicts with the authorization record."},
		CodeDescription:       {400, "The specified security group rule description is not valid."},
		CodePermissions:       {400, "The parameter Permissions cannot coexist with other parameters or has too many elements."},
		CodePermissionTwice:   {400, "The parameter Permissions holds the same permission twice."},
		CodeRuleIDs:           {400, "The parameter SecurityGroupRuleId is not valid, or cannot coexist with other parameters."},
		CodeRuleIDTwice:       {400, "The parameter SecurityGroupRuleId holds the same rule twice."},
		CodeRuleNotExist:      {400, "The specified security group rule does not exist."},
		CodeRuleNotFound:      {404, "The specified security group rule was not found."},
		CodeRuleIDNotFound:    {404, "The specified SecurityGroupRuleId does not exist."},
		CodeModifyNothing:     {400, "The request does not say what to change about the security group rule."},
		CodeModifyKind:        {400, "The kind of the destination of a security group rule cannot be changed."},
		CodeModifyNIC:         {400, "The NicType of a security group rule cannot be changed."},
		CodeModifyTwice:       {400, "The security group has an equal rule already."},
		CodeGroupInUse:        {403, "The security group is the destination of rules of other security groups."},
		CodeSameGroup:         {403, "The authorized SecurityGroupId should be different from the DestGroupId."},
		CodeDestGroupNotFound: {404, "The DestGroupId provided does not exist in our records."},
		CodeDestGroupMismatch: {400, "Specified security group and destination group are not in the same VPC."},
		CodeEnterpriseGroup:   {400, "The parameter DestGroupId cannot be specified for an enterprise security group."},
		CodeClassicPrefixList: {400, "The prefix list is not supported when the network type of security group is classic."},
		CodePrefixListFamily:  {400, "The address family of the prefix list does not match the other addresses."},
		CodePortListProtocol:  {400, "The specified IpProtocol does not support a port list."},
		CodePortListNotFound:  {400, "The specified port list was not found."},
		CodeNetworkType:       {400, "The network type of the security group does not support this."},
		CodeManaged:           {403, "The security group is managed by a cloud product and cannot be changed."},
		CodeRuleQuota:         {403, "The limit of authorization records in the security group reaches."},
		CodeGroupRuleQuota:    {400, "The number of rules with a group as their destination exceeds the limit."},
		CodeAssociationQuota:  {403, "The number of security groups that use the prefix list exceeds the limit."},
		CodeVPCNotFound:       {404, "The specified VpcId does not exist."},
	}
}

func tagErrors() Errors {
	return Errors{
		CodeResourceTypeMissing: {404, "The parameter ResourceType must be specified."},
		CodeTagsMissing:         {404, "The parameter Tag must be specified."},
		CodeResourceIDs:         {400, "More than 50 resources are specified."},
		CodeTags:                {400, "More than 20 tags are specified."},
		CodeTagTwice:            {400, "A tag key is specified twice."},
		CodeTagKey:              {400, "The specified tag key is not valid."},
		CodeTagValue:            {400, "The specified tag value is not valid."},
		CodeResourceNotFound:    {404, "The specified ResourceId does not exist."},
		CodeTagQuota:            {403, "A resource would have more than 20 tags."},
	}
}
