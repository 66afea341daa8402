// Package rights says with whose rights the operations on a stack are performed:
// those of the stack's role, or of who began what is under way.
//
//	st.OwnerARN = rights.Owner(caller)       // as an operation begins
//	r := rights.Rights{CallerFor: …, RoleCaller: …}
//	caller, err := r.Of(st, launchedFor)     // as it is performed, perhaps after a restart
package rights

import (
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Rights makes the callers with whose rights operations are performed.
type Rights struct {
	// CallerFor makes the caller of the user or role of an ARN, with whose rights
	// a stack goes on after a restart.
	CallerFor func(arn string) (*wire.Caller, error)
	// RoleCaller makes the caller of a stack's RoleARN, if that role trusts
	// CloudFormation.
	RoleCaller func(roleARN string) (*wire.Caller, error)
}

// Of returns the caller with whose rights a stack's resources are made. The one
// whom a run was launched for, if any, counts only while what is under way is that
// caller's: the run takes up at once what somebody else begins as its own operation
// ends.
func (r Rights) Of(st *records.Stack, caller *wire.Caller) (*wire.Caller, error) {
	switch {
	case st.RoleARN != "":
		return r.RoleCaller(st.RoleARN)
	case caller != nil && Owner(caller) == st.OwnerARN:
		return caller, nil
	}
	return r.CallerFor(st.OwnerARN)
}

// Owner is the ARN by which a caller's rights can be had again later.
func Owner(caller *wire.Caller) string {
	switch {
	case caller == nil:
		return ""
	case caller.RoleARN != "":
		return caller.RoleARN
	}
	return caller.ARN
}

// Inherit has what happens to a nested stack from now on done with the rights of
// its parent's operation, whoever made it.
func Inherit(parent, nested *records.Stack) {
	nested.OwnerARN, nested.RoleARN = parent.OwnerARN, parent.RoleARN
}
