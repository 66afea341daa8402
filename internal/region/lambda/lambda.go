// Package lambda is the embedded region's AWS Lambda: functions with their
// versions, aliases, permissions, layers and function URLs, and their
// invocation. Functions run as processes (package environment); their code is
// kept unpacked (package code).
//
//	l, err := lambda.New(lambda.Config{DB: db, Dir: dir, Region: "us-east-1", Account: "123456789012", …})
//	service := l.Service()                  // the operations, for the edge and for CloudFormation
//	response, functionError, err := l.Invoke(ctx, functionARN, payload)
//	err = l.MayInvoke(functionARN, "apigateway.amazonaws.com", routeARN)
//	err = l.Close()
//
// State is in the store, one document for each function. What an invocation
// needs of it is an immutable snapshot behind an atomic pointer, so that a call
// takes no lock of the control plane.
package lambda

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/cgroup"
	"github.com/seed-615d3599/roost/internal/region/lambda/code"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/layers"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/lambda/runtimes"
	"github.com/seed-615d3599/roost/internal/region/lambda/urls"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what the region hands to its Lambda.
type Config struct {
	DB      *store.DB
	Dir     string // for code, runtime clients and temporary folders
	Region  string
	Account string

	Objects     layers.Objects          // nil: code comes from zip files only
	Credentials environment.Credentials // nil: functions get no credentials
	Logs        environment.Logs        // nil: logs are dropped
	Groups      environment.Groups      // nil: nothing ends the processes if the region is killed
	EndpointURL string                  // AWS_ENDPOINT_URL of the functions
	App         string                  // folder in or above which Node.js functions find the AWS SDK; "": they don't

	Now  func() time.Time     // nil: time.Now
	Warn func(message string) // told once of each difference that matters, by any goroutine; nil: nobody is

	// Debug changes what environments run before any is started: package
	// debugger. Nil changes nothing.
	Debug   func(*environment.Spec) error
	Isolate []string       // the command that runs isolation.Main; nil: functions see this machine's paths
	Memory  *cgroup.Parent // where memory is limited; nil: it is measured now and then

	// Ahead starts processes ahead of calls: the first one of a new version where
	// the old one had any, and a Node.js process for the next environment.
	Ahead bool

	// Original is the service of the region that this one's is a fork of; nil for
	// none. They share the runtime clients, what is likely to be called, and the code,
	// all of which the original keeps until the fork is closed.
	Original *Lambda

	Waiters         Waiters                         // nil: nobody waits for asynchronous calls
	MaxEnvironments int                             // 0: by cores and memory
	IdleTimeout     time.Duration                   // 0: 5 minutes
	RetryDelay      func(attempt int) time.Duration // between attempts of an asynchronous call; nil: as in Lambda
}

// Lambda is the service.
type Lambda struct {
	model.Names
	config   Config
	code     *code.Store
	clients  string // folder in which runtimes are
	runtimes *runtimes.Installed
	manager  *environment.Manager
	queue    *queue
	docs     *model.Documents

	downloads *code.Downloads
	service   *wire.Service

	snapshot atomic.Pointer[snapshot]
	lastRan  *atomic.Pointer[string] // a function's name, for Likely; nil: none has run
	warned   sync.Map                // messages that were told

	access atomic.Pointer[urls.Access] // nil until ServeURLs
	ports  Ports                       // nil until ServeURLs; set once

	mu     sync.Mutex // guards changes of the snapshot, and what follows
	sweep  *time.Timer
	forks  int // that are open
	closed bool
}

// snapshot is what invocations see: every function by its name. It is never
// changed, only replaced.
type snapshot struct {
	functions map[string]*entry
	urls      map[string]urlTarget // by URL id
}

// New opens the service on what the store holds.
func New(config Config) (*Lambda, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Warn == nil {
		config.Warn = func(string) {}
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return nil, err
	}
	config.Dir = dir
	l := &Lambda{Names: model.Names{Region: config.Region, Account: config.Account}, config: config, lastRan: &atomic.Pointer[string]{},
		code: &code.Store{Dir: filepath.Join(dir, "code")}, clients: filepath.Join(dir, "runtimes")}
	if original := config.Original; original != nil {
		l.lastRan, l.code.Base, l.clients, l.runtimes = original.lastRan, original.code, original.clients, original.runtimes
	} else if l.runtimes, err = runtimes.Install(l.clients); err != nil {
		return nil, err
	}
	temporary := filepath.Join(dir, "tmp")
	if err := os.RemoveAll(temporary); err != nil {
		return nil, fmt.Errorf("remove what an earlier region left: %w", err)
	}
	l.manager = environment.NewManager(environment.Config{
		Dir: temporary, Credentials: config.Credentials, Logs: config.Logs, Groups: config.Groups, Now: config.Now,
		EndpointURL: config.EndpointURL, App: config.App, Isolate: config.Isolate, Memory: config.Memory, Ahead: config.Ahead, MaxEnvironments: config.MaxEnvironments, IdleTimeout: config.IdleTimeout,
	})
	l.snapshot.Store(&snapshot{functions: map[string]*entry{}, urls: map[string]urlTarget{}})
	if err := l.load(); err != nil {
		l.manager.Close()
		return nil, err
	}
	l.docs = &model.Documents{Names: l.Names, DB: config.DB, Now: config.Now, Publish: l.publish}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	l.downloads = &code.Downloads{Store: l.code, Endpoint: config.EndpointURL, Key: key, Now: config.Now}
	l.service = l.operations()
	l.queue = newQueue(l)
	if err := l.queue.load(); err != nil {
		l.manager.Close()
		return nil, err
	}
	if config.Original != nil {
		config.Original.forked(1)
	}
	return l, nil
}

// forked notes forks that open, or that close.
func (l *Lambda) forked(by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forks += by
}

// Service returns the operations.
func (l *Lambda) Service() *wire.Service { return l.service }

// Paths are what is served for Lambda without a signature.
func (l *Lambda) Paths() map[string]http.Handler {
	return map[string]http.Handler{code.DownloadPath: l.downloads}
}

// Close ends every function and waits for them. Events that are queued stay in
// the store.
func (l *Lambda) Close() error {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	if l.sweep != nil {
		l.sweep.Stop()
	}
	l.mu.Unlock()
	l.queue.close()
	l.manager.Close()
	if first && l.config.Original != nil {
		l.config.Original.forked(-1)
	}
	return nil
}

// Environments returns how many function processes run.
func (l *Lambda) Environments() int { return l.manager.Running() }

// load makes the snapshot from the store, and removes code that nothing uses.
func (l *Lambda) load() error {
	return l.config.DB.View(context.Background(), func(tx *store.Tx) error {
		functions, err := store.All[*model.Function](tx, model.KindFunction, "")
		if err != nil {
			return err
		}
		for _, f := range functions {
			l.publish(f.Name, f)
		}
		return l.keepUsed(tx, functions, 0)
	})
}

// keepUsed removes the code that neither functions nor layers use, but for what
// came within the last while: a deployment may be about to use it.
func (l *Lambda) keepUsed(tx *store.Tx, functions []*model.Function, young time.Duration) error {
	layers, err := store.All[*model.LayerVersion](tx, model.KindLayer, "")
	if err != nil {
		return err
	}
	return l.code.Keep(model.UsedCode(functions, layers), young)
}

// publish replaces a function in the snapshot; nil removes it. Pools of
// versions that did not change live on, the others end when their calls have.
func (l *Lambda) publish(name string, f *model.Function) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.snapshot.Load()
	next := &snapshot{functions: maps.Clone(old.functions), urls: maps.Clone(old.urls)}
	before := old.functions[name]
	if before != nil {
		for _, config := range before.function.URLs {
			delete(next.urls, config.ID)
			if still := f != nil && hasURL(f, config.ID); !still {
				l.CloseURL(config.ID)
			}
		}
	}
	if f == nil {
		delete(next.functions, name)
	} else {
		next.functions[name] = l.newEntry(f, before)
		for qualifier, config := range f.URLs {
			next.urls[config.ID] = urlTarget{name: name, qualifier: qualifier}
		}
	}
	l.snapshot.Store(next)
	if before != nil {
		if f != nil && l.config.Ahead {
			next.functions[name].warm(before)
		}
		before.retire(next.functions[name])
		if f == nil {
			l.manager.Reserve(before.concurrency, -1)
		}
		l.sweepLater()
	}
}

// longestCall is how long a replaced version's code may still be in use.
const longestCall = 16 * time.Minute

// sweepLater removes unused code when no call can be using it any more. The
// lock is held.
func (l *Lambda) sweepLater() {
	if l.sweep != nil || l.closed {
		return
	}
	l.sweep = time.AfterFunc(longestCall, l.sweepNow)
}

// sweepNow removes unused code, or does so later where forks are open.
func (l *Lambda) sweepNow() {
	l.mu.Lock()
	l.sweep = nil
	later := l.closed || l.forks > 0
	if later {
		l.sweepLater()
	}
	l.mu.Unlock()
	if !later {
		_ = l.removeUnused()
	}
}

func (l *Lambda) removeUnused() error {
	return l.config.DB.View(context.Background(), func(tx *store.Tx) error {
		functions, err := store.All[*model.Function](tx, model.KindFunction, "")
		if err != nil {
			return err
		}
		return l.keepUsed(tx, functions, longestCall)
	})
}

// warnOnce tells of something that differs from AWS, once for the region's run.
func (l *Lambda) warnOnce(message string) {
	if _, said := l.warned.LoadOrStore(message, true); !said { // without l.mu: a target's lock may be held
		l.config.Warn(message)
	}
}
