package main

import (
	"fmt"
	"reflect"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/clients/golang/drive"
)

// typed gives the types of an action.
func typed(action string) (requests.AcsRequest, responses.AcsResponse) {
	switch action {
	case "AuthorizeSecurityGroup":
		return ecs.CreateAuthorizeSecurityGroupRequest(), ecs.CreateAuthorizeSecurityGroupResponse()
	case "AuthorizeSecurityGroupEgress":
		return ecs.CreateAuthorizeSecurityGroupEgressRequest(), ecs.CreateAuthorizeSecurityGroupEgressResponse()
	case "CreateSecurityGroup":
		return ecs.CreateCreateSecurityGroupRequest(), ecs.CreateCreateSecurityGroupResponse()
	case "DeleteSecurityGroup":
		return ecs.CreateDeleteSecurityGroupRequest(), ecs.CreateDeleteSecurityGroupResponse()
	case "DescribeSecurityGroupAttribute":
		return ecs.CreateDescribeSecurityGroupAttributeRequest(), ecs.CreateDescribeSecurityGroupAttributeResponse()
	case "DescribeSecurityGroups":
		return ecs.CreateDescribeSecurityGroupsRequest(), ecs.CreateDescribeSecurityGroupsResponse()
	case "ListTagResources":
		return ecs.CreateListTagResourcesRequest(), ecs.CreateListTagResourcesResponse()
	case "ModifySecurityGroupEgressRule":
		return ecs.CreateModifySecurityGroupEgressRuleRequest(), ecs.CreateModifySecurityGroupEgressRuleResponse()
	case "RevokeSecurityGroup":
		return ecs.CreateRevokeSecurityGroupRequest(), ecs.CreateRevokeSecurityGroupResponse()
	case "RevokeSecurityGroupEgress":
		return ecs.CreateRevokeSecurityGroupEgressRequest(), ecs.CreateRevokeSecurityGroupEgressResponse()
	case "TagResources":
		return ecs.CreateTagResourcesRequest(), ecs.CreateTagResourcesResponse()
	case "UntagResources":
		return ecs.CreateUntagResourcesRequest(), ecs.CreateUntagResourcesResponse()
	case "AssumeRole":
		return sts.CreateAssumeRoleRequest(), sts.CreateAssumeRoleResponse()
	case "GetCallerIdentity":
		return sts.CreateGetCallerIdentityRequest(), sts.CreateGetCallerIdentityResponse()
	}
	return nil, nil
}

// build makes a typed request.
func build(r *drive.Request) (requests.AcsRequest, responses.AcsResponse, error) {
	request, response := typed(r.Action)
	if request == nil {
		return nil, nil, fmt.Errorf("the action %s has no type here", r.Action)
	}
	fields := reflect.ValueOf(request).Elem()
	if r.Format != "" {
		fields.FieldByName("AcceptFormat").SetString(r.Format)
	}
	for name, value := range r.Parameters {
		// What the types are too old for goes into the query as it is.
		if !setField(fields, name, value) {
			request.GetQueryParams()[name] = fmt.Sprint(value)
		}
	}
	return request, response, nil
}

// setField sets the field of a parameter. It is false if there is none.
func setField(fields reflect.Value, name string, value any) bool {
	for i := range fields.NumField() {
		if fields.Type().Field(i).Tag.Get("name") == name {
			set(fields.Field(i), value)
			return true
		}
	}
	return false
}

// set sets a text, a list of texts or a list of structs, which is all that requests are made of.
func set(field reflect.Value, value any) {
	if field.Kind() == reflect.String {
		field.SetString(fmt.Sprint(value))
		return
	}
	elements, _ := value.([]any)
	list := reflect.MakeSlice(field.Type().Elem(), len(elements), len(elements))
	for i, element := range elements {
		parts, isStruct := element.(map[string]any)
		if !isStruct {
			list.Index(i).SetString(fmt.Sprint(element))
			continue
		}
		for name, part := range parts {
			setField(list.Index(i), name, part)
		}
	}
	field.Set(reflect.New(field.Type().Elem()))
	field.Elem().Set(list)
}
