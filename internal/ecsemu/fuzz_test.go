package ecsemu

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// FuzzActions sends what passes the gateway but makes no sense. Whatever it is, it is answered in JSON, with the
// status of the table, and never with an InternalError.
func FuzzActions(f *testing.F) {
	f.Add("DescribeSecurityGroups", "RegionId=r&MaxResults=1&NextToken=Z3JvdXBzIHIAc2ctYQ&SecurityGroupIds=[]&Tag.1.Key=k")
	f.Add("DescribeSecurityGroupAttribute", "RegionId=r&SecurityGroupId=sg-a&MaxResults=10&NextToken=cnVsZXMgc2ctYQA5OQ")
	f.Add("AuthorizeSecurityGroupEgress", "RegionId=r&SecurityGroupId=sg-a&Permissions.1.IpProtocol=tcp&Permissions.1.PortRange=1/2"+
		"&Permissions.1.Ipv6DestCidrIp=::ffff:1.2.3.4/99&Permissions.99999999999999999999.Policy=x&Permissions..=")
	f.Add("CreatePrefixList", "RegionId=r&PrefixListName=ab&AddressFamily=IPv6&MaxEntries=3&Entry.1.Cidr=FE80::1/-0")
	f.Add("TagResources", "RegionId=r&ResourceType=securitygroup&ResourceId.1=sg-a&Tag.1.Key=%ff&Tag.1.Value=%00")
	f.Add("CreateSecurityGroup", "RegionId=r&SecurityGroupName=%e4%bd%a0%e5%a5%bd&SecurityGroupType=enterprise&VpcId=v")
	f.Add("RevokeSecurityGroupEgress", "RegionId=r&SecurityGroupId=sg-a&SecurityGroupRuleId.1=sgr-x&SecurityGroupRuleId.2=&ClientToken=t")
	f.Add("RevokeSecurityGroupEgress", "RegionId=r&SecurityGroupId=sg-b&IpProtocol=all&PortRange=-1/-1&DestPrefixListId=pl-a&NicType=intranet")
	f.Add("ModifySecurityGroupEgressRule", "RegionId=r&SecurityGroupId=sg-a&SecurityGroupRuleId=sgr-a&Ipv6DestCidrIp=::/0&Description=%ff")
	f.Add("ModifySecurityGroupEgressRule", "RegionId=r&SecurityGroupId=sg-a&IpProtocol=all&PortRange=-1/-1&DestCidrIp=0.0.0.0/0&Description=d")
	f.Add("UntagResources", "RegionId=r&ResourceType=securitygroup&ResourceId.1=sg-a&TagKey.1=k&All=true")
	f.Add("DeleteSecurityGroup", "RegionId=r&SecurityGroupId=sg-b&ClientToken=t")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	server, err := New(Options{
		Clock: func() time.Time { return now },
		Estate: &Estate{Regions: []Region{{
			ID: "r", PrefixLists: []PrefixList{{ID: "pl-a"}},
			Groups: []Group{{ID: "sg-a", Name: "a", VPC: "v", Egress: append(make([]Rule, 30), Rule{
				ID: "sgr-a", Protocol: "all", Peer: "0.0.0.0/0",
			})}, {ID: "sg-b", Name: "b"}},
		}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	server.nonces = acs.NewNonces(10)
	server.record.limit = 10
	handler := server.routes()
	signer := acs.Signer{KeyID: DefaultKeyID, Secret: DefaultKeySecret}
	calls := 0
	f.Fuzz(func(t *testing.T, name, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		calls++
		for key, value := range map[string]string{
			"Action": name, "Version": cloud.VersionECS, "Format": "JSON", "SignatureType": "",
			"SignatureNonce": strconv.Itoa(calls), "Timestamp": now.Format(time.RFC3339),
		} {
			values.Set(key, value)
		}
		for _, key := range []string{"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SecurityToken"} {
			values.Del(key)
		}
		values = signer.RPC(http.MethodGet, values)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+values.Encode(), nil))
		var body struct{ Code wire.Code }
		if err := json.Unmarshal(recorder.Body.Bytes(), &body); err != nil {
			t.Fatalf("status %d, body %q: %v", recorder.Code, recorder.Body, err)
		}
		if body.Code == wire.CodeInternal || body.Code == wire.CodeSignature && name != "" {
			t.Errorf("got %d: %s", recorder.Code, recorder.Body)
		}
		if want := wire.Table()[body.Code].Status; body.Code != "" && recorder.Code != want &&
			body.Code != wire.CodeRegionMissing && body.Code != wire.CodeDestGroupMismatch {
			t.Errorf("got status %d with code %s, want %d", recorder.Code, body.Code, want)
		}
	})
}
