//go:build clients

package clients_test

import (
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func tags() story {
	of := func(p params) params {
		p["ResourceType"], p["ResourceId"] = "securitygroup", []any{"$tagged"}
		return p
	}
	all := listing{
		action: "ListTagResources", params: of(params{}), outer: "TagResources", inner: "TagResource",
		show: []string{"TagKey", "TagValue"},
	}
	byTag := func(value string) listing {
		l := groupsOf("tagged")
		l.params = params{"Tag": []any{params{"Key": "key (中*)", "Value": value}}}
		l.show = []string{"SecurityGroupId"}
		return l
	}
	return story{name: "a group is tagged", steps: []step{
		create("tagged"),
		{
			name: "tags are set", action: "TagResources",
			params: of(params{"Tag": []any{params{"Key": "key (中*)", "Value": "v 1+1"}, params{"Key": "b", "Value": "2"}}}),
			then: []func(*walk){
				sees(all, "TagKey=b TagValue=2", "TagKey=key (中*) TagValue=v 1+1"),
				sees(byTag("v 1+1"), "SecurityGroupId=$tagged"), sees(byTag("other")),
			},
		},
		{
			name: "a tag is set anew", action: "TagResources", params: of(params{"Tag": []any{params{"Key": "b", "Value": "3"}}}),
			then: []func(*walk){sees(all, "TagKey=b TagValue=3", "TagKey=key (中*) TagValue=v 1+1")},
		},
		{
			name: "the cloud's own keys are refused", action: "TagResources",
			params: of(params{"Tag": []any{params{"Key": "acs:x", "Value": "1"}}}), status: 400, code: "InvalidTagKey.Malformed",
		},
		{
			name: "a tag is removed", action: "UntagResources", params: of(params{"TagKey": []any{"key (中*)"}}),
			then: []func(*walk){sees(all, "TagKey=b TagValue=3")},
		},
		{
			name: "all tags are removed", action: "UntagResources", params: of(params{"All": true}),
			then: []func(*walk){sees(all)},
		},
	}}
}

func references() story {
	rule := params{"IpProtocol": "tcp", "PortRange": "1/1", "DestGroupId": "$target", "SecurityGroupId": "$from"}
	return story{name: "a group that rules lead to stays", steps: []step{
		create("target"), create("from"),
		{name: "a rule leads to a group", action: "AuthorizeSecurityGroupEgress", params: rule},
		{
			name: "it cannot be deleted", action: "DeleteSecurityGroup", params: params{"SecurityGroupId": "$target"},
			status: 403, code: "DependencyViolation",
			then: []func(*walk){
				sees(groupsOf("target"), "SecurityGroupId=$target SecurityGroupType=normal VpcId=vpc-clients"),
			},
		},
		revoke("the rule is revoked", "$from", rule),
		{
			name: "then it can be deleted", action: "DeleteSecurityGroup", params: params{"SecurityGroupId": "$target"},
			then: []func(*walk){sees(groupsOf("target"))},
		},
	}}
}

func keys() story {
	attempt := func(name, as string, before func(*walk), status int, code string) step {
		return step{
			name: name, as: as, before: before, action: "AuthorizeSecurityGroupEgress",
			params: params{"SecurityGroupId": "$signed", "Permissions": []any{tcp(1)}}, status: status, code: code,
			then: []func(*walk){clock(0), sees(rulesOf("$signed"))},
		}
	}
	return story{name: "only who has the key may call", steps: []step{
		create("signed"),
		attempt("a wrong secret is refused", "wrong secret", nil, 400, wrongSecret),
		attempt("an unknown key is refused", "unknown key", nil, 404, "InvalidAccessKeyId.NotFound"),
		attempt("a disabled key is refused", "disabled key", nil, 400, "InvalidAccessKeyId.Inactive"),
		attempt("a clock that is late is refused", "", clock(16*time.Minute), 400, "InvalidTimeStamp.Expired"),
		attempt("a clock that is early is refused", "", clock(-16*time.Minute), 400, "InvalidTimeStamp.Expired"),
		{
			name: "clocks may differ a little", before: clock(10 * time.Minute), action: "GetCallerIdentity",
			then: []func(*walk){clock(0), has("AccountId", account), has("Arn", "acs:ram::"+account+":root")},
		},
		{
			name: "the right one may", action: "AuthorizeSecurityGroupEgress",
			params: params{"SecurityGroupId": "$signed", "Permissions": []any{tcp(1)}},
			then:   []func(*walk){sees(rulesOf("$signed"), shown(1))},
		},
	}}
}

// assume is a step that begins a session of the role.
func assume(name, external, policy string) step {
	p := params{"RoleArn": "acs:ram::" + account + ":role/janitor", "RoleSessionName": "story", "DurationSeconds": 900}
	if external != "" {
		p["ExternalId"] = external
	}
	if policy != "" {
		p["Policy"] = policy
	}
	return step{
		name: name, as: "operator", action: "AssumeRole", params: p,
		keep: []string{
			"key=Credentials.AccessKeyId", "secret=Credentials.AccessKeySecret", "token=Credentials.SecurityToken",
		},
	}
}

func roles() story {
	authorize := step{
		name: "a session acts as its role", as: "session", action: "AuthorizeSecurityGroupEgress",
		params: params{"SecurityGroupId": "$assumed", "Permissions": []any{tcp(1)}},
		then:   []func(*walk){sees(rulesOf("$assumed"), shown(1))},
	}
	refused := func(s step, name, as string, status int, code string) step {
		s.name, s.as, s.status, s.code, s.keep = name, as, status, code, nil
		return s
	}
	first := assume("a role is assumed", "clients", "")
	first.then = []func(*walk){
		has("AssumedRoleUser.Arn", "acs:ram::"+account+":role/janitor/story"),
		func(w *walk) { w.kept["othertoken"] = w.kept["token"] },
	}
	// Clocks may differ by a quarter of an hour, and a session lasts no less: it begins with one difference and ends with
	// the other.
	brief := assume("a session begins", "clients", "")
	brief.before = clock(-10 * time.Minute)
	late := refused(authorize, "a session ends", "session", 400, "InvalidSecurityToken.Expired")
	late.before, late.then = clock(10*time.Minute), []func(*walk){clock(0)}
	return story{name: "a role is assumed", steps: []step{
		create("assumed"),
		refused(assume("", "", ""), "not without the external ID", "operator", 403, "NoPermission"),
		refused(assume("", "guessed", ""), "nor with another one", "operator", 403, "NoPermission"),
		refused(assume("", "clients", ""), "nor by who may not", "reader", 403, "NoPermission"),
		refused(assume("", "clients", "{"), "nor with a policy that is none", "operator", 400, "InvalidParameter.PolicyGrammar"),
		first, authorize,
		{
			name: "a session is its role's", as: "session", action: "GetCallerIdentity",
			then: []func(*walk){has("AccountId", account), has("Arn", "acs:ram::"+account+":assumed-role/janitor/story")},
		},
		refused(authorize, "its key is nothing without its token", "no token", 400, "MissingSecurityToken"),
		assume("a session is limited by a policy", "clients", allow("ecs:Describe*")),
		refused(authorize, "it may do no more than that", "session", 403, "Forbidden.RAM"),
		refused(authorize, "tokens are not exchanged", "other token", 400, "InvalidSecurityToken.MismatchWithAccessKey"),
		{
			name: "it may do that", as: "session", action: "DescribeSecurityGroupAttribute",
			params: params{"SecurityGroupId": "$assumed"}, then: []func(*walk){has("SecurityGroupId", "$assumed")},
		},
		brief, late,
	}}
}

func denials() story {
	return story{name: "what is denied says so", steps: []step{
		create("denied"), fill("$denied", 1),
		{
			name: "reading is allowed", as: "reader", action: "DescribeSecurityGroupAttribute",
			params: params{"SecurityGroupId": "$denied"}, then: []func(*walk){has("SecurityGroupId", "$denied")},
		},
		{
			name: "revoking is not", as: "reader", action: "RevokeSecurityGroupEgress",
			params: params{"SecurityGroupId": "$denied", "Permissions": []any{tcp(1)}}, status: 403, code: "Forbidden.RAM",
			then: []func(*walk){sees(rulesOf("$denied"), shown(1))},
		},
	}}
}

func throttling() story {
	slow := step{
		name: "too many calls are refused, with how long to wait", action: "DescribeSecurityGroups",
		before: fault(ecsemu.Fault{Kind: ecsemu.FaultThrottle, Action: "DescribeSecurityGroups"}),
		status: 400, code: "Throttling.User",
	}
	slow.then = []func(*walk){func(w *walk) {
		w.Helper()
		if !strings.HasSuffix(w.last.Type, w.client.throttled) {
			w.Errorf("got the type %s, want %s", w.last.Type, w.client.throttled)
		}
		if w.client.waits && (w.last.Wait <= 0 || w.last.Wait > 60_000) {
			w.Errorf("got a wait of %d ms, want one of at most a minute", w.last.Wait)
		}
	}}
	return story{name: "a client that is throttled is told", steps: []step{
		slow, {name: "afterwards it goes on", action: "DescribeSecurityGroups"},
	}}
}
