package estates

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// file is what a whole file says.
type file struct {
	version int
	estate  cloud.Estate
}

// fileShape is the format of estate files. Everything below it is used from here.
func fileShape() *shape[file] {
	account := accountShape()
	own := func(f *field[cloud.Estate]) field[file] {
		lifted := field[file]{
			key: f.key, doc: f.doc, required: f.required, form: f.form,
			read:  func(v strictyaml.Value, into *file) { f.read(v, &into.estate) },
			write: func(from *file) node { return f.write(&from.estate) },
		}
		return lifted
	}
	version := number("version", "The version of the format: 1.", 0, func(f *file) *int { return &f.version })
	version.form = form{words: "`1`", schema: map[string]any{"const": 1}}
	version.read = func(v strictyaml.Value, into *file) { into.version, _ = v.Int(1, 1) }
	s := shape[file]{
		name: "file", doc: "A file describes one account, and others under `accounts`.", fields: []field[file]{needed(version)},
	}
	for i := range account.fields {
		f := own(&account.fields[i])
		if f.key == "account" {
			f.required, f.form.preset = false, cloud.DefaultAccount
			f.absent = func(into *file) { into.estate.Account = cloud.DefaultAccount }
			f.write = func(from *file) node {
				if from.estate.Account == "" || from.estate.Account == cloud.DefaultAccount {
					return node{}
				}
				return scalarOf(from.estate.Account)
			}
		}
		s.fields = append(s.fields, f)
	}
	s.fields = append(s.fields, list("accounts", "Further accounts, such as those whose roles are assumed.", account,
		func(f *file) *[]cloud.Estate { return &f.estate.Others }))
	s.check = func(m strictyaml.Map, read *file) {
		checkAccount(m, &read.estate)
		checkFile(m, read)
	}
	return s.closed()
}

func accountShape() *shape[cloud.Estate] {
	type T = cloud.Estate
	accountID := needed(text("account", "The ID of the account, a number of at most 20 digits.",
		func(e *T) *string { return &e.Account }))
	accountID.form = form{
		words:  "number of at most 20 digits",
		schema: map[string]any{"type": []string{"string", "integer"}, "pattern": "^[1-9][0-9]{0,19}$"},
	}
	accountID.read = func(v strictyaml.Value, into *T) {
		if text, ok := v.Text(); ok && !cloud.IsAccountID(text) {
			v.Problem(problemAccount, "the account %q is not a number of at most 20 digits", text)
		} else {
			into.Account = text
		}
	}
	return shape[T]{
		name: "account", doc: "An account: what it holds and who may use it.", check: checkAccount,
		fields: []field[T]{
			accountID,
			text("name", "The login name, by which rules of other accounts may name it.",
				func(e *T) *string { return &e.Name }),
			list("keys", "Access keys. Without any, of any account, the default key is taken, or those of `--access-key`.",
				keyShape(), func(e *T) *[]cloud.AccessKey { return &e.Keys }),
			list("users", "Users, who may do what their policies allow.", userShape(),
				func(e *T) *[]cloud.User { return &e.Users }),
			list("roles", "Roles, for AssumeRole.", roleShape(), func(e *T) *[]cloud.Role { return &e.Roles }),
			texts("resource-groups", "IDs of the resource groups, without the default one. If it is absent, any `rg-` ID is one.",
				func(e *T) *[]string { return &e.ResourceGroups }),
			needed(list("regions", "The regions that the account sees.", regionShape(),
				func(e *T) *[]cloud.Region { return &e.Regions })),
		},
	}.closed()
}

func keyShape() *shape[cloud.AccessKey] {
	type T = cloud.AccessKey
	return shape[T]{
		name: "key", doc: "An access key.", flow: true,
		fields: []field[T]{
			id("id", "The ID of the key, different from all others in the file.", func(k *T) *string { return &k.ID }),
			id("secret", "The secret that requests are signed with.", func(k *T) *string { return &k.Secret }),
			text("user", "The name of the user whose key it is. If it is absent, it is of the account, which may do everything.",
				func(k *T) *string { return &k.User }),
			boolean("inactive", "The key was disabled.", func(k *T) *bool { return &k.Inactive }),
		},
	}.closed()
}

func userShape() *shape[cloud.User] {
	type T = cloud.User
	return shape[T]{
		name: "user", doc: "A RAM user. Without policies it may do nothing.", identity: "name",
		fields: []field[T]{
			id("name", "The name of the user.", func(u *T) *string { return &u.Name }),
			documents("policies", "What the user may do.", func(u *T) *[]string { return &u.Policies }),
		},
	}.closed()
}

func roleShape() *shape[cloud.Role] {
	type T = cloud.Role
	return shape[T]{
		name: "role", doc: "A RAM role.", identity: "name",
		fields: []field[T]{
			id("name", "The name of the role.", func(r *T) *string { return &r.Name }),
			needed(document("trust", "Who may assume the role: its trust policy.", ram.ParseTrust,
				func(r *T) *string { return &r.Trust })),
			documents("policies", "What sessions of the role may do.", func(r *T) *[]string { return &r.Policies }),
			duration("max-session", "How long a session may be at most.", "1h",
				func(r *T) *time.Duration { return &r.MaxSession }),
		},
	}.closed()
}

func regionShape() *shape[cloud.Region] {
	type T = cloud.Region
	return shape[T]{
		name: "region", doc: "A region and what the account has there.", identity: "id",
		fields: []field[T]{
			id("id", "The ID of the region, such as `cn-hangzhou`.", func(r *T) *string { return &r.ID }),
			list("vpcs", "VPCs. If it is absent, there are those of the groups or, without groups, any ID is one.",
				vpcShape(), func(r *T) *[]cloud.VPC { return &r.VPCs }),
			list("prefix-lists", "Named lists of networks.", prefixListShape(),
				func(r *T) *[]cloud.PrefixList { return &r.PrefixLists }),
			list("port-lists", "Named lists of ports.", portListShape(),
				func(r *T) *[]cloud.PortList { return &r.PortLists }),
			number("group-quota", "How many groups the region may have. If it is absent, 1000, or twice as many as there are.", 0,
				func(r *T) *int { return &r.GroupQuota }),
			list("groups", "Security groups.", groupShape(), func(r *T) *[]cloud.Group { return &r.Groups }),
			list("interfaces", "Elastic network interfaces.", interfaceShape(),
				func(r *T) *[]cloud.Interface { return &r.Interfaces }),
		},
	}.closed()
}
