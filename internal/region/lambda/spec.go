package lambda

import (
	"context"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
)

// spec is what environments of a version run.
func (l *Lambda) spec(ctx context.Context, name string, v *model.Version) (*environment.Spec, error) {
	runtime, err := l.runtimes.Find(ctx, v.Runtime)
	if err != nil {
		return nil, err
	}
	if runtime.Warning != "" {
		l.warnOnce(runtime.Warning)
	}
	root, opt := l.code.Path(v.CodeSHA), ""
	if v.Opt != "" {
		opt = l.code.Path(v.Opt)
	}
	runtimeDir := runtime.Dir
	if runtimeDir == "" {
		runtimeDir = l.clients
	}
	spec := &environment.Spec{
		FunctionName: name, Version: v.Version, FunctionARN: l.ARN(name, ""), Region: l.config.Region,
		Runtime: v.Runtime, Handler: v.Handler, RoleARN: v.Role, Managed: runtime.Managed,
		Early:   runtime.Early(v.Variables),
		Command: runtime.Start(root, opt, v.Variables["AWS_LAMBDA_EXEC_WRAPPER"]), TaskRoot: root, RuntimeDir: runtimeDir, OptDir: opt,
		MemoryMB: v.MemorySize, Timeout: time.Duration(v.Timeout) * time.Second, Variables: v.Variables,
		LogGroup: v.Logging.LogGroup, LogFormat: v.Logging.LogFormat,
		ApplicationLogLevel: v.Logging.ApplicationLogLevel, SystemLogLevel: v.Logging.SystemLogLevel,
	}
	if l.config.Debug != nil {
		err = l.config.Debug(spec)
	}
	return spec, err
}
