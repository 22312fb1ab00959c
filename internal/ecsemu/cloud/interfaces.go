package cloud

import (
	"maps"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Page sizes of DescribeNetworkInterfaces.
const (
	minInterfacePage        = 10
	maxInterfacePage        = 500
	defaultInterfaceNumbers = 10
	maxInterfaceNumbers     = 100
	maxInterfaceIDs         = 100
)

// Types and states of interfaces.
const (
	cardPrimary   = "Primary"
	cardSecondary = "Secondary"
	cardAvailable = "Available"
	cardInUse     = "InUse"
)

type interfacesResponse struct {
	RequestID string `json:"RequestId"`
	NextToken string `json:"NextToken"`
	numbers

	NetworkInterfaceSets struct {
		NetworkInterfaceSet []interfaceElement `json:"NetworkInterfaceSet"`
	} `json:"NetworkInterfaceSets"`
}

// describeNetworkInterfaces lists interfaces by descending ID. No document tells their order.
func describeNetworkInterfaces(c *call) (any, error) {
	wanted, err := readCardFilter(c.params)
	if err != nil {
		return nil, err
	}
	var cards []*Interface
	for _, id := range slices.SortedFunc(maps.Keys(c.region.cards), descending) {
		if card := c.region.cards[id]; wanted.passes(card) {
			cards = append(cards, card)
		}
	}
	response := &interfacesResponse{RequestID: c.requestID}
	page, err := c.cardPage(cards, response)
	if err != nil {
		return nil, err
	}
	elements := make([]interfaceElement, 0, len(page))
	for _, card := range page {
		elements = append(elements, describeInterface(card, c.account.id))
	}
	response.NetworkInterfaceSets.NetworkInterfaceSet = elements
	return response, nil
}

// cardPage picks the page that was asked for, in the style that was asked for. A MaxResults out of range is taken as
// what is nearest in it.
func (c *call) cardPage(cards []*Interface, response *interfacesResponse) ([]*Interface, error) {
	if !c.asksByToken() {
		page, told, err := numberedPage(c, defaultInterfaceNumbers, maxInterfaceNumbers, cards)
		response.numbers = told
		return page, err
	}
	size := minInterfacePage
	if text := c.params.Get("MaxResults"); text != "" {
		n, ok := wire.Decimal(text)
		if !ok {
			return nil, wire.Refusef(wire.CodeParameter, "The parameter MaxResults must be a number.")
		}
		size = min(max(n, minInterfacePage), maxInterfacePage)
	}
	sized := idListing("interfaces")
	sized.low, sized.fallback, sized.high = size, size, size
	page, token, err := nextPage(c, sized, cards, func(card *Interface) string { return card.ID })
	response.NextToken = token
	response.numbers = numbers{TotalCount: len(cards), PageNumber: 1, PageSize: size}
	return page, err
}

// cardFilter is which interfaces a listing shows. All its conditions must hold.
type cardFilter struct {
	equal      map[string]string
	ids        []string
	addresses  []string
	addresses6 []string
	tags       []tag
	managed    bool
	byManaged  bool
}

func readCardFilter(p wire.Params) (cardFilter, error) {
	f := cardFilter{
		equal: map[string]string{}, ids: p.Texts("NetworkInterfaceId"), addresses: p.Texts("PrivateIpAddress"),
		addresses6: p.Texts("Ipv6Address"), tags: readTags(p), byManaged: p.Get("ServiceManaged") != "",
	}
	for _, name := range []string{
		"VpcId", "VSwitchId", "PrimaryIpAddress", "NetworkInterfaceName", "InstanceId", "ResourceGroupId", "Type", "Status",
	} {
		if value := p.Get(name); value != "" {
			f.equal[name] = value
		}
	}
	// It finds secondary interfaces only; primary ones are found by their instances.
	if group := p.Get("SecurityGroupId"); group != "" {
		f.equal["SecurityGroupId"] = group
	}
	for name, list := range map[string][]string{
		"NetworkInterfaceId": f.ids, "PrivateIpAddress": f.addresses, "Ipv6Address": f.addresses6,
	} {
		if len(list) > maxInterfaceIDs {
			return f, wire.Refusef(wire.CodeParameter, "The parameter "+name+".N has more than 100 elements.")
		}
	}
	if kind := p.Get("Type"); kind != "" && kind != cardPrimary && kind != cardSecondary {
		return f, wire.Refusef(wire.CodeParameter, "The parameter Type must be Primary or Secondary.")
	}
	switch p.Get("Status") {
	case "", cardAvailable, "Attaching", cardInUse, "Detaching", "Deleting", "Creating", "CreateFailed":
	default:
		return f, wire.Refusef(wire.CodeParameter, "The parameter Status is not a status of interfaces.")
	}
	var err error
	if f.managed, err = p.Bool("ServiceManaged"); err != nil {
		return f, err
	}
	return f, checkTagFilter(f.tags)
}

func (f *cardFilter) passes(card *Interface) bool {
	has := map[string]string{
		"VpcId": card.VPC, "VSwitchId": card.VSwitch, "PrimaryIpAddress": card.Private, "NetworkInterfaceName": card.Name,
		"InstanceId": card.Instance, "ResourceGroupId": card.ResourceGroup, "Type": card.kind(), "Status": card.status(),
	}
	for name, value := range f.equal {
		if name == "SecurityGroupId" {
			if card.kind() != cardSecondary || !slices.Contains(card.Groups, value) {
				return false
			}
		} else if has[name] != value {
			return false
		}
	}
	own := append([]string{card.Private}, card.Secondaries...)
	return (len(f.ids) == 0 || slices.Contains(f.ids, card.ID)) && meet(f.addresses, own) &&
		meet(f.addresses6, card.IPv6) && (!f.byManaged || f.managed == card.Managed) && hasTags(card.Tags, f.tags)
}

// meet tells whether one of those that are asked for is there. None that are asked for are any.
func meet(asked, there []string) bool {
	return len(asked) == 0 || slices.ContainsFunc(asked, func(text string) bool { return slices.Contains(there, text) })
}

func (i *Interface) kind() string {
	if i.Type == "" {
		return cardSecondary
	}
	return i.Type
}

func (i *Interface) status() string {
	if i.Instance == "" {
		return cardAvailable
	}
	return cardInUse
}
