// Package region wires the embedded region: one function builds every service
// and connects them.
//
//	r, err := region.Start(ctx, region.Config{Dir: ".roost/state", Port: 4000})
//	fmt.Println(r.Endpoint)          // http://127.0.0.1:4000
//	defer r.Close()
//
// The services do not know each other. Each says in a few methods what it
// needs of others, and Start hands it over: the table of who needs whom is the
// body of build, in services.go.
package region

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/seed-615d3599/roost/internal/region/edge"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/internal/region/lambda/debugger"
	"github.com/seed-615d3599/roost/internal/region/lambda/supervisor"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// DefaultAccount is the account of an embedded region, where none is given.
const DefaultAccount = "123456789012"

// Config is what Start needs. Dir must be given.
type Config struct {
	Dir     string // of the state; made with mode 0700
	App     string // folder of the app, in or above which Node.js functions find the AWS SDK; "": they don't
	Account string // 12 digits; "" means DefaultAccount
	Region  string // "" means us-east-1

	// Port is the region's own; the Twitter stand-in has the next one, the APIs
	// those from ten above. 0 has the system pick all of them.
	Port int

	// Twitter is the base URL of another Twitter than the stand-in, such as
	// https://api.twitter.com.
	Twitter string

	// Supervisor is the command that runs supervisor.Main, so that functions
	// end even if the region is killed. Without it they end with Close only.
	Supervisor []string

	// Isolate is the command that runs isolation.Main, so that functions see
	// Lambda's own paths; nil leaves them this machine's. Start refuses it where
	// the system does not permit that.
	Isolate []string

	// Record says whether a resource type that the region does not know is to be
	// kept as a record.
	Record func(typeName string) bool

	MaxEnvironments int // of functions; 0: by cores and memory

	Now       func() time.Time
	Rand      io.Reader
	Transport http.RoundTripper    // of calls to other hosts: identity providers, HTTP_PROXY
	Warn      func(message string) // told once of each difference that matters

	// Debug is the debugger of a function; nil: none is debugged. Its caller
	// closes it after the region.
	Debug *debugger.Debugger

	// APIThrottle bounds the requests to all APIs together. A nil part of it is an
	// account's, see gateway.Config.
	APIThrottle throttle.Limit

	// Served, if given, is told of every request to an API once it is answered. It
	// must not block.
	Served func(gateway.Served)

	// Warm is how many of the functions that ran last are started at once, before
	// anybody calls them. Where it is not 0, new code of a function that runs is
	// started at once too, and a process waits for the next environment of Node.js.
	Warm int

	// Done, if given, is told of each step of Start when it is done, such as "open the
	// state", so that a person sees where the time goes.
	Done func(step string)

	// original is of a fork. Its key and its authority are the fork's too, the ports
	// that its APIs have are not, and the fork's state need not outlive a crash of
	// the machine.
	original *Region
}

// Region is a running region.
type Region struct {
	Endpoint        string // http://127.0.0.1:4000
	Twitter         string // base URL
	Account         string
	Name            string // us-east-1
	CABundle        string // PEM file of the authority that signs the region's certificates
	AccessKeyID     string // of the IAM user roost, who administers the region
	SecretAccessKey string
	MemoryLimits    string // one line: how those of functions are held

	config     Config
	key        []byte // the master key, see masterKey
	db         *store.DB
	lock       *os.File
	authority  *edge.Authority
	supervisor *supervisor.Supervisor
	services   services

	serving   sync.WaitGroup
	listeners []net.Listener
	servers   []*http.Server
	closed    sync.Once
}

// administrator is the IAM user whose key region.json holds.
const administrator = "roost"

// Start brings a region up on its state. When it returns, the region answers.
func Start(ctx context.Context, config Config) (*Region, error) {
	config = config.withDefaults()
	r := &Region{config: config, Account: config.Account, Name: config.Region}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (c Config) withDefaults() Config {
	if c.Account == "" {
		c.Account = DefaultAccount
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	if c.Done == nil {
		c.Done = func(string) {}
	}
	return c
}

func (r *Region) start(ctx context.Context) error {
	if err := r.openState(); err != nil {
		return err
	}
	r.config.Done("open the state")
	front, err := r.listen(r.config.Port, "the region")
	if err != nil {
		return err
	}
	r.Endpoint = "http://" + front.Addr().String()
	r.Twitter = r.config.Twitter
	var back net.Listener
	if r.Twitter == "" {
		if back, err = r.listen(next(r.config.Port), "the Twitter stand-in"); err != nil {
			return err
		}
		r.Twitter = "http://" + back.Addr().String()
	}
	r.config.Done("open the ports")
	if err := r.build(ctx); err != nil {
		return err
	}
	if r.AccessKeyID, r.SecretAccessKey, err = r.services.access.EnsureUser(ctx, administrator); err != nil {
		return err
	}
	r.serve(front, r.services.edge)
	if back != nil {
		r.serve(back, r.services.twitter)
	}
	r.config.Done("find the administrator, serve")
	if err := r.services.stacks.Resume(); err != nil {
		return err
	}
	r.config.Done("resume stacks")
	return nil
}

func next(port int) int {
	if port == 0 {
		return 0
	}
	return port + 1
}

// openState locks the folder of the state and opens what is in it.
func (r *Region) openState() error {
	dir, err := filepath.Abs(r.config.Dir)
	if err != nil {
		return err
	}
	r.config.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if r.lock, err = lock(filepath.Join(dir, "lock")); err != nil {
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock the state: %w", err)
		}
		return fmt.Errorf("the state in %s is in use by another region: end that one first", dir)
	}
	if err := r.openFiles(); err != nil {
		return err
	}
	r.CABundle = r.authority.CertFile
	if r.config.Supervisor == nil {
		return nil
	}
	r.supervisor, err = supervisor.StartSoon(r.config.Supervisor, "ROOST_REGION="+dir+"#"+strconv.Itoa(os.Getpid()), func(err error) {
		r.config.Warn(err.Error() + ": functions may stay where this program is killed")
	})
	return err
}

// openFiles opens the state file, with the key that it needs, and the authority.
func (r *Region) openFiles() (err error) {
	file := filepath.Join(r.config.Dir, "region.db")
	if original := r.config.original; original != nil {
		r.key, r.authority = original.key, original.authority.At(r.config.Now)
		r.db, err = store.OpenVolatile(file)
		return err
	}
	if r.key, err = r.masterKey(); err != nil { // made before the state that needs it
		return err
	}
	if r.db, err = store.Open(file); err != nil {
		return err
	}
	r.authority, err = edge.OpenAuthority(r.config.Dir, r.config.Now)
	return err
}

// masterKeySize is the master key's length in bytes.
const masterKeySize = 32

// masterKey reads the secret from which session keys derive and with which
// secrets are sealed, or makes it for a new state. A state without its key is
// refused: its sessions and secrets would be lost in silence.
func (r *Region) masterKey() ([]byte, error) {
	path := filepath.Join(r.config.Dir, "master.key")
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) == masterKeySize:
		return key, nil
	case err == nil:
		return nil, fmt.Errorf("%s has %d bytes instead of %d: put a copy of it back, or remove %s to begin anew", path, len(key), masterKeySize, r.config.Dir)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(r.config.Dir, "region.db")); err == nil {
		return nil, fmt.Errorf("%s is missing, without which sessions and secrets of this state cannot be read: put a copy of it back, or remove %s to begin anew", path, r.config.Dir)
	}
	key = make([]byte, masterKeySize)
	if _, err := io.ReadFull(r.config.Rand, key); err != nil {
		return nil, err
	}
	temporary := path + ".new"
	if err := writeDurable(temporary, key); err != nil {
		return nil, err
	}
	return key, os.Rename(temporary, path)
}

// writeDurable writes a file that only its owner may read, and waits until it is
// on the disk: renamed before that, it could be empty after a crash.
func writeDurable(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

func (r *Region) listen(port int, purpose string) (net.Listener, error) {
	listener, err := listen(port, purpose)
	if err == nil {
		r.listeners = append(r.listeners, listener)
	}
	return listener, err
}

// Bounds of the servers for control plane and sign-in.
const (
	maxHeader     = 64 << 10
	headerTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
)

// serve answers on a listener until the region closes.
func (r *Region) serve(listener net.Listener, handler http.Handler) {
	server := newServer(handler)
	r.servers = append(r.servers, server)
	sniffing := edge.Sniff(listener, r.authority.TLS())
	r.serving.Go(func() { server.Serve(sniffing) }) // it ends with http.ErrServerClosed
}

// closeTime bounds how long Close waits for answers under way.
const closeTime = 5 * time.Second

// Close ends the region: no process, port or goroutine of it is left. Its state
// stays.
func (r *Region) Close() error {
	var err error
	r.closed.Do(func() { err = r.close() })
	return err
}

func (r *Region) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	for _, server := range r.servers {
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}
	errs := []error{r.services.close()}
	for _, listener := range r.listeners {
		listener.Close() // most are closed already
	}
	r.serving.Wait()
	if r.supervisor != nil {
		errs = append(errs, r.supervisor.Close())
	}
	if r.db != nil {
		errs = append(errs, r.db.Close())
	}
	if r.lock != nil {
		errs = append(errs, r.lock.Close())
	}
	return errors.Join(errs...)
}
