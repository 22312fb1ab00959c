package ecsemu

import "maps"

// errorTable gives status and message of every code. Where the documents give no message (%s), one is made up.
func errorTable() map[errorCode]errorRow {
	table := gatewayErrors()
	maps.Copy(table, readErrors())
	maps.Copy(table, ruleErrors())
	maps.Copy(table, tagErrors())
	return table
}

func gatewayErrors() map[errorCode]errorRow {
	return map[errorCode]errorRow{
		codeAccessKey:          {404, "Specified access key is not found."},
		codeSignature:          {400, "Specified signature is not matched with our calculation."},
		codeIncomplete:         {400, "The request signature does not conform to Aliyun standards."},
		codeSignatureMethod:    {400, "Specified signature method is not valid."},
		codeTimestampMissing:   {400, missing("Timestamp").message},
		codeTimestampFormat:    {400, "Specified time stamp or date value is not well formatted."},
		codeTimestampExpired:   {400, "Specified time stamp or date value is expired."},
		codeNonceUsed:          {400, "Specified signature nonce was used already."},
		codeMissing:            {400, "A mandatory parameter is not supplied."},
		codeParameter:          {400, "A specified parameter is not valid."},
		codeFormat:             {400, "The specified format is neither XML nor JSON."},
		codeOwner:              {400, "The parameters OwnerId and OwnerAccount cannot be specified together."},
		codeMethod:             {403, "This http method is not supported."},
		codeNoAPI:              {404, "Specified api is not found, please check your url and method."},
		codeThrottlingUser:     {400, "Request was denied due to user flow control."},
		codeServiceUnavailable: {503, "The request has failed due to a temporary failure of the server."},
		codeInternal:           {500, "The request processing has failed due to some unknown error."},
		codeForbidden: {
			403, "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
		},
		codeTokenMismatch:   {400, "The request is retried with updated parameters."},
		codeTokenInProgress: {403, "The last token request is processing."},
	}
}

func readErrors() map[errorCode]errorRow {
	return map[errorCode]errorRow{
		codeRegionMissing:      {400, missing("RegionId").message},
		codeRegion:             {404, "The specified RegionId does not exist."},
		codeEmptyRegion:        {403, "The account may not see any region."},
		codeAcceptLanguage:     {404, "The provided accept language does not exist in our records."},
		codeResourceType:       {404, "The ResourceType provided does not exist in our records."},
		codeNextToken:          {400, "The specified parameter NextToken is not valid."},
		codeGroupType:          {400, "The specified parameter SecurityGroupType is not valid."},
		codeGroupID:            {400, `The specified parameter "SecurityGroupId" is not valid.`},
		codeGroupNotFound:      {404, "The specified SecurityGroupId does not exist."},
		codeGroupName:          {400, "The specified parameter SecurityGroupName is not valid."},
		codeDryRun:             {400, "The request would have succeeded; it was a dry run."},
		codeAttributeParameter: {400, "A specified parameter is not valid."},
		codeAttribute:          {400, "The specified Attribute is not supported."},
		codeNIC:                {400, "The specified NicType does not exist."},
		codePrefixListNotFound: {404, "The specified prefix list was not found."},
	}
}

func ruleErrors() map[errorCode]errorRow {
	return map[errorCode]errorRow{
		codeProtocol: {
			400, "The parameter IpProtocol must be specified with case insensitive TCP, UDP, ICMP, GRE or All.",
		},
		codePortsMissing:      {400, "The parameter PortRange must be specified."},
		codePorts:             {400, `The specified parameter "PortRange" is not valid.`},
		codePortsMismatch:     {400, "The specified IpProtocol does not match the specified PortRange."},
		codeSourcePorts:       {400, `The specified parameter "SourcePortRange" is not valid.`},
		codeDestMissing:       {400, "One of the parameters DestCidrIp, DestGroupId or DestPrefixListId must be specified."},
		codeDestBoth:          {400, "The parameters DestCidrIp and Ipv6DestCidrIp cannot be specified together."},
		codeDestCIDR:          {400, "The specified parameter DestCidrIp is not valid."},
		codeDestCIDR6:         {400, "The specified parameter Ipv6DestCidrIp is not valid."},
		codeSourceBoth:        {400, "The parameters SourceCidrIp and Ipv6SourceCidrIp cannot be specified together."},
		codeSourceCIDR:        {400, "The specified parameter SourceCidrIp is not valid."},
		codeSourceCIDR6:       {400, "The specified parameter Ipv6SourceCidrIp is not valid."},
		codeFamilies:          {400, "The specified source and destination are not of one address family."},
		codeIPv4Protocol:      {400, "An IPv4 protocol cannot be specified with an IPv6 address."},
		codeIPv6Protocol:      {400, "An IPv6 protocol cannot be specified with an IPv4 address."},
		codePolicy:            {400, `The specified parameter "Policy" is not valid.`},
		codePriority:          {400, "The parameter Priority is invalid."},
		codePriorityRange:     {400, "The parameter Priority is invalid."},
		codeNICMismatch:       {403, "Specified nic type conflicts with the authorization record."},
		codeDescription:       {400, "The specified security group rule description is not valid."},
		codePermissions:       {400, "The parameter Permissions cannot coexist with other parameters or has too many elements."},
		codePermissionTwice:   {400, "The parameter Permissions holds the same permission twice."},
		codeRuleIDs:           {400, "The parameter SecurityGroupRuleId is not valid, or cannot coexist with other parameters."},
		codeRuleIDTwice:       {400, "The parameter SecurityGroupRuleId holds the same rule twice."},
		codeRuleNotExist:      {400, "The specified security group rule does not exist."},
		codeRuleNotFound:      {404, "The specified security group rule was not found."},
		codeRuleIDNotFound:    {404, "The specified SecurityGroupRuleId does not exist."},
		codeModifyNothing:     {400, "The request does not say what to change about the security group rule."},
		codeModifyKind:        {400, "The kind of the destination of a security group rule cannot be changed."},
		codeModifyNIC:         {400, "The NicType of a security group rule cannot be changed."},
		codeModifyTwice:       {400, "The security group has an equal rule already."},
		codeGroupInUse:        {403, "The security group is the destination of rules of other security groups."},
		codeSameGroup:         {403, "The authorized SecurityGroupId should be different from the DestGroupId."},
		codeDestGroupNotFound: {404, "The DestGroupId provided does not exist in our records."},
		codeDestGroupMismatch: {400, "Specified security group and destination group are not in the same VPC."},
		codeEnterpriseGroup:   {400, "The parameter DestGroupId cannot be specified for an enterprise security group."},
		codeClassicPrefixList: {400, "The prefix list is not supported when the network type of security group is classic."},
		codePrefixListFamily:  {400, "The address family of the prefix list does not match the other addresses."},
		codePortListProtocol:  {400, "The specified IpProtocol does not support a port list."},
		codePortListNotFound:  {400, "The specified port list was not found."},
		codeNetworkType:       {400, "The network type of the security group does not support this."},
		codeManaged:           {403, "The security group is managed by a cloud product and cannot be changed."},
		codeRuleQuota:         {403, "The limit of authorization records in the security group reaches."},
		codeGroupRuleQuota:    {400, "The number of rules with a group as their destination exceeds the limit."},
		codeAssociationQuota:  {403, "The number of security groups that use the prefix list exceeds the limit."},
		codeVPCNotFound:       {404, "The specified VpcId does not exist."},
	}
}

func tagErrors() map[errorCode]errorRow {
	return map[errorCode]errorRow{
		codeResourceTypeMissing: {404, "The parameter ResourceType must be specified."},
		codeTagsMissing:         {404, "The parameter Tag must be specified."},
		codeResourceIDs:         {400, "More than 50 resources are specified."},
		codeTags:                {400, "More than 20 tags are specified."},
		codeTagTwice:            {400, "A tag key is specified twice."},
		codeTagKey:              {400, "The specified tag key is not valid."},
		codeTagValue:            {400, "The specified tag value is not valid."},
		codeResourceNotFound:    {404, "The specified ResourceId does not exist."},
		codeTagQuota:            {403, "A resource would have more than 20 tags."},
	}
}
