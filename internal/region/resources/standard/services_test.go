package standard_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/seed-615d3599/roost/internal/region/access"
	"github.com/seed-615d3599/roost/internal/region/assets"
	"github.com/seed-615d3599/roost/internal/region/ecr"
	"github.com/seed-615d3599/roost/internal/region/httpapi"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/identity"
	"github.com/seed-615d3599/roost/internal/region/kms"
	"github.com/seed-615d3599/roost/internal/region/lambda"
	"github.com/seed-615d3599/roost/internal/region/logs"
	"github.com/seed-615d3599/roost/internal/region/params"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/secrets"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// errUnderstood ends a call once its input was understood and its targets told.
var errUnderstood = errors.New("understood")

// noPorts gives APIs addresses at which nobody listens.
type noPorts struct{}

func (noPorts) Open(apiID string, _ int) (int, string, error) {
	return 1, "http://" + apiID + ".localhost", nil
}
func (noPorts) Close(string) {}

const (
	testAccount = "123456789012"
	testRegion  = "us-east-1"
)

// openState makes a state file.
func openState(t *testing.T) *store.DB {
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// services makes the region's services over one state file. verdict is what
// everybody's authorization comes to.
func services(t *testing.T, db *store.DB, verdict error) map[string]*wire.Service {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	functions, err := lambda.New(lambda.Config{DB: db, Dir: t.TempDir(), Region: testRegion, Account: testAccount})
	must(err)
	t.Cleanup(func() { functions.Close() })
	groups, err := logs.New(logs.Config{DB: db, Region: testRegion, Account: testAccount})
	must(err)
	t.Cleanup(func() { groups.Close() })
	buckets, err := assets.New(assets.Config{DB: db, Dir: t.TempDir(), Region: testRegion, Account: testAccount})
	must(err)
	parameters, err := params.New(params.Config{DB: db, Account: testAccount, Region: testRegion, MasterKey: make([]byte, 32)})
	must(err)
	hidden, err := secrets.New(secrets.Config{DB: db, Account: testAccount, Region: testRegion, MasterKey: make([]byte, 32)})
	must(err)
	iam, err := access.New(access.Config{DB: db, Account: testAccount, Region: testRegion, MasterKey: make([]byte, 32)})
	must(err)
	pools, err := identity.New(identity.Config{Account: testAccount, Region: testRegion, Store: db,
		Assume: func(context.Context, identity.SessionRequest) (identity.SessionCredentials, error) {
			return identity.SessionCredentials{}, errors.New("nobody signs in")
		}})
	must(err)
	g, err := gateway.New(gateway.Config{Account: testAccount, Region: testRegion, Functions: functions})
	must(err)
	apis, err := httpapi.New(t.Context(), httpapi.Config{Account: testAccount, Region: testRegion, DB: db, Gateway: g, Ports: noPorts{}})
	must(err)
	all := map[string]*wire.Service{}
	for _, service := range []*wire.Service{
		iam.IAM(), functions.Service(), groups.Service(), buckets.Service(), parameters.Service(), hidden.Service(),
		ecr.New(ecr.Config{DB: db, Account: testAccount, Region: testRegion}).Service(),
		kms.New(kms.Config{DB: db, Account: testAccount, Region: testRegion}).Service(), apis.Service(), pools.Service(),
	} {
		service.Authorize = func(context.Context, *wire.Call, []wire.Target) error { return verdict }
		all[service.Name] = service
	}
	return all
}

// TestServicesUnderstand passes every call that a type makes to the service
// itself, which refuses an operation or a member that it does not have.
func TestServicesUnderstand(t *testing.T) {
	real := services(t, openState(t), errUnderstood)
	stories(t, func(t *testing.T, _ string, _ *txtar.Archive, kind *resources.Type, steps []map[string]any) {
		s := &story{kind: kind, answer: answers(t)}
		s.tellAll(steps)
		for _, c := range s.calls {
			service, ok := real[c.service]
			if !ok {
				t.Errorf("there is no service %s", c.service)
				continue
			}
			err := service.Call(context.Background(), wire.Call{Account: testAccount, Region: testRegion}, c.operation, c.input, nil)
			if !errors.Is(err, errUnderstood) {
				t.Errorf("%s%v", c, err)
			}
		}
	})
}
