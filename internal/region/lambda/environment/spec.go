// Package environment runs Lambda execution environments as plain processes: it
// starts a function's runtime, speaks the Runtime API with it through package
// runtimeapi, keeps time limits, collects what it logs, and ends it together
// with everything that it started.
//
// A Manager keeps the environments of all function versions of a region. For
// each version there is a Pool:
//
//	manager := environment.NewManager(config)
//	pool := manager.Pool(spec, concurrency)
//	result, err := pool.Invoke(ctx, environment.Call{Payload: payload})
//	pool.Retire() // new code came: calls in flight finish, the rest ends
//	manager.Close()
//
// An environment handles one invocation at a time. A call takes the warmest
// idle one, or else starts one where the limits allow, or else waits.
package environment

import (
	"context"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/cgroup"
)

// Spec is what the environments of one published version or of $LATEST run and
// what the function in them sees. It does not change; another configuration is
// another Spec.
type Spec struct {
	FunctionName string
	Version      string // "$LATEST" or a number
	FunctionARN  string // without a qualifier
	Region       string
	Runtime      string // such as "provided.al2023"
	Handler      string
	RoleARN      string

	Command    []string // the runtime's program and arguments
	TaskRoot   string   // the unpacked code, in place of /var/task
	RuntimeDir string   // in place of /var/runtime
	OptDir     string   // the unpacked layers, in place of /opt; empty without layers
	Managed    bool     // a managed runtime (AWS_EXECUTION_ENV is set)
	Early      bool     // the runtime can be started before it knows its function (process.FDVariable)

	MemoryMB  int
	Timeout   time.Duration
	Variables map[string]string // the function's own environment variables

	// Debug is the debugger under which the function runs, or nil. Then it has one
	// environment, paths and memory are those of this machine, and it does not end
	// for being idle.
	Debug Debug

	LogGroup            string
	LogFormat           string // "Text" (also where empty) or "JSON"
	ApplicationLogLevel string // for JSON; empty means INFO
	SystemLogLevel      string // for JSON; empty means INFO
}

// Credentials hands out credentials of a function's role.
type Credentials interface {
	Credentials(ctx context.Context, roleARN, sessionName string) (accessKeyID, secretAccessKey, sessionToken string, expires time.Time, err error)
}

// Logs takes what functions and the platform log. Write must not block for long.
type Logs interface {
	Write(group, stream string, at time.Time, message string)
}

// Groups is told of process groups; package supervisor implements it.
type Groups interface {
	Add(pgid int)
	Remove(pgid int)
	Marker() string
}

// Config is what the environments of a region share. The zero value of each
// field but Dir works.
type Config struct {
	Dir         string            // where temporary folders of environments are made
	Credentials Credentials       // nil: functions get no credentials
	Logs        Logs              // nil: logs are dropped
	Groups      Groups            // nil: if this one is killed, processes are ended on Linux, and those that they started nowhere
	Now         func() time.Time  // nil: time.Now
	EndpointURL string            // AWS_ENDPOINT_URL of the functions; empty: not set
	Extra       map[string]string // more variables for every function
	App         string            // the app's absolute folder, from which up Node.js functions find the AWS SDK; empty: they don't
	Isolate     []string          // the command that runs isolation.Main; nil: functions see this machine's paths
	Memory      *cgroup.Parent    // where memory is limited; nil: it is measured now and then

	// Ahead starts a process for the next environment ahead, beside those that
	// MaxEnvironments counts, where Spec.Early allows it.
	Ahead bool

	MaxEnvironments int           // processes at once; 0: by cores and memory
	MaxWaiting      int           // calls that wait for an environment; 0: 10,000
	AccountLimit    int           // concurrent executions of the account; 0: 1,000
	IdleTimeout     time.Duration // an idle environment ends after it; 0: 5 minutes
	InitTimeout     time.Duration // added to the function's own for the first start; 0: 10 s
}
