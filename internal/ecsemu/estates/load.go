package estates

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// MaxBytes is how large an estate file may be. It bounds what reading one can cost.
const MaxBytes = 32 << 20

// Codes of the problems that estate files have beyond those of strict YAML.
const (
	problemDuplicate = "duplicate-id"
	problemAccount   = "account"
	problemPorts     = "missing-ports"
	problemUser      = "unknown-user"
	problemPolicy    = "policy"
)

// Load reads an estate file. The name is only for the error, which is a *[strictyaml.Error] with every problem
// at its line and column. Texts are kept as they are written; what the API would refuse is not refused here, but for
// policies of RAM that make no sense.
func Load(name string, data []byte) (*cloud.Estate, error) {
	var problems strictyaml.Problems
	var read file
	if root, ok := strictyaml.ParseUpTo(MaxBytes, &problems, name, data); ok {
		fileShape().read(root, &read)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &read.estate, nil
}

// children gives the mappings of a list of a mapping, without checking anything.
func children(v strictyaml.Value, key string) []strictyaml.Value {
	child, there := v.Child(key)
	if !there || !child.IsList() {
		return nil
	}
	return child.Children()
}

// checkFile checks what must be different in all accounts together.
func checkFile(m strictyaml.Map, read *file) {
	accounts, names, keys := unique{read.estate.Account: 1}, unique{}, unique{}
	for _, v := range append([]strictyaml.Value{m.Value}, children(m.Value, "accounts")...) {
		if v != m.Value {
			accounts.addChild(v, "account", "account")
		} else if child, there := v.Child("account"); there {
			accounts[read.estate.Account] = child.Pos().Line
		}
		names.addChild(v, "name", "name")
		for _, key := range children(v, "keys") {
			keys.addChild(key, "id", "ID of a key")
		}
	}
}

// checkAccount checks that the users whom keys are of exist.
func checkAccount(m strictyaml.Map, read *cloud.Estate) {
	users := []string{}
	for i := range read.Users {
		users = append(users, read.Users[i].Name)
	}
	for _, key := range children(m.Value, "keys") {
		child, there := key.Child("user")
		if !there || !child.IsScalar() {
			continue
		}
		if name, ok := child.Text(); ok && name != "" && !slices.Contains(users, name) {
			child.Problem(problemUser, "the account has no user %q%s", name, strictyaml.Suggest(name, users))
		}
	}
}

// checkGroup checks that no two rules of a group have the same ID.
func checkGroup(m strictyaml.Map, _ *cloud.Group) {
	seen := unique{}
	for _, direction := range []string{"egress", "ingress"} {
		for _, rule := range children(m.Value, direction) {
			seen.addChild(rule, "id", "ID")
		}
	}
}

func checkRule(m strictyaml.Map, r *cloud.Rule) {
	if cloud.HasPorts(r.Protocol) && !m.Has("ports") && !m.Has("port-list") {
		m.Problem(problemPorts, "a rule for %s needs ports, as 443/443, or a port-list", r.Protocol)
	}
}
