package ecsemu_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

func arnOfRole(account, name string) string { return "acs:ram::" + account + ":role/" + name }

// assuming are the parameters of AssumeRole.
func assuming(role string, more ...string) url.Values {
	return with(params("RoleArn", role, "RoleSessionName", "night-run"), more...)
}

// startRoles serves users who may assume roles, and roles of all sorts.
func startRoles(t *testing.T, opts ...func(*ecsemu.Options)) *ecsemu.Running {
	t.Helper()
	mayAssume := policy(allow("sts:AssumeRole", "*"))
	everybody := trust(`["acs:ram::` + homeAccount + `:root"]`)
	role := func(name, trusted string, policies ...string) cloud.Role {
		return cloud.Role{Name: name, Trust: trusted, Policies: policies}
	}
	roles := []cloud.Role{
		role("reader", everybody, policy(allow("ecs:Describe*", "*"))),
		role("chain", everybody, policy(allow("*", "*"))),
		role("trusting", trust(`["acs:ram::`+homeAccount+`:user/only","acs:ram::`+homeAccount+`:role/chain"]`), policy(allow("*", "*"))),
		role("secret", policy(when(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::`+homeAccount+`:root"]}}`,
			`{"StringEquals":{"sts:ExternalId":"open-sesame"}}`)), policy(allow("*", "*"))),
		{Name: "short", Trust: everybody, MaxSession: 30 * time.Minute},
		{Name: "long", Trust: everybody, MaxSession: 12 * time.Hour},
	}
	return startPeople(t, []cloud.User{
		user("ann", mayAssume), user("only", mayAssume), user("nobody"),
		user("narrow", policy(allow("sts:AssumeRole", arnOfRole(homeAccount, "reader")))),
	}, roles, opts...)
}

func TestASessionMayDoWhatItsRoleMay(t *testing.T) {
	r := startRoles(t)
	assumed := as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "reader")))
	credentials, _ := assumed.body["Credentials"].(map[string]any)
	if key, _ := credentials["AccessKeyId"].(string); !strings.HasPrefix(key, "STS.") {
		t.Errorf("got key %q, want one that begins with STS.", key)
	}
	if got, want := credentials["Expiration"], "2026-03-01T13:00:30Z"; got != want {
		t.Errorf("the session expires at %v, want %s", got, want)
	}
	session := as(r, "ann").session(assumed)
	for _, scheme := range []acs.Scheme{acs.RPC, acs.ACS3} {
		session := session.in(scheme)
		session.must(t, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou"))
		denied := session.call(t, "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web"))
		checkDenied(t, denied, "ImplicitDeny")
		detail, _ := denied.body["AccessDeniedDetail"].(map[string]any)
		want := map[string]any{
			"AuthAction": "ecs:DeleteSecurityGroup", "AuthPrincipalType": "AssumedRoleUser", "AuthPrincipalOwnerId": homeAccount,
			"AuthPrincipalDisplayName": "reader:night-run", "NoPermissionType": "ImplicitDeny",
			"PolicyType": "AccountLevelIdentityBasedPolicy",
		}
		if diff := cmp.Diff(want, detail); diff != "" {
			t.Errorf("detail (-want +got):\n%s", diff)
		}
	}
}

func TestCallerIdentityOfASession(t *testing.T) {
	r := startRoles(t)
	assumed := as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "reader")))
	assumedUser, _ := assumed.body["AssumedRoleUser"].(map[string]any)
	got := as(r, "ann").session(assumed).must(t, "GetCallerIdentity", nil).body
	delete(got, "RequestId")
	role, _ := got["RoleId"].(string)
	want := map[string]any{
		"AccountId": homeAccount, "RoleId": role, "PrincipalId": role + ":night-run", "IdentityType": "AssumedRoleUser",
		"Arn": "acs:ram::" + homeAccount + ":assumed-role/reader/night-run",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(role) != 18 {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	wantUser := map[string]any{
		"AssumedRoleId": role + ":night-run", "Arn": "acs:ram::" + homeAccount + ":role/reader/night-run",
	}
	if diff := cmp.Diff(wantUser, assumedUser); diff != "" {
		t.Errorf("AssumedRoleUser (-want +got):\n%s", diff)
	}
}

func TestRefusedAssumptions(t *testing.T) {
	r := startRoles(t)
	reader, guest := arnOfRole(homeAccount, "reader"), arnOfRole(otherAccount, "guest")
	good := policy(allow("*", "*"))
	for _, test := range []struct {
		name, user string
		business   url.Values
		status     int
		code       string
	}{
		{"the account itself", ecsemu.DefaultKeyID, assuming(reader), 403, "NoPermission"},
		{"a user without a grant", "nobody", assuming(reader), 403, "NoPermission"},
		{"a user with a grant for that role", "narrow", assuming(reader), 200, ""},
		{"a user with a grant for another role", "narrow", assuming(guest), 403, "NoPermission"},
		{"a user without a grant is not told that there is no such role", "nobody", assuming(arnOfRole("7", "none")), 403, "NoPermission"},
		{"no such role", "ann", assuming(arnOfRole(homeAccount, "none")), 404, "EntityNotExist.Role"},
		{"no such account", "ann", assuming(arnOfRole("7", "none")), 404, "EntityNotExist.Role"},
		{"a user that is not trusted", "ann", assuming(arnOfRole(homeAccount, "trusting")), 403, "NoPermission"},
		{"a user that is trusted by name", "only", assuming(arnOfRole(homeAccount, "trusting")), 200, ""},
		{"an external ID is missing", "ann", assuming(arnOfRole(homeAccount, "secret")), 403, "NoPermission"},
		{"a wrong external ID", "ann", assuming(arnOfRole(homeAccount, "secret"), "ExternalId", "open"), 403, "NoPermission"},
		{"the right external ID", "ann", assuming(arnOfRole(homeAccount, "secret"), "ExternalId", "open-sesame"), 200, ""},
		{"an external ID that nobody asked for", "ann", assuming(reader, "ExternalId", "any"), 200, ""},
		{"an external ID of one character", "ann", assuming(reader, "ExternalId", "x"), 400, "InvalidParameter.ExternalId"},
		{"an external ID with a space", "ann", assuming(reader, "ExternalId", "x y"), 400, "InvalidParameter.ExternalId"},
		{"the longest external ID", "ann", assuming(reader, "ExternalId", strings.Repeat("x", 1224)), 200, ""},
		{"a longer one", "ann", assuming(reader, "ExternalId", strings.Repeat("x", 1225)), 400, "InvalidParameter.ExternalId"},
		{"a role of another account", "ann", assuming(guest), 200, ""},
		{"no role", "ann", params("RoleSessionName", "ab"), 400, "MissingRoleArn"},
		{"the ARN of a user", "ann", assuming("acs:ram::" + homeAccount + ":user/ann"), 400, "InvalidParameter.RoleArn"},
		{"a text that ends like an ARN", "ann", assuming("x" + reader), 400, "InvalidParameter.RoleArn"},
		{"the ARN of a role of no account", "ann", assuming(arnOfRole("me", "reader")), 400, "InvalidParameter.RoleArn"},
		{"the ARN of a role of an account of 20 digits", "ann", assuming(arnOfRole(strings.Repeat("1", 20), "none")), 404, "EntityNotExist.Role"},
		{"the ARN of a role of an account of 21 digits", "ann", assuming(arnOfRole(strings.Repeat("1", 21), "none")), 400, "InvalidParameter.RoleArn"},
		{"the ARN of a role without a name", "ann", assuming(arnOfRole(homeAccount, "")), 400, "InvalidParameter.RoleArn"},
		{"the ARN of a role with a blank in its name", "ann", assuming(arnOfRole(homeAccount, "a b")), 400, "InvalidParameter.RoleArn"},
		{"no session name", "ann", params("RoleArn", reader), 400, "MissingRoleSessionName"},
		{"a session name of one character", "ann", assuming(reader, "RoleSessionName", "a"), 400, "InvalidParameter.RoleSessionName"},
		{"the longest session name", "ann", assuming(reader, "RoleSessionName", strings.Repeat("a", 64)), 200, ""},
		{"a longer one", "ann", assuming(reader, "RoleSessionName", strings.Repeat("a", 65)), 400, "InvalidParameter.RoleSessionName"},
		{"a session name with every sign", "ann", assuming(reader, "RoleSessionName", "a.B@9-_"), 200, ""},
		{"a session name with another sign", "ann", assuming(reader, "RoleSessionName", "a b"), 400, "InvalidParameter.RoleSessionName"},
		{"the shortest session name", "ann", assuming(reader, "RoleSessionName", "ab"), 200, ""},
		{"a session name from the first letters and digits to the last", "ann", assuming(reader, "RoleSessionName", "azAZ09"), 200, ""},
		{"a session name with a sign before the letters", "ann", assuming(reader, "RoleSessionName", "ab`"), 400, "InvalidParameter.RoleSessionName"},
		{"a session name with a sign behind the letters", "ann", assuming(reader, "RoleSessionName", "ab{"), 400, "InvalidParameter.RoleSessionName"},
		{"a session name with a sign behind the capitals", "ann", assuming(reader, "RoleSessionName", "ab["), 400, "InvalidParameter.RoleSessionName"},
		{"a session name with a sign behind the digits", "ann", assuming(reader, "RoleSessionName", "ab:"), 400, "InvalidParameter.RoleSessionName"},
		{"a session name with a sign before the digits", "ann", assuming(reader, "RoleSessionName", "ab/"), 400, "InvalidParameter.RoleSessionName"},
		{"a session name that ends its line", "ann", assuming(reader, "RoleSessionName", "ab\n"), 400, "InvalidParameter.RoleSessionName"},
		{"the shortest session", "ann", assuming(reader, "DurationSeconds", "900"), 200, ""},
		{"a shorter one", "ann", assuming(reader, "DurationSeconds", "899"), 400, "InvalidParameter.DurationSeconds"},
		{"the longest session of the role", "ann", assuming(reader, "DurationSeconds", "3600"), 200, ""},
		{"a longer one", "ann", assuming(reader, "DurationSeconds", "3601"), 400, "InvalidParameter.DurationSeconds"},
		{"a longer one, of a role that allows it", "ann", assuming(arnOfRole(homeAccount, "long"), "DurationSeconds", "43200"), 200, ""},
		{"a duration that is no number", "ann", assuming(reader, "DurationSeconds", "1h"), 400, "InvalidParameter.DurationSeconds"},
		{"a session policy", "ann", assuming(reader, "Policy", good), 200, ""},
		{"an empty session policy", "ann", assuming(reader, "Policy", ""), 200, ""},
		{"a session policy that is none", "ann", assuming(reader, "Policy", "{}"), 400, "InvalidParameter.PolicyGrammar"},
		{"a trust policy for a session policy", "ann", assuming(reader, "Policy", trust(`["acs:ram::1:root"]`)), 400, "InvalidParameter.PolicyGrammar"},
		{"the longest session policy", "ann", assuming(reader, "Policy", good+strings.Repeat(" ", 2048-len(good))), 200, ""},
		{"a longer one", "ann", assuming(reader, "Policy", good+strings.Repeat(" ", 2049-len(good))), 400, "InvalidParameter.PolicyGrammar"},
		{"a source identity is not looked at", "ann", assuming(reader, "SourceIdentity", "ann"), 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			from := as(r, test.user)
			if test.user == ecsemu.DefaultKeyID {
				from = ownerOf(r)
			}
			got := from.call(t, "AssumeRole", test.business)
			if got.status != test.status || got.code() != test.code {
				t.Errorf("got %d %q, want %d %q; body: %s", got.status, got.code(), test.status, test.code, got.raw)
			}
		})
	}
}

func TestTheAccountItselfIsToldWhyItMayNotAssumeRoles(t *testing.T) {
	r := startRoles(t)
	got := ownerOf(r).call(t, "AssumeRole", assuming(arnOfRole(homeAccount, "reader"))).message()
	if want := "Roles may not be assumed by root accounts."; got != want {
		t.Errorf("got message %q, want %q", got, want)
	}
}

func TestASessionPolicyOnlyTakesAway(t *testing.T) {
	r := startRoles(t)
	limited := policy(allow("ecs:DescribeRegions", "*") + "," + allow("ecs:DeleteSecurityGroup", "*"))
	assumed := as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "reader"), "Policy", limited))
	session := as(r, "ann").session(assumed)
	session.must(t, "DescribeRegions", nil)
	groups := session.call(t, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou"))
	checkDenied(t, groups, "ImplicitDeny")
	if detail, _ := groups.body["AccessDeniedDetail"].(map[string]any); detail["PolicyType"] != "SessionPolicy" {
		t.Errorf("got a denial by %v, want one by SessionPolicy", detail["PolicyType"])
	}
	checkDenied(t, session.call(t, "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", "sg-web")), "ImplicitDeny")
}

func TestASessionMayAssumeAFurtherRole(t *testing.T) {
	r := startRoles(t)
	first := as(r, "ann").session(as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "chain"))))
	second := first.session(first.must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "trusting"), "RoleSessionName", "next")))
	want := "acs:ram::" + homeAccount + ":assumed-role/trusting/next"
	if got := second.must(t, "GetCallerIdentity", nil).text("Arn"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	reader := as(r, "ann").session(as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "reader"))))
	if got := reader.call(t, "AssumeRole", assuming(arnOfRole(homeAccount, "chain"))); got.code() != "NoPermission" {
		t.Errorf("got %q from a role that may not assume others: %s", got.code(), got.raw)
	}
}

func TestASessionOfAnotherAccountActsInThatAccount(t *testing.T) {
	r := startRoles(t)
	guest := as(r, "ann").session(as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(otherAccount, "guest"), "DurationSeconds", "7200")))
	if got := guest.must(t, "GetCallerIdentity", nil).text("AccountId"); got != otherAccount {
		t.Errorf("got account %q, want %q", got, otherAccount)
	}
	groups := guest.must(t, "DescribeSecurityGroups", params("RegionId", "cn-hangzhou")).list("SecurityGroups", "SecurityGroup")
	if len(groups) != 1 || groups[0]["SecurityGroupId"] != "sg-other" {
		t.Errorf("got groups %v, want the one of the other account", groups)
	}
}

func TestASessionEnds(t *testing.T) {
	now := stoppedClock
	clock := func() time.Time { return now }
	r := startRoles(t, func(o *ecsemu.Options) { o.Clock = clock })
	ann := as(r, "ann").at(clock)
	session := ann.session(ann.must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "reader"), "DurationSeconds", "900")))
	now = now.Add(15*time.Minute - time.Second)
	session.must(t, "DescribeRegions", nil)
	now = now.Add(time.Second)
	got := session.call(t, "DescribeRegions", nil)
	if got.status != 400 || got.code() != "InvalidSecurityToken.Expired" {
		t.Errorf("got %d %q: %s", got.status, got.code(), got.raw)
	}
}

func TestKeysAndTokens(t *testing.T) {
	r := startRoles(t, func(o *ecsemu.Options) {
		o.Keys = []ecsemu.AccessKey{{ID: "disabled", Secret: "disabled", Inactive: true}}
	})
	begin := func() client {
		return as(r, "ann").session(as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "reader"))))
	}
	session, other := begin(), begin()
	token := func(from client, token string) client {
		from.signer.Token = token
		return from
	}
	secret := func(from client, secret string) client {
		from.signer.Secret = secret
		return from
	}
	for _, test := range []struct {
		name   string
		from   client
		status int
		code   string
	}{
		{"a session", session, 200, ""},
		{"a session without its token", token(session, ""), 400, "MissingSecurityToken"},
		{"a session with another's token", token(session, other.signer.Token), 400, "InvalidSecurityToken.MismatchWithAccessKey"},
		{"a token that is none", token(session, "token"), 400, "InvalidSecurityToken.Malformed"},
		{"a token in another alphabet", token(session, "CAIS****"), 400, "InvalidSecurityToken.Malformed"},
		{"a session with a wrong secret", secret(session, "wrong"), 400, "SignatureDoesNotMatch"},
		{"a wrong secret and a wrong token", secret(token(session, other.signer.Token), "wrong"), 400, "SignatureDoesNotMatch"},
		{"a token along with a key", token(as(r, "only"), other.signer.Token), 400, "InvalidSecurityToken.MismatchWithAccessKey"},
		{"a disabled key", as(r, "disabled"), 400, "InvalidAccessKeyId.Inactive"},
		{"a disabled key with a wrong secret", secret(as(r, "disabled"), "wrong"), 400, "InvalidAccessKeyId.Inactive"},
		{"a wrong secret", secret(ownerOf(r), "wrong"), 400, "SignatureDoesNotMatch"},
		{"an unknown key", as(r, "unknown"), 404, "InvalidAccessKeyId.NotFound"},
		{"an unknown session", clientOf(r, "STS.NTunknown", "s"), 404, "InvalidAccessKeyId.NotFound"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, scheme := range []acs.Scheme{acs.RPC, acs.ACS3} {
				got := test.from.in(scheme).call(t, "GetCallerIdentity", nil)
				if got.status != test.status || got.code() != test.code {
					t.Errorf("got %d %q, want %d %q; body: %s", got.status, got.code(), test.status, test.code, got.raw)
				}
			}
		})
	}
}

func TestNoSecretIsOnRecord(t *testing.T) {
	r := startRoles(t)
	session := as(r, "ann").session(as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "reader"))))
	for _, scheme := range []acs.Scheme{acs.RPC, acs.ACS3} {
		session.in(scheme).must(t, "DescribeRegions", nil)
	}
	requests := r.Server.Requests()
	for _, request := range requests[len(requests)-2:] {
		if request.AccessKeyID != session.signer.KeyID || request.Action != "DescribeRegions" {
			t.Errorf("got %s by %q on record, want DescribeRegions by %q", request.Action, request.AccessKeyID, session.signer.KeyID)
		}
		for name, value := range request.Parameters {
			if name == "Signature" || value == session.signer.Token {
				t.Errorf("the parameter %s is on record", name)
			}
		}
	}
}

func TestSTSOverTLSOnly(t *testing.T) {
	r := startSmall(t, func(o *ecsemu.Options) { o.STSNeedsTLS = true })
	plain := ownerOf(r)
	if got := plain.call(t, "GetCallerIdentity", nil); got.status != 404 || got.code() != "InvalidProtocol.NeedSsl" {
		t.Errorf("got %d %q over plain HTTP: %s", got.status, got.code(), got.raw)
	}
	plain.must(t, "DescribeRegions", nil)
	secure := plain
	secure.secure = true
	secure.must(t, "GetCallerIdentity", nil)
}

func TestASessionIsNoLongerThanItsRoleAllows(t *testing.T) {
	r := startRoles(t)
	assumed := as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "short")))
	credentials, _ := assumed.body["Credentials"].(map[string]any)
	if got, want := credentials["Expiration"], "2026-03-01T12:30:30Z"; got != want {
		t.Errorf("the session expires at %v, want %s", got, want)
	}
}

func TestAnIgnoredAssumptionBeginsNothing(t *testing.T) {
	r := startRoles(t)
	if err := r.Server.SetFaults([]ecsemu.Fault{{Kind: ecsemu.FaultIgnore, Action: "AssumeRole"}}); err != nil {
		t.Fatal(err)
	}
	session := as(r, "ann").session(as(r, "ann").must(t, "AssumeRole", assuming(arnOfRole(homeAccount, "reader"))))
	if got := session.call(t, "GetCallerIdentity", nil); got.code() != "InvalidAccessKeyId.NotFound" {
		t.Errorf("got %d %q: %s", got.status, got.code(), got.raw)
	}
}

// TestAClientTokenHoldsAcrossSignatures sends a call again in the other scheme.
func TestAClientTokenHoldsAcrossSignatures(t *testing.T) {
	r := startSmall(t)
	create := with(creation(), "ClientToken", "token")
	first := ownerOf(r).must(t, "CreateSecurityGroup", create)
	again := ownerOf(r).in(acs.ACS3).must(t, "CreateSecurityGroup", create)
	if diff := cmp.Diff(first.body, again.body); diff != "" {
		t.Errorf("answer (-first +again):\n%s", diff)
	}
}
