package functions

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
)

// apply writes the given settings to a version, after checking them against
// Lambda's limits and naming what is not supported here.
func (l *Functions) apply(ctx context.Context, v *model.Version, in *settings) error {
	if err := refuseSettings(in); err != nil {
		return err
	}
	if in.Runtime != "" {
		if _, err := l.Runtimes.Find(ctx, in.Runtime); err != nil {
			return model.Invalid(err.Error())
		}
		v.Runtime = in.Runtime
	}
	if in.Role != "" {
		if !strings.HasPrefix(in.Role, "arn:aws:iam::") || !strings.Contains(in.Role, ":role/") {
			return model.Invalid("The role " + in.Role + " is not the ARN of a role.")
		}
		v.Role = in.Role
	}
	if in.Handler != "" {
		v.Handler = in.Handler
	}
	if in.Description != nil {
		v.Description = *in.Description
	}
	if err := applyNumbers(v, in); err != nil {
		return err
	}
	if err := applyEnvironment(v, in.Environment); err != nil {
		return err
	}
	if err := applyLogging(v, in.LoggingConfig); err != nil {
		return err
	}
	if in.TracingConfig != nil {
		if in.TracingConfig.Mode != "Active" && in.TracingConfig.Mode != "PassThrough" {
			return model.Enum(in.TracingConfig.Mode, "tracingConfig.mode", "Active, PassThrough")
		}
		v.Tracing = in.TracingConfig.Mode
	}
	if in.Layers != nil {
		return l.applyLayers(ctx, v, *in.Layers)
	}
	return nil
}

func refuseSettings(in *settings) error {
	switch {
	case in.VpcConfig != nil && len(in.VpcConfig.SubnetIDs)+len(in.VpcConfig.SecurityGroupIDs) > 0:
		return model.Invalid("VpcConfig is not supported here: functions run on this machine's network")
	case in.KMSKeyArn != "":
		return model.Invalid("KMSKeyArn is not supported here: environment variables are kept in the region's state file, readable by its owner only")
	case in.DeadLetterConfig != nil && in.DeadLetterConfig.TargetArn != "":
		return model.Invalid("DeadLetterConfig: " + in.DeadLetterConfig.TargetArn + " is a target that is not supported here: use an on-failure destination that is a function")
	case in.SnapStart != nil && in.SnapStart.ApplyOn != "None":
		return model.Invalid("SnapStart is not supported here: set ApplyOn to None")
	}
	return nil
}

// applyNumbers checks the quotas of the Lambda Developer Guide.
func applyNumbers(v *model.Version, in *settings) error {
	for _, setting := range []struct {
		name     string
		value    *int
		low, top int
		target   *int
	}{
		{"timeout", in.Timeout, 1, 900, &v.Timeout},
		{"memorySize", in.MemorySize, 128, 10240, &v.MemorySize},
	} {
		if setting.value == nil {
			continue
		}
		if n := *setting.value; n < setting.low || n > setting.top {
			word, bound := "less", setting.top
			if n < setting.low {
				word, bound = "greater", setting.low
			}
			return model.Failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value %s than or equal to %d", n, setting.name, word, bound))
		}
		*setting.target = *setting.value
	}
	if in.EphemeralStorage != nil {
		if n := in.EphemeralStorage.Size; n < 512 || n > 10240 {
			return model.Failed(400, "ValidationException", fmt.Sprintf("EphemeralStorage must be between 512 and 10240 MB, not %d", n))
		}
		v.Storage = in.EphemeralStorage.Size
	}
	return nil
}

// reservedVariable reports the variables that a function may not set (Lambda Developer
// Guide, "Defined runtime environment variables").
func reservedVariable(name string) bool {
	switch name {
	case "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
		"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR":
		return true
	}
	return false
}

func applyEnvironment(v *model.Version, in *environmentShape) error {
	if in == nil {
		return nil
	}
	var reserved []string
	size := 0
	for _, name := range slices.Sorted(maps.Keys(in.Variables)) {
		size += len(name) + len(in.Variables[name])
		if reservedVariable(name) {
			reserved = append(reserved, name)
		}
		if !variableName(name) || strings.ContainsRune(in.Variables[name], 0) {
			return model.Failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+] (%q)", name))
		}
	}
	if len(reserved) > 0 {
		return model.Invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: " + strings.Join(reserved, ", "))
	}
	if size > 4096 {
		return model.Invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.")
	}
	v.Variables, v.HasVariables = in.Variables, true
	return nil
}

func variableName(name string) bool {
	for i, ch := range name {
		letter := 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z'
		if !letter && (i == 0 || ch != '_' && (ch < '0' || ch > '9')) {
			return false
		}
	}
	return len(name) >= 2
}

func applyLogging(v *model.Version, in *model.LoggingConfig) error {
	if in == nil {
		return nil
	}
	format := model.OrElse(in.LogFormat, v.Logging.LogFormat)
	if format != "Text" && format != "JSON" {
		return model.Enum(format, "loggingConfig.logFormat", "JSON, Text")
	}
	next := model.LoggingConfig{LogFormat: format, LogGroup: model.OrElse(in.LogGroup, v.Logging.LogGroup)}
	if format == "JSON" {
		next.ApplicationLogLevel = model.OrElse(in.ApplicationLogLevel, "INFO")
		next.SystemLogLevel = model.OrElse(in.SystemLogLevel, "INFO")
	} else if in.ApplicationLogLevel != "" || in.SystemLogLevel != "" {
		return model.Invalid("ApplicationLogLevel and SystemLogLevel are only supported when LogFormat is JSON")
	}
	v.Logging = next
	return nil
}

// applyLayers unpacks the layers over each other.
func (l *Functions) applyLayers(ctx context.Context, v *model.Version, arns []string) error {
	if len(arns) > 5 {
		return model.Invalid("Cannot reference more than 5 layers.")
	}
	var archives []string
	v.Layers, v.LayerUse, v.Opt = arns, nil, ""
	for _, arn := range arns {
		layer, err := l.Layers.ByARN(ctx, arn)
		if err != nil {
			return err
		}
		archives = append(archives, layer.CodeSHA)
		v.LayerUse = append(v.LayerUse, model.LayerRef{Arn: arn, CodeSize: layer.CodeSize})
		if extensions, _ := os.ReadDir(filepath.Join(l.Layers.Code.Path(layer.CodeSHA), "extensions")); len(extensions) > 0 {
			l.Warn("the layer " + arn + " brings the extension " + extensions[0].Name() + ", which is not run here")
		}
	}
	if len(archives) == 0 {
		return nil
	}
	folder, err := l.Layers.Code.Merge(archives)
	if err != nil {
		return err
	}
	v.Opt = filepath.Base(folder)
	return nil
}
