package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/access"
	"github.com/seed-615d3599/roost/internal/region/params"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
	"github.com/seed-615d3599/roost/internal/region/stacks"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

const (
	account = "123456789012"
	name    = "us-east-1"
	user    = "bench"
)

// region is as much of the embedded region as the templates need.
type region struct {
	db     *store.DB
	stacks *stacks.Stacks
	wire   *wire.Service
	caller *wire.Caller
	object []byte // the template in S3
}

func open(dir string) (*region, error) {
	db, err := store.Open(filepath.Join(dir, "region.db"))
	if err != nil {
		return nil, err
	}
	r := &region{db: db}
	key := bytes.Repeat([]byte{1}, 32)
	people, err := access.New(access.Config{Account: account, Region: name, DB: db, MasterKey: key})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	values, err := params.New(params.Config{Account: account, Region: name, DB: db, MasterKey: key})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	services := map[string]*wire.Service{"iam": people.IAM(), "ssm": values.Service()}
	r.stacks = stacks.New(stacks.Config{
		Account: account, Region: name, DB: db, Types: standard.Registry(), Services: services, CallerFor: people.CallerFor,
		Object: func(context.Context, *wire.Caller, string, string) ([]byte, error) { return r.object, nil },
	})
	r.wire = r.stacks.Service()
	services["cloudformation"] = r.wire
	for _, service := range services {
		service.Authorize = people.Authorize
	}
	if _, _, err = people.EnsureUser(context.Background(), user); err == nil {
		r.caller, err = people.CallerFor("arn:aws:iam::" + account + ":user/" + user)
	}
	return r, err
}

func (r *region) close() error { return errors.Join(r.stacks.Close(), r.db.Close()) }

// deploy creates or updates the stack and returns how long that took until it
// was at rest.
func (r *region) deploy(operation string, body []byte, done string) (time.Duration, error) {
	r.object = body
	ctx := context.Background()
	call := wire.Call{Caller: r.caller, Account: account, Region: name}
	begun := time.Now()
	err := r.wire.Call(ctx, call, operation, map[string]any{
		"StackName": "bench", "TemplateURL": "https://b.s3.amazonaws.com/template", "Capabilities": []string{"CAPABILITY_IAM"},
	}, nil)
	if err != nil {
		return 0, err
	}
	for {
		changed := r.stacks.Changed()
		var out stacks.DescribeStacksOutput
		if err := r.wire.Call(ctx, call, "DescribeStacks", map[string]any{"StackName": "bench"}, &out); err != nil {
			return 0, err
		}
		switch st := out.Stacks[0]; st.StackStatus {
		case done:
			return time.Since(begun), nil
		case "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE":
			return 0, fmt.Errorf("the stack is %s: %s", st.StackStatus, st.StackStatusReason)
		}
		<-changed
	}
}

// template has n resources, every other one a role; value is that of the last
// parameter.
func template(n int, value string) ([]byte, error) {
	trust := map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"},
	}}}
	all := map[string]any{}
	for i := range n {
		id := fmt.Sprintf("R%03d", i)
		switch {
		case i == n-1:
			all[id] = map[string]any{"Type": "AWS::SSM::Parameter", "Properties": map[string]any{"Type": "String", "Value": value}}
		case i%2 == 0:
			all[id] = map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"AssumeRolePolicyDocument": trust}}
		default:
			all[id] = map[string]any{"Type": "AWS::SSM::Parameter", "Properties": map[string]any{"Type": "String", "Value": "v"}}
		}
	}
	return json.Marshal(map[string]any{"Resources": all})
}

// measured is what one round gives.
type measured struct {
	row    time.Duration // one row, committed by itself
	create time.Duration // the whole stack
	update time.Duration // of one resource, without the parsing of the template
}

func measure(n int) (m measured, err error) {
	dir, err := os.MkdirTemp("", "bench-stacks")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(dir)
	r, err := open(dir)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if m.row, err = r.rows(100); err != nil {
		return m, err
	}
	first, err := template(n, "first")
	if err != nil {
		return m, err
	}
	if m.create, err = r.deploy("CreateStack", first, "CREATE_COMPLETE"); err != nil {
		return m, err
	}
	second, err := template(n, "second")
	if err != nil {
		return m, err
	}
	parsing, err := parse(second)
	if err != nil {
		return m, err
	}
	m.update, err = r.deploy("UpdateStack", second, "UPDATE_COMPLETE")
	m.update -= parsing
	return m, err
}

// rows commits n rows one by one and returns how long one took.
func (r *region) rows(n int) (time.Duration, error) {
	begun := time.Now()
	for i := range n {
		err := r.db.Update(context.Background(), func(_ context.Context, tx *store.Tx) error {
			return tx.Put("bench", fmt.Sprint(i), map[string]any{"Value": i, "Text": "a row of about the size of a resource's name"})
		})
		if err != nil {
			return 0, err
		}
	}
	return time.Since(begun) / time.Duration(n), nil
}

// parse returns how long it takes to read a template and to settle its
// parameters, references and order.
func parse(body []byte) (time.Duration, error) {
	begun := time.Now()
	t, err := cfn.Parse("template", body)
	if err != nil {
		return 0, err
	}
	values, err := t.Resolve(cfn.Given{})
	if err != nil {
		return 0, err
	}
	_, err = cfn.New(t, values, cfn.Pseudo{AccountID: account, Region: name})
	return time.Since(begun), err
}
