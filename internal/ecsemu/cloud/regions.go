package cloud

import (
	"cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// publicRegions are the regions an account without an estate sees.
func publicRegions() []string {
	return []string{
		"cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-huhehaote", "cn-wulanchabu", "cn-hangzhou", "cn-shanghai",
		"cn-nanjing", "cn-fuzhou", "cn-wuhan-lr", "cn-shenzhen", "cn-heyuan", "cn-guangzhou", "cn-chengdu",
		"cn-hongkong", "ap-southeast-1", "ap-southeast-3", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
		"ap-northeast-1", "ap-northeast-2", "us-east-1", "us-west-1", "na-south-1", "eu-central-1", "eu-west-1",
		"me-east-1", "me-central-1",
	}
}

// regionNames are the local names of regions in English, of the kind DescribeRegions gives. Others go by their ID.
func regionNames() map[string]string {
	return map[string]string{
		"cn-qingdao": "China (Qingdao)", "cn-beijing": "China (Beijing)", "cn-hangzhou": "China (Hangzhou)",
		"cn-shanghai": "China (Shanghai)", "cn-shenzhen": "China (Shenzhen)", "cn-hongkong": "China (Hong Kong)",
		"ap-southeast-1": "Singapore", "ap-northeast-1": "Japan (Tokyo)", "us-east-1": "US (Virginia)",
		"us-west-1": "US (Silicon Valley)", "eu-central-1": "Germany (Frankfurt)", "eu-west-1": "UK (London)",
	}
}

// takesProtocolNumbers tells whether rules of a region may name a protocol by its IANA number. The documents name
// the regions by city, and differ on which of two in the US is meant; both are taken.
func takesProtocolNumbers(region string) bool {
	switch region {
	case "eu-west-1", "ap-southeast-6", "ap-southeast-3", "cn-huhehaote", "cn-qingdao", "ap-southeast-1",
		"us-east-1", "us-west-1":
		return true
	}
	return false
}

type regionsResponse struct {
	RequestID string `json:"RequestId"`
	Regions   struct {
		Region []regionElement `json:"Region"`
	} `json:"Regions"`
}

type regionElement struct {
	RegionID       string `json:"RegionId"`
	RegionEndpoint string `json:"RegionEndpoint"`
	LocalName      string `json:"LocalName"`
	Status         string `json:"Status"`
}

func describeRegions(c *call) (any, error) {
	switch c.params.Get("AcceptLanguage") {
	case "", "zh-CN", "zh-TW", "en-US", "ja", "fr", "de", "ko":
	default:
		return nil, wire.Refuse(wire.CodeAcceptLanguage)
	}
	switch c.params.Get("ResourceType") {
	case "", "instance", "disk", "reservedinstance", "scu":
	default:
		return nil, wire.Refuse(wire.CodeResourceType)
	}
	if len(c.account.order) == 0 {
		return nil, wire.Refuse(wire.CodeEmptyRegion)
	}
	response := &regionsResponse{RequestID: c.requestID}
	names := regionNames()
	for _, id := range c.account.order {
		response.Regions.Region = append(response.Regions.Region, regionElement{
			RegionID: id, RegionEndpoint: "ecs." + id + ".aliyuncs.com", LocalName: cmp.Or(names[id], id), Status: "available",
		})
	}
	return response, nil
}

func regionActions() []Action { return []Action{{Name: "DescribeRegions", handle: describeRegions}} }
