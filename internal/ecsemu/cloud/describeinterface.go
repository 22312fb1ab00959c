package cloud

type interfaceElement struct {
	NetworkInterfaceID   string      `json:"NetworkInterfaceId"`
	NetworkInterfaceName string      `json:"NetworkInterfaceName"`
	Description          string      `json:"Description"`
	Type                 string      `json:"Type"`
	Status               string      `json:"Status"`
	TrafficMode          string      `json:"NetworkInterfaceTrafficMode"`
	VpcID                string      `json:"VpcId"`
	VSwitchID            string      `json:"VSwitchId"`
	ZoneID               string      `json:"ZoneId"`
	InstanceID           string      `json:"InstanceId"`
	OwnerID              string      `json:"OwnerId"`
	MacAddress           string      `json:"MacAddress"`
	PrivateIPAddress     string      `json:"PrivateIpAddress"`
	CreationTime         string      `json:"CreationTime"`
	ResourceGroupID      string      `json:"ResourceGroupId"`
	ServiceManaged       bool        `json:"ServiceManaged"`
	ServiceID            int64       `json:"ServiceID,omitempty"`
	SecurityGroupIDs     groupIDs    `json:"SecurityGroupIds"`
	PrivateIPSets        privateIPs  `json:"PrivateIpSets"`
	IPv6Sets             addresses6  `json:"Ipv6Sets"`
	AssociatedPublicIP   struct{}    `json:"AssociatedPublicIp"`
	Attachment           attachedTo  `json:"Attachment"`
	Tags                 tagElements `json:"Tags"`
}

type groupIDs struct {
	SecurityGroupID []string `json:"SecurityGroupId"`
}

type privateIPs struct {
	PrivateIPSet []privateIP `json:"PrivateIpSet"`
}

func (p *privateIPs) add(address string, primary bool) {
	p.PrivateIPSet = append(p.PrivateIPSet, privateIP{PrivateIPAddress: address, Primary: primary})
}

type privateIP struct {
	PrivateIPAddress   string   `json:"PrivateIpAddress"`
	Primary            bool     `json:"Primary"`
	AssociatedPublicIP struct{} `json:"AssociatedPublicIp"`
}

type addresses6 struct {
	IPv6Set []address6 `json:"Ipv6Set"`
}

type address6 struct {
	IPv6Address string `json:"Ipv6Address"`
}

type attachedTo struct {
	InstanceID string `json:"InstanceId"`
}

func describeInterface(card *Interface, account string) interfaceElement {
	e := interfaceElement{
		NetworkInterfaceID: card.ID, NetworkInterfaceName: card.Name, Description: card.Description, Type: card.kind(),
		Status: card.status(), TrafficMode: "Standard", VpcID: card.VPC, VSwitchID: card.VSwitch, ZoneID: card.Zone,
		InstanceID: card.Instance, OwnerID: account, MacAddress: card.MAC, PrivateIPAddress: card.Private,
		CreationTime: card.Created, ResourceGroupID: card.ResourceGroup, ServiceManaged: card.Managed,
		SecurityGroupIDs: groupIDs{append([]string{}, card.Groups...)}, Attachment: attachedTo{card.Instance},
		Tags: tagElements{describeTags(card.Tags)}, PrivateIPSets: privateIPs{[]privateIP{}},
		IPv6Sets: addresses6{[]address6{}},
	}
	if card.Managed {
		e.ServiceID = distributor
	}
	if card.Private != "" {
		e.PrivateIPSets.add(card.Private, true)
	}
	for _, text := range card.Secondaries {
		e.PrivateIPSets.add(text, false)
	}
	for _, text := range card.IPv6 {
		e.IPv6Sets.IPv6Set = append(e.IPv6Sets.IPv6Set, address6{text})
	}
	return e
}
