package rights

import (
	"testing"

	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Nobody's operation is performed with the rights of whoever began the one before
// it.
func TestRights(t *testing.T) {
	r := Rights{
		CallerFor:  func(arn string) (*wire.Caller, error) { return &wire.Caller{ARN: arn, UserID: "found"}, nil },
		RoleCaller: func(arn string) (*wire.Caller, error) { return &wire.Caller{RoleARN: arn, UserID: "trusting"}, nil },
	}
	const user, role = "arn:aws:iam::123456789012:user/a", "arn:aws:iam::123456789012:role/r"
	own := &wire.Caller{ARN: user, UserID: "own"}
	session := &wire.Caller{ARN: "arn:aws:sts::123456789012:assumed-role/r/s", RoleARN: role, UserID: "session"}
	for _, c := range []struct {
		st     records.Stack
		caller *wire.Caller
		want   string
	}{
		{records.Stack{OwnerARN: user}, own, "own"},
		{records.Stack{OwnerARN: role}, session, "session"},
		{records.Stack{OwnerARN: user}, session, "found"},
		{records.Stack{OwnerARN: role}, own, "found"},
		{records.Stack{OwnerARN: user}, nil, "found"},
		{records.Stack{OwnerARN: user, RoleARN: role}, own, "trusting"},
	} {
		if got, err := r.Of(&c.st, c.caller); err != nil || got.UserID != c.want {
			t.Errorf("%+v, launched for %+v: %+v, %v", c.st, c.caller, got, err)
		}
	}
}
