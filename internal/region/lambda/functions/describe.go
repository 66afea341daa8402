package functions

import (
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
)

// describe is a version as the API shows it. The ARN has a qualifier for
// published versions, or where the caller asked with one.
func (l *Functions) describe(name string, v *model.Version, qualifier string) configuration {
	if qualifier == "" && v.Version != model.Latest {
		qualifier = v.Version
	}
	c := configuration{
		FunctionName: name, FunctionArn: l.ARN(name, qualifier), Runtime: v.Runtime, Role: v.Role, Handler: v.Handler,
		CodeSize: v.CodeSize, CodeSha256: codeSha256(v.CodeSHA), Description: v.Description, Timeout: v.Timeout, MemorySize: v.MemorySize,
		LastModified: v.Modified, Version: v.Version, RevisionID: v.Revision, PackageType: "Zip",
		TracingConfig: tracingConfig{Mode: v.Tracing}, Architectures: []string{v.Architecture},
		EphemeralStorage: ephemeralStorage{Size: v.Storage}, SnapStart: snapStart{ApplyOn: v.SnapStart, OptimizationStatus: "Off"},
		LoggingConfig: v.Logging, Layers: v.LayerUse, State: "Active", LastUpdateStatus: "Successful",
		RuntimeVersionConfig: &runtimeVersionConfig{RuntimeVersionArn: "arn:aws:lambda:" + l.Region + "::runtime:" + v.Runtime},
	}
	if v.HasVariables {
		c.Environment = &environmentShape{Variables: v.Variables}
		if v.Variables == nil {
			c.Environment.Variables = map[string]string{}
		}
	}
	return c
}

// versionKey orders versions: $LATEST first, then by number.
func versionKey(v string) string {
	if v == model.Latest {
		return ""
	}
	n, _ := strconv.Atoi(v)
	return "v" + strings.Repeat("0", 12-min(12, len(strconv.Itoa(n)))) + strconv.Itoa(n)
}
