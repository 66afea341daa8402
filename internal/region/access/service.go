package access

import (
	"strconv"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// IAM returns the operations of IAM.
func (a *Access) IAM() *wire.Service {
	s := &wire.Service{
		Name: "iam", Version: "2010-05-08", Protocol: wire.Query,
		Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
	}
	s.Operations = append(s.Operations, a.userOperations()...)
	s.Operations = append(s.Operations, a.keyOperations()...)
	s.Operations = append(s.Operations, a.roleOperations()...)
	s.Operations = append(s.Operations, a.groupOperations()...)
	for _, kind := range []string{"user", "role", "group"} {
		s.Operations = append(s.Operations, a.attachmentOperations(kind)...)
	}
	s.Operations = append(s.Operations, a.policyOperations()...)
	s.Operations = append(s.Operations, a.providerOperations()...)
	s.Operations = append(s.Operations,
		refused("CreateServiceLinkedRole", "no service of the embedded region needs one"),
		refused("CreateInstanceProfile", "there are no instances"),
		refused("CreateLoginProfile", "there is no console to log in to"),
		refused("CreateSAMLProvider", "SAML providers are not kept"),
		refused("CreateVirtualMFADevice", "MFA devices are not kept"),
	)
	return s
}

// Page is what list operations take and give for long lists.
type Page struct {
	Marker   string
	MaxItems *int
}

// cut returns one page of a list and how to ask for the next.
func cut[T any](list []T, page Page) (part []T, truncated bool, next string) {
	from, _ := strconv.Atoi(page.Marker)
	from = min(max(from, 0), len(list))
	size := 100
	if page.MaxItems != nil {
		size = min(max(*page.MaxItems, 1), 1000)
	}
	to := min(from+size, len(list))
	if to < len(list) {
		return list[from:to], true, strconv.Itoa(to)
	}
	return list[from:to], false, ""
}

// Named is the input of the many operations that name an identity and little
// else. Each takes the name of its own kind.
type Named struct {
	UserName  string `json:",omitempty"`
	RoleName  string `json:",omitempty"`
	GroupName string `json:",omitempty"`
}

// of returns the name for a kind; another kind's name is refused.
func (n Named) of(kind string) (string, error) {
	names := map[string]string{"user": n.UserName, "role": n.RoleName, "group": n.GroupName}
	for other, name := range names {
		if other != kind && name != "" {
			return "", invalid("the member %sName does not belong here", title(other))
		}
	}
	if names[kind] == "" {
		return "", invalid("1 validation error detected: Value null at '%sName' failed to satisfy constraint: Member must not be null", kind)
	}
	return names[kind], nil
}

// target is the ARN of an identity for authorization: its own if it exists,
// else what it would be with the path "/".
func (a *Access) target(kind, name string) string {
	_, shown := a.kindOf(kind)
	if x, ok := shown.get(name); ok {
		return x.ARN
	}
	return a.arn(kind, "/", name)
}

// onNamed is the resource of an operation whose input embeds Named.
func onNamed[In interface{ of(string) (string, error) }](a *Access, kind string) wire.Option {
	return wire.On(func(_ *wire.Call, in *In) string {
		name, _ := (*in).of(kind)
		return a.target(kind, name)
	})
}
