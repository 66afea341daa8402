package sealed

import (
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Keys says how a service finds the keys of AWS KMS that its values are encrypted
// with.
type Keys struct {
	Account string // 12 digits
	Region  string
	Service string // signing name: "ssm"
}

// Use is the permission that an action with a key needs, in a list of one: none
// for the service's own key, alias/aws/SERVICE, which everybody in the account
// may use by way of the service (KMS Developer Guide, "AWS managed keys"). The
// key is given by its id, an alias, or the ARN of either; "" is the service's own.
func (k Keys) Use(action, key string) []wire.Target {
	arn := k.arn(key)
	if key == "" || arn == k.arn("alias/aws/"+k.Service) {
		return nil
	}
	return []wire.Target{{Action: action, Resource: arn, Context: map[string][]string{
		"kms:ViaService": {k.Service + "." + k.Region + ".amazonaws.com"},
	}}}
}

func (k Keys) arn(key string) string {
	prefix := "arn:aws:kms:" + k.Region + ":" + k.Account + ":"
	switch {
	case strings.HasPrefix(key, "arn:"):
		return key
	case strings.HasPrefix(key, "alias/"):
		return prefix + key
	}
	return prefix + "key/" + key
}
