package ecsapi

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// rulesBody is a page of rules as the cloud spells them.
func rulesBody(n int) string {
	var b strings.Builder
	b.WriteString(`{"RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E","RegionId":"cn-hangzhou",` +
		`"SecurityGroupId":"sg-bp1","SecurityGroupName":"web","Description":"","VpcId":"vpc-bp1",` +
		`"InnerAccessPolicy":"Accept","NextToken":"AAAAAdDWBF2","Permissions":{"Permission":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"SecurityGroupRuleId":"sgr-bp%013d","Direction":"egress","IpProtocol":"TCP",`+
			`"PortRange":"%d/%d","SourcePortRange":"","PortRangeListId":"","PortRangeListName":"",`+
			`"DestCidrIp":"10.%d.%d.0/24","Ipv6DestCidrIp":"","DestGroupId":"","DestGroupName":"",`+
			`"DestGroupOwnerAccount":"","DestPrefixListId":"","DestPrefixListName":"","SourceCidrIp":"",`+
			`"Ipv6SourceCidrIp":"","SourceGroupId":"","SourceGroupName":"","SourceGroupOwnerAccount":"",`+
			`"SourcePrefixListId":"","SourcePrefixListName":"","Policy":"Accept","Priority":%d,`+
			`"NicType":"intranet","Description":"rule %d of a team","CreateTime":"2025-01-02T03:04:05Z"}`,
			i, 1+i, 1+i, i/256, i%256, 1+i%100, i)
	}
	b.WriteString(`]}}`)
	return b.String()
}

// sdkRules is what the SDK decodes an answer into.
type sdkRules struct {
	*responses.BaseResponse
	RequestId, RegionId, SecurityGroupId, SecurityGroupName string //nolint:revive // the SDK's spelling
	Description, VpcId, InnerAccessPolicy, NextToken        string //nolint:revive // the SDK's spelling
	Permissions                                             struct{ Permission []sdkPermission }
}

type sdkPermission struct {
	SecurityGroupRuleId, Direction, IpProtocol, PortRange          string //nolint:revive // the SDK's spelling
	SourcePortRange, PortRangeListId, PortRangeListName            string //nolint:revive // the SDK's spelling
	DestCidrIp, Ipv6DestCidrIp, DestGroupId, DestGroupName         string //nolint:revive // the SDK's spelling
	DestGroupOwnerAccount, DestPrefixListId, DestPrefixListName    string //nolint:revive // the SDK's spelling
	SourceCidrIp, Ipv6SourceCidrIp, SourceGroupId, SourceGroupName string //nolint:revive // the SDK's spelling
	SourceGroupOwnerAccount, SourcePrefixListId                    string //nolint:revive // the SDK's spelling
	SourcePrefixListName, Policy, Priority, NicType                string //nolint:revive // the SDK's spelling
	Description, CreateTime                                        string
}

func decodeBySDK(body string) (*sdkRules, error) {
	into := &sdkRules{BaseResponse: &responses.BaseResponse{}}
	err := responses.Unmarshal(into, &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
	}, "JSON")
	return into, err
}

// BenchmarkDecode measures a page of 1,000 rules by the SDK's own response path and by ours, and reports how many
// times faster ours is. Ours includes understanding the rules, which the SDK's does not.
func BenchmarkDecode(b *testing.B) {
	body := rulesBody(1000)
	var sdk, ours float64
	b.Run("sdk", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if rules, err := decodeBySDK(body); err != nil || len(rules.Permissions.Permission) != 1000 {
				b.Fatal(err)
			}
		}
		sdk = float64(b.Elapsed()) / float64(b.N)
	})
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			// The answer is copied once on its way from the connection; so it is in the SDK's path.
			page, err := decodeRules(strings.Clone(body), "cn-hangzhou", "sg-bp1", sg.NICIntranet)
			if err != nil || len(page.Items) != 1000 {
				b.Fatal(err)
			}
		}
		ours = float64(b.Elapsed()) / float64(b.N)
		if sdk > 0 {
			b.ReportMetric(sdk/ours, "x-sdk")
		}
	})
}
