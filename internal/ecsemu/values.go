package ecsemu

import "github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"

// What a server is made with, under the names that its users know. The contracts stand in package cloud.
type (
	// Estate is what an account, and maybe others, hold at first.
	Estate = cloud.Estate
	// Region is a region of an estate.
	Region = cloud.Region
	// PrefixList is a named list of networks.
	PrefixList = cloud.PrefixList
	// Entry is one network of a prefix list.
	Entry = cloud.Entry
	// Interface is an elastic network interface.
	Interface = cloud.Interface
	// VPC is a virtual private cloud.
	VPC = cloud.VPC
	// PortEntry is one range of a port list.
	PortEntry = cloud.PortEntry
	// PortList is a named list of ports.
	PortList = cloud.PortList
	// Group is a security group.
	Group = cloud.Group
	// Rule is a rule of a group.
	Rule = cloud.Rule
	// AccessKey is a key that requests are signed with.
	AccessKey = cloud.AccessKey
)

// What a server uses where nothing else is said, and the types of groups.
const (
	DefaultAccount   = cloud.DefaultAccount
	DefaultKeyID     = cloud.DefaultKeyID
	DefaultKeySecret = cloud.DefaultKeySecret
	TypeNormal       = cloud.TypeNormal
	TypeEnterprise   = cloud.TypeEnterprise
)
