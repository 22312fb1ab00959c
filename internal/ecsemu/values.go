package ecsemu

import "github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"

// What a server is made with, under the names that its users know. The contracts stand in package cloud.
type (
	Estate     = cloud.Estate
	Region     = cloud.Region
	PrefixList = cloud.PrefixList
	Entry      = cloud.Entry
	Interface  = cloud.Interface
	VPC        = cloud.VPC
	PortEntry  = cloud.PortEntry
	PortList   = cloud.PortList
	Group      = cloud.Group
	Rule       = cloud.Rule
	AccessKey  = cloud.AccessKey
)

// What a server uses where nothing else is said, and the types of groups.
const (
	DefaultAccount   = cloud.DefaultAccount
	DefaultKeyID     = cloud.DefaultKeyID
	DefaultKeySecret = cloud.DefaultKeySecret
	TypeNormal       = cloud.TypeNormal
	TypeEnterprise   = cloud.TypeEnterprise
)
