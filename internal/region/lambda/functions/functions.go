// Package functions keeps Lambda functions: their configuration and code, their
// published versions, aliases and tags.
//
//	f := &functions.Functions{Documents: docs, Layers: layers, Runtimes: installed, Warn: warn}
//	operations := f.Operations()
package functions

import (
	"context"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/lambda/code"
	"github.com/seed-615d3599/roost/internal/region/lambda/layers"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/lambda/runtimes"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Functions is the functions' part of the service.
type Functions struct {
	*model.Documents
	Layers   *layers.Layers
	Runtimes *runtimes.Installed
	Location func(sha256 string) string // where an archive is served; empty: nowhere
	Warn     func(message string)       // called again for the same difference
}

// codeSha256 is a hash as the API shows it.
func codeSha256(sha string) string { return code.Archive{SHA256: sha}.Base64() }

func (l *Functions) createFunction(ctx context.Context, call *wire.Call, in *createFunctionInput) (*configuration, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	if err := refuseOnCreate(in); err != nil {
		return nil, err
	}
	v := model.Version{Version: model.Latest, Timeout: 3, MemorySize: 128, Tracing: "PassThrough", Storage: 512, SnapStart: "None",
		Architecture: "x86_64", Logging: model.LoggingConfig{LogFormat: "Text", LogGroup: "/aws/lambda/" + name}}
	if err := architecture(in.Architectures, &v); err != nil {
		return nil, err
	}
	if err := l.apply(ctx, &v, &in.settings); err != nil {
		return nil, err
	}
	if err := l.takeCode(ctx, call.Caller, name, &v, in.Code); err != nil {
		return nil, err
	}
	v.Revision, v.Modified = model.NewID(), l.NowText()
	doc := &model.Function{Name: name, Created: v.Modified, Latest: v, NextVersion: 1, Tags: in.Tags}
	shown := &doc.Latest
	err = l.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if found, err := tx.Get(model.KindFunction, name, &model.Function{}); err != nil || found {
			if found {
				err = model.Conflict("Function already exist: " + name)
			}
			return err
		}
		if in.Publish {
			shown = publishVersion(doc, nil)
		}
		return l.Put(tx, doc)
	})
	if err != nil {
		return nil, err
	}
	out := l.describe(name, shown, "")
	// It can be invoked now, but clients that wait expect to begin here.
	out.State, out.StateReason, out.StateReasonCode, out.LastUpdateStatus = "Pending", "The function is being created.", "Creating", ""
	return &out, nil
}

// refuseOnCreate names what only AWS can do.
func refuseOnCreate(in *createFunctionInput) error {
	switch {
	case in.PackageType == "Image" || in.Code.ImageURI != "":
		return model.Invalid("function " + in.FunctionName + ": container images are not run here: use PackageType Zip")
	case in.PackageType != "" && in.PackageType != "Zip":
		return model.Invalid("unknown PackageType " + in.PackageType)
	case in.CodeSigningConfigArn != "":
		return model.Invalid("function " + in.FunctionName + ": code signing (CodeSigningConfigArn) is not supported here")
	case in.Runtime == "" || in.Handler == "":
		return model.Invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	case in.Role == "":
		return model.Invalid("function " + in.FunctionName + ": Role is missing")
	}
	return nil
}

func architecture(given []string, v *model.Version) error {
	if len(given) == 0 {
		return nil
	}
	if len(given) != 1 || given[0] != "x86_64" && given[0] != "arm64" {
		return model.Invalid("Architectures must be one of x86_64 and arm64, not " + strings.Join(given, ", "))
	}
	v.Architecture = given[0]
	return nil
}

// takeCode fetches, unpacks and checks the code of an input.
func (l *Functions) takeCode(ctx context.Context, caller *wire.Caller, name string, v *model.Version, in functionCode) error {
	if in.ImageURI != "" {
		return model.Invalid("function " + name + ": container images are not run here: use a zip file")
	}
	archive, err := l.Layers.Fetch(ctx, caller, layers.Source{ZipFile: in.ZipFile, S3Bucket: in.S3Bucket, S3Key: in.S3Key, S3ObjectVersion: in.S3ObjectVersion})
	if err != nil {
		return err
	}
	if strings.HasPrefix(v.Runtime, "provided") {
		if err := code.Runnable(l.Layers.Code.Path(archive.SHA256)); err != nil {
			return model.Invalid("function " + name + ": " + err.Error())
		}
	}
	v.CodeSHA, v.CodeSize = archive.SHA256, archive.Size
	return nil
}

// publishVersion makes a version of $LATEST, or returns the newest one where
// nothing has changed since.
func publishVersion(f *model.Function, description *string) *model.Version {
	if n := len(f.Versions); n > 0 && sameVersion(&f.Versions[n-1], &f.Latest) && description == nil {
		return &f.Versions[n-1]
	}
	v := f.Latest
	v.Version, v.Revision = strconv.Itoa(f.NextVersion), model.NewID()
	if description != nil {
		v.Description = *description
	}
	f.NextVersion++
	f.Versions = append(f.Versions, v)
	f.Latest.Revision = model.NewID()
	return &f.Versions[len(f.Versions)-1]
}

func sameVersion(published, current *model.Version) bool {
	a, b := *published, *current
	a.Version, a.Revision, a.Modified, a.Description = b.Version, b.Revision, b.Modified, b.Description
	return model.EqualJSON(a, b)
}

func (l *Functions) getFunction(ctx context.Context, _ *wire.Call, in *model.Ref) (*getFunctionOutput, error) {
	f, v, qualifier, err := l.Lookup(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &getFunctionOutput{Configuration: l.describe(f.Name, v, qualifier), Code: codeLocation{RepositoryType: "S3", Location: l.Location(v.CodeSHA)}, Tags: f.Tags}
	if f.Reserved != nil {
		out.Concurrency = &model.Concurrency{ReservedConcurrentExecutions: f.Reserved}
	}
	return out, nil
}

func (l *Functions) getFunctionConfiguration(ctx context.Context, _ *wire.Call, in *model.Ref) (*configuration, error) {
	f, v, qualifier, err := l.Lookup(ctx, in)
	if err != nil {
		return nil, err
	}
	out := l.describe(f.Name, v, qualifier)
	return &out, nil
}

func (l *Functions) updateFunctionCode(ctx context.Context, call *wire.Call, in *updateFunctionCodeInput) (*configuration, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	// The code is unpacked before the transaction begins.
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	fresh := f.Latest
	if err := architecture(in.Architectures, &fresh); err != nil {
		return nil, err
	}
	if err := l.takeCode(ctx, call.Caller, name, &fresh, in.functionCode); err != nil {
		return nil, err
	}
	if in.DryRun {
		out := l.describe(name, &fresh, "")
		return &out, nil
	}
	return l.changeLatest(ctx, name, in.RevisionID, in.Publish, func(v *model.Version) {
		v.CodeSHA, v.CodeSize, v.Architecture = fresh.CodeSHA, fresh.CodeSize, fresh.Architecture
	})
}

func (l *Functions) updateFunctionConfiguration(ctx context.Context, _ *wire.Call, in *updateFunctionConfigurationInput) (*configuration, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	fresh := f.Latest
	if err := l.apply(ctx, &fresh, &in.settings); err != nil {
		return nil, err
	}
	return l.changeLatest(ctx, name, in.RevisionID, false, func(v *model.Version) {
		fresh.CodeSHA, fresh.CodeSize, fresh.Architecture = v.CodeSHA, v.CodeSize, v.Architecture
		*v = fresh
	})
}

// changeLatest changes $LATEST and perhaps publishes a version of it.
func (l *Functions) changeLatest(ctx context.Context, name, revision string, publish bool, f func(*model.Version)) (*configuration, error) {
	var out configuration
	err := l.Change(ctx, name, func(doc *model.Function) error {
		if revision != "" && revision != doc.Latest.Revision {
			return model.Stale()
		}
		f(&doc.Latest)
		doc.Latest.Revision, doc.Latest.Modified = model.NewID(), l.NowText()
		shown := &doc.Latest
		if publish {
			shown = publishVersion(doc, nil)
		}
		out = l.describe(name, shown, "")
		return nil
	})
	return &out, err
}

func (l *Functions) deleteFunction(ctx context.Context, _ *wire.Call, in *model.Ref) (*model.Empty, error) {
	name, qualifier, err := l.Resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if qualifier == model.Latest {
		return nil, model.Invalid("$LATEST version cannot be deleted without deleting the function.")
	}
	if qualifier != "" {
		return &model.Empty{}, l.deleteVersion(ctx, name, qualifier)
	}
	return &model.Empty{}, l.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		found, err := tx.Get(model.KindFunction, name, &model.Function{})
		if err != nil {
			return err
		}
		if !found {
			return l.NoFunction(name, "")
		}
		tx.OnCommit(func() { l.Publish(name, nil) })
		return tx.Delete(model.KindFunction, name)
	})
}

func (l *Functions) deleteVersion(ctx context.Context, name, qualifier string) error {
	return l.Change(ctx, name, func(f *model.Function) error {
		for alias, a := range f.Aliases {
			if _, weighted := a.Weights[qualifier]; a.Version == qualifier || weighted {
				return model.Conflict("Cannot delete version " + qualifier + " of the function: the alias " + alias + " references it")
			}
		}
		for i := range f.Versions {
			if f.Versions[i].Version == qualifier {
				f.Versions = append(f.Versions[:i], f.Versions[i+1:]...)
				f.Forget(qualifier)
				return nil
			}
		}
		return nil // deleting what is not there is no error
	})
}

func (l *Functions) listFunctions(ctx context.Context, _ *wire.Call, in *listFunctionsInput) (*listFunctionsOutput, error) {
	var all []configuration
	err := l.DB.View(ctx, func(tx *store.Tx) error {
		functions, err := store.All[*model.Function](tx, model.KindFunction, "")
		for _, f := range functions {
			all = append(all, l.describe(f.Name, &f.Latest, ""))
			if in.FunctionVersion != "ALL" {
				continue
			}
			all[len(all)-1].FunctionArn = l.ARN(f.Name, model.Latest)
			for i := range f.Versions {
				all = append(all, l.describe(f.Name, &f.Versions[i], ""))
			}
		}
		return err
	})
	out := &listFunctionsOutput{}
	out.Functions, out.NextMarker = model.Paginate(all, in.Page, func(c configuration) string { return c.FunctionName + "\x00" + versionKey(c.Version) })
	return out, err
}

func (l *Functions) publishVersionOp(ctx context.Context, _ *wire.Call, in *publishVersionInput) (*configuration, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var out configuration
	err = l.Change(ctx, name, func(f *model.Function) error {
		if in.RevisionID != "" && in.RevisionID != f.Latest.Revision {
			return model.Stale()
		}
		if in.CodeSha256 != "" && in.CodeSha256 != codeSha256(f.Latest.CodeSHA) {
			return model.Invalid("CodeSHA256 (" + in.CodeSha256 + ") is different from current CodeSHA256 in $LATEST (" + codeSha256(f.Latest.CodeSHA) + "). Please try again with the CodeSHA256 in $LATEST.")
		}
		out = l.describe(name, publishVersion(f, in.Description), "")
		return nil
	})
	return &out, err
}

func (l *Functions) listVersions(ctx context.Context, _ *wire.Call, in *model.ListInput) (*listVersionsOutput, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	all := []configuration{l.describe(name, &f.Latest, model.Latest)}
	for i := range f.Versions {
		all = append(all, l.describe(name, &f.Versions[i], ""))
	}
	out := &listVersionsOutput{}
	out.Versions, out.NextMarker = model.Paginate(all, in.Page, func(c configuration) string { return versionKey(c.Version) })
	return out, nil
}
