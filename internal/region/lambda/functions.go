package lambda

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/code"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (l *Lambda) now() string {
	return l.config.Now().UTC().Format("2006-01-02T15:04:05.000-0700")
}

func codeSha256(sha string) string { return code.Archive{SHA256: sha}.Base64() }

func (l *Lambda) createFunction(ctx context.Context, _ *wire.Call, in *createFunctionInput) (*configuration, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	if err := refuseOnCreate(in); err != nil {
		return nil, err
	}
	v := version{Version: latest, Timeout: 3, MemorySize: 128, Tracing: "PassThrough", Storage: 512, SnapStart: "None",
		Architecture: "x86_64", Logging: loggingConfig{LogFormat: "Text", LogGroup: "/aws/lambda/" + name}}
	if err := architecture(in.Architectures, &v); err != nil {
		return nil, err
	}
	if err := l.apply(ctx, &v, &in.settings); err != nil {
		return nil, err
	}
	if err := l.takeCode(ctx, name, &v, in.Code); err != nil {
		return nil, err
	}
	v.Revision, v.Modified = newID(), l.now()
	doc := &function{Name: name, Created: v.Modified, Latest: v, NextVersion: 1, Tags: in.Tags}
	shown := &doc.Latest
	err = l.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if found, err := tx.Get(kindFunction, name, &function{}); err != nil || found {
			if found {
				err = conflict("Function already exist: " + name)
			}
			return err
		}
		if in.Publish {
			shown = doc.publishVersion(nil)
		}
		return l.put(tx, doc)
	})
	if err != nil {
		return nil, err
	}
	out := l.describe(name, shown, "")
	return &out, nil
}

// refuseOnCreate names what only AWS can do.
func refuseOnCreate(in *createFunctionInput) error {
	switch {
	case in.PackageType == "Image" || in.Code.ImageURI != "":
		return invalid("function " + in.FunctionName + ": container images are not run here: use PackageType Zip")
	case in.PackageType != "" && in.PackageType != "Zip":
		return invalid("unknown PackageType " + in.PackageType)
	case in.CodeSigningConfigArn != "":
		return invalid("function " + in.FunctionName + ": code signing (CodeSigningConfigArn) is not supported here")
	case in.Runtime == "" || in.Handler == "":
		return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	case in.Role == "":
		return invalid("function " + in.FunctionName + ": Role is missing")
	}
	return nil
}

func architecture(given []string, v *version) error {
	if len(given) == 0 {
		return nil
	}
	if len(given) != 1 || given[0] != "x86_64" && given[0] != "arm64" {
		return invalid("Architectures must be one of x86_64 and arm64, not " + strings.Join(given, ", "))
	}
	v.Architecture = given[0]
	return nil
}

// takeCode fetches, unpacks and checks the code of an input.
func (l *Lambda) takeCode(ctx context.Context, name string, v *version, in functionCode) error {
	if in.ImageURI != "" {
		return invalid("function " + name + ": container images are not run here: use a zip file")
	}
	archive, err := l.fetch(ctx, layerContent{ZipFile: in.ZipFile, S3Bucket: in.S3Bucket, S3Key: in.S3Key, S3ObjectVersion: in.S3ObjectVersion})
	if err != nil {
		return err
	}
	if strings.HasPrefix(v.Runtime, "provided") {
		if err := code.Runnable(l.code.Path(archive.SHA256)); err != nil {
			return invalid("function " + name + ": " + err.Error())
		}
	}
	v.CodeSHA, v.CodeSize = archive.SHA256, archive.Size
	return nil
}

// fetch brings an archive into the code store.
func (l *Lambda) fetch(ctx context.Context, in layerContent) (code.Archive, error) {
	var body io.Reader = bytes.NewReader(in.ZipFile)
	if len(in.ZipFile) == 0 {
		if in.S3Bucket == "" || in.S3Key == "" {
			return code.Archive{}, invalid("Please provide a source for function code.")
		}
		if l.config.Objects == nil {
			return code.Archive{}, invalid("code from S3 is not available here")
		}
		object, err := l.config.Objects.Object(ctx, in.S3Bucket, in.S3Key, in.S3ObjectVersion)
		if err != nil {
			return code.Archive{}, invalid("Error occurred while GetObject. S3 Error Code: " + orElse(wire.Code(err), "NoSuchKey") + ". S3 Error Message: " + text(err))
		}
		defer object.Close()
		body = object
	}
	archive, err := l.code.Add(body)
	var path *os.PathError
	if errors.As(err, &path) || err == nil {
		return archive, err
	}
	return archive, invalid(err.Error())
}

// text is an error's message without its code.
func text(err error) string {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// publishVersion makes a version of $LATEST, or returns the newest one where
// nothing has changed since.
func (f *function) publishVersion(description *string) *version {
	if n := len(f.Versions); n > 0 && sameVersion(&f.Versions[n-1], &f.Latest) && description == nil {
		return &f.Versions[n-1]
	}
	v := f.Latest
	v.Version, v.Revision = strconv.Itoa(f.NextVersion), newID()
	if description != nil {
		v.Description = *description
	}
	f.NextVersion++
	f.Versions = append(f.Versions, v)
	f.Latest.Revision = newID()
	return &f.Versions[len(f.Versions)-1]
}

func sameVersion(published, current *version) bool {
	a, b := *published, *current
	a.Version, a.Revision, a.Modified, a.Description = b.Version, b.Revision, b.Modified, b.Description
	a.Updated, b.Updated = false, false
	return equalJSON(a, b)
}

func (l *Lambda) getFunction(ctx context.Context, _ *wire.Call, in *ref) (*getFunctionOutput, error) {
	f, v, qualifier, err := l.lookup(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &getFunctionOutput{Configuration: l.describe(f.Name, v, qualifier), Code: codeLocation{RepositoryType: "S3"}, Tags: f.Tags}
	if f.Reserved != nil {
		out.Concurrency = &concurrencyShape{ReservedConcurrentExecutions: f.Reserved}
	}
	return out, nil
}

func (l *Lambda) getFunctionConfiguration(ctx context.Context, _ *wire.Call, in *ref) (*configuration, error) {
	f, v, qualifier, err := l.lookup(ctx, in)
	if err != nil {
		return nil, err
	}
	out := l.describe(f.Name, v, qualifier)
	return &out, nil
}

// lookup finds the version that an input means.
func (l *Lambda) lookup(ctx context.Context, in *ref) (*function, *version, string, error) {
	name, qualifier, err := l.resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, nil, "", err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		if wire.Code(err) == "ResourceNotFoundException" {
			err = l.noFunction(name, qualifier)
		}
		return nil, nil, "", err
	}
	v, ok := f.find(qualifier)
	if !ok {
		return nil, nil, "", l.noFunction(name, qualifier)
	}
	return f, v, qualifier, nil
}

func (l *Lambda) updateFunctionCode(ctx context.Context, _ *wire.Call, in *updateFunctionCodeInput) (*configuration, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	// The code is unpacked before the transaction begins.
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	fresh := f.Latest
	if err := architecture(in.Architectures, &fresh); err != nil {
		return nil, err
	}
	if err := l.takeCode(ctx, name, &fresh, in.functionCode); err != nil {
		return nil, err
	}
	if in.DryRun {
		out := l.describe(name, &fresh, "")
		return &out, nil
	}
	return l.changeLatest(ctx, name, in.RevisionID, in.Publish, func(v *version) {
		v.CodeSHA, v.CodeSize, v.Architecture = fresh.CodeSHA, fresh.CodeSize, fresh.Architecture
	})
}

func (l *Lambda) updateFunctionConfiguration(ctx context.Context, _ *wire.Call, in *updateFunctionConfigurationInput) (*configuration, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	fresh := f.Latest
	if err := l.apply(ctx, &fresh, &in.settings); err != nil {
		return nil, err
	}
	return l.changeLatest(ctx, name, in.RevisionID, false, func(v *version) {
		fresh.CodeSHA, fresh.CodeSize, fresh.Architecture = v.CodeSHA, v.CodeSize, v.Architecture
		*v = fresh
	})
}

// changeLatest changes $LATEST and perhaps publishes a version of it.
func (l *Lambda) changeLatest(ctx context.Context, name, revision string, publish bool, f func(*version)) (*configuration, error) {
	var out configuration
	err := l.change(ctx, name, func(doc *function) error {
		if revision != "" && revision != doc.Latest.Revision {
			return stale()
		}
		f(&doc.Latest)
		doc.Latest.Revision, doc.Latest.Modified, doc.Latest.Updated = newID(), l.now(), true
		shown := &doc.Latest
		if publish {
			shown = doc.publishVersion(nil)
		}
		out = l.describe(name, shown, "")
		return nil
	})
	return &out, err
}

func (l *Lambda) deleteFunction(ctx context.Context, _ *wire.Call, in *ref) (*empty, error) {
	name, qualifier, err := l.resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if qualifier == latest {
		return nil, invalid("$LATEST version cannot be deleted without deleting the function.")
	}
	if qualifier != "" {
		return &empty{}, l.deleteVersion(ctx, name, qualifier)
	}
	return &empty{}, l.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		found, err := tx.Get(kindFunction, name, &function{})
		if err != nil {
			return err
		}
		if !found {
			return l.noFunction(name, "")
		}
		tx.OnCommit(func() { l.publish(name, nil) })
		return tx.Delete(kindFunction, name)
	})
}

func (l *Lambda) deleteVersion(ctx context.Context, name, qualifier string) error {
	return l.change(ctx, name, func(f *function) error {
		for alias, a := range f.Aliases {
			if _, weighted := a.Weights[qualifier]; a.Version == qualifier || weighted {
				return conflict("Cannot delete version " + qualifier + " of the function: the alias " + alias + " references it")
			}
		}
		for i := range f.Versions {
			if f.Versions[i].Version == qualifier {
				f.Versions = append(f.Versions[:i], f.Versions[i+1:]...)
				delete(f.Policies, qualifier)
				return nil
			}
		}
		return nil // deleting what is not there is no error
	})
}

func (l *Lambda) listFunctions(ctx context.Context, _ *wire.Call, in *listFunctionsInput) (*listFunctionsOutput, error) {
	var all []configuration
	err := l.config.DB.View(ctx, func(tx *store.Tx) error {
		functions, err := store.All[*function](tx, kindFunction, "")
		for _, f := range functions {
			all = append(all, l.describe(f.Name, &f.Latest, ""))
			if in.FunctionVersion != "ALL" {
				continue
			}
			all[len(all)-1].FunctionArn = l.arn(f.Name, latest)
			for i := range f.Versions {
				all = append(all, l.describe(f.Name, &f.Versions[i], ""))
			}
		}
		return err
	})
	out := &listFunctionsOutput{}
	out.Functions, out.NextMarker = paginate(all, in.page, func(c configuration) string { return c.FunctionName + "\x00" + versionKey(c.Version) })
	return out, err
}

func (l *Lambda) publishVersionOp(ctx context.Context, _ *wire.Call, in *publishVersionInput) (*configuration, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var out configuration
	err = l.change(ctx, name, func(f *function) error {
		if in.RevisionID != "" && in.RevisionID != f.Latest.Revision {
			return stale()
		}
		if in.CodeSha256 != "" && in.CodeSha256 != codeSha256(f.Latest.CodeSHA) {
			return invalid("CodeSHA256 (" + in.CodeSha256 + ") is different from current CodeSHA256 in $LATEST (" + codeSha256(f.Latest.CodeSHA) + "). Please try again with the CodeSHA256 in $LATEST.")
		}
		out = l.describe(name, f.publishVersion(in.Description), "")
		return nil
	})
	return &out, err
}

func (l *Lambda) listVersions(ctx context.Context, _ *wire.Call, in *listByFunctionInput) (*listVersionsOutput, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	all := []configuration{l.describe(name, &f.Latest, latest)}
	for i := range f.Versions {
		all = append(all, l.describe(name, &f.Versions[i], ""))
	}
	out := &listVersionsOutput{}
	out.Versions, out.NextMarker = paginate(all, in.page, func(c configuration) string { return versionKey(c.Version) })
	return out, nil
}

// spec is what environments of a version run.
func (l *Lambda) spec(ctx context.Context, name string, v *version) (*environmentSpec, error) {
	runtime, err := l.runtimes.Find(ctx, v.Runtime)
	if err != nil {
		return nil, err
	}
	if runtime.Warning != "" {
		l.warnOnce(runtime.Warning)
	}
	root, opt := l.code.Path(v.CodeSHA), l.optFolder(v)
	runtimeDir := runtime.Dir
	if runtimeDir == "" {
		runtimeDir = filepath.Join(l.config.Dir, "runtimes")
	}
	return &environmentSpec{
		FunctionName: name, Version: v.Version, FunctionARN: l.arn(name, ""), Region: l.config.Region,
		Runtime: v.Runtime, Handler: v.Handler, RoleARN: v.Role, Managed: runtime.Managed,
		Command: runtime.Start(root, opt, v.Variables["AWS_LAMBDA_EXEC_WRAPPER"]), TaskRoot: root, RuntimeDir: runtimeDir, OptDir: opt,
		MemoryMB: v.MemorySize, Timeout: time.Duration(v.Timeout) * time.Second, Variables: v.Variables,
		LogGroup: v.Logging.LogGroup, LogFormat: v.Logging.LogFormat,
		ApplicationLogLevel: v.Logging.ApplicationLogLevel, SystemLogLevel: v.Logging.SystemLogLevel,
	}, nil
}
