package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Region is what a running embedded region says about itself in
// .roost/region.json. The file has mode 0600, because it holds a secret key.
type Region struct {
	// Endpoint is the base URL of every AWS service, http://127.0.0.1:4000.
	Endpoint string `json:"endpoint"`
	// Twitter is the base URL of the Twitter that identities come from.
	Twitter string `json:"twitter"`
	// PID is the process.
	PID int `json:"pid"`
	// Account has 12 digits, and Region is as us-east-1.
	Account string `json:"account"`
	Region  string `json:"region"`
	// CABundle is the PEM file of the authority that signs the region's own
	// certificates; empty where there is none.
	CABundle string `json:"caBundle,omitempty"`
	// AccessKeyID and SecretAccessKey are the key of the IAM user roost.
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// Region returns the running region of the app, or nil where none runs. A file
// that a process has left behind counts as absent.
func (a *App) Region() (*Region, error) { return ReadRegion(a.RegionFile()) }

// ReadRegion reads a region.json. It returns nil without an error where there
// is no file, or where its process is gone.
func ReadRegion(name string) (*Region, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := new(Region)
	if err := json.Unmarshal(data, r); err != nil || r.Endpoint == "" {
		return nil, &Error{File: name, Text: "is not what a region writes", Remedy: "stop \"roost start\" if it runs, and remove the file"}
	}
	if !running(r.PID) || !listening(r.Endpoint) {
		return nil, nil
	}
	return r, nil
}

// listening reports whether somebody answers at the endpoint. It is asked
// beside the process's number, because numbers are given again, after a
// restart of a container even at once.
func listening(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	conn, err := net.DialTimeout("tcp", u.Host, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// WriteRegion writes a region.json in one step, with mode 0600.
func WriteRegion(name string, r *Region) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return WriteSecret(name, append(data, '\n'))
}

// WriteSecret replaces a file in one step. Only its owner can read it.
func WriteSecret(name string, data []byte) error {
	return replace(name, data, 0o600)
}

// WriteFile replaces a file in one step, so that who waits for it never sees
// half of it.
func WriteFile(name string, data []byte) error {
	return replace(name, data, 0o644)
}

// replace leaves a file alone that is so already: waiting for the disk takes a
// millisecond.
func replace(name string, data []byte, mode fs.FileMode) error {
	if info, err := os.Lstat(name); err == nil && info.Mode() == mode && info.Size() == int64(len(data)) {
		if same, err := os.ReadFile(name); err == nil && bytes.Equal(same, data) {
			return nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".tmp-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(tmp.Name(), name)
}

// Outputs are the outputs of stacks by stack name and output name: the form of
// --outputs-file.
type Outputs map[string]map[string]string

// The outputs by which commands find where a stage's API answers and who signs in.
const (
	EndpointOutput = "ApiEndpoint"
	PoolOutput     = "IdentityPoolId"
)

// Named returns the values of an output in all stacks, by the stacks' names.
func (o Outputs) Named(name string) []string {
	var values []string
	for _, stack := range slices.Sorted(maps.Keys(o)) {
		if value, found := o[stack][name]; found {
			values = append(values, value)
		}
	}
	return values
}

// Outputs returns what the last deployment of the stage gave, or nil where
// there was none.
func (a *App) Outputs() (Outputs, error) {
	data, err := os.ReadFile(a.OutputsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out Outputs
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, &Error{File: a.OutputsFile(), Text: "is not valid JSON", Remedy: "deploy the stage again"}
	}
	return out, nil
}

// WriteOutputs writes outputs to a file in one step.
func WriteOutputs(name string, out Outputs) error {
	if out == nil {
		out = Outputs{}
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(name, append(data, '\n'))
}
