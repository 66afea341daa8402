package roost

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Runtimes that functions get unless they name one: the newest of each kind
// that Lambda has.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
const (
	defaultGoRuntime     = "provided.al2023"
	defaultNodeRuntime   = "nodejs22.x"
	defaultPythonRuntime = "python3.13"
)

// Architectures of functions.
const (
	ARM64 = "arm64"
	X8664 = "x86_64"
)

// Off is the tracing mode of a function that is not traced. The default is
// "Active".
const Off = "PassThrough"

// Forever leaves a function's log group to Lambda, which makes it when there is
// something to log, keeps it for ever and leaves it behind when the function is
// removed.
const Forever = -1

// FunctionProps are the properties of a function. Everything but Handler has a
// default.
type FunctionProps struct {
	// Handler is either the folder of a Go main package, such as "src/private",
	// or path/file.export of a .ts, .js, .mjs or .py file, such as
	// "src/private.main". It is relative to SrcPath.
	Handler      string
	SrcPath      string           // folder below the app's, "." by default; the root of a zip of Python or unbundled code
	Runtime      string           // provided.al2023, nodejs22.x or python3.13 by default, by the kind of handler
	Architecture string           // ARM64, the default, or X8664
	Memory       int              // MB, 128 to 10,240; 1,024 by default
	Timeout      time.Duration    // whole seconds, 1 to 900; 10 seconds by default. A call through an API ends after 30
	Environment  map[string]Value // environment variables
	Permissions  []Permission     // of the function's role
	Layers       []Value          // ARNs of layer versions, five at most
	Tracing      string           // "Active", the default, or Off
	Bundle       *Bundle          // how JavaScript and TypeScript are bundled
	Description  string           // at most 256 bytes
	Name         string           // physical name; CloudFormation invents one by default
	Role         Value            // ARN of a role to run as in place of one of its own
	LogRetention int              // days that logs are kept for; 30 by default, or Forever
	// Concurrent calls that are reserved for the function and its limit at the
	// same time; nil reserves none.
	ReservedConcurrency *int
	EphemeralStorage    int // MB of /tmp, 512 to 10,240; 512 by default
	// Properties of AWS::Lambda::Function that have no field here, such as
	// VpcConfig. They win over those that the fields give.
	Properties map[string]any
}

// Bundle says how the code of a JavaScript or TypeScript function is bundled.
// The zero value bundles everything into one file with a source map beside it.
type Bundle struct {
	Disabled    bool              // zip SrcPath as it is, which then has to be set
	External    []string          // packages that are not bundled, because the runtime or a layer has them
	Minify      bool              // shorten names and leave out white space
	NoSourceMap bool              // leave out the map by which stack traces name the sources
	Format      string            // "cjs" or "esm"; by default esm for .mjs and .mts files, else cjs
	Loader      map[string]string // file ending → esbuild's loader, as in {".html": "text"}
	Define      map[string]string // expression → what it is replaced by, as in {"DEBUG": "false"}
}

// Function is a Lambda function with its role.
type Function struct {
	node
	resource *Resource
	policy   *policy // nil where the role is someone else's
}

// Function adds a function that no API calls by itself.
func (s *Stack) Function(id string, props FunctionProps) *Function {
	return newFunction(s.construct(id), props)
}

func newFunction(n node, props FunctionProps) *Function {
	f := &Function{node: n}
	props.check(n)
	code := n.findHandler(props)
	role := props.Role
	if role == "" {
		role = f.addRole(props)
	} else if len(props.Permissions) > 0 {
		n.fail("both Role and Permissions are set", "attach the permissions where the role is made, or leave out Role")
	}
	f.resource = n.child("Resource").resource("AWS::Lambda::Function", nil)
	f.resource.build = n.stack.app.build(f.resource, code, props)
	f.resource.properties = f.properties(props, code, role)
	if f.policy != nil && f.policy.resource != nil {
		f.resource.dependsOn = append(f.resource.dependsOn, f.policy.resource) // the role is waited for already: Role names it
	}
	return f
}

func (f *Function) addRole(props FunctionProps) Value {
	role := f.child("ServiceRole", "Resource").resource("AWS::IAM::Role", map[string]any{
		"AssumeRolePolicyDocument": policyDocument(map[string]any{
			"Action": "sts:AssumeRole", "Effect": "Allow",
			"Principal": map[string]any{"Service": "lambda.amazonaws.com"},
		}),
		"ManagedPolicyArns": []Value{"arn:" + f.stack.Partition() + ":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
	})
	f.policy = &policy{role: role}
	if props.Tracing != Off {
		f.policy.attach(f.node, []Permission{{
			Actions:   []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
			Resources: []Value{"*"},
		}})
	}
	f.policy.attach(f.node, props.Permissions)
	return role.Att("Arn")
}

func (f *Function) properties(props FunctionProps, code handler, role Value) map[string]any {
	p := map[string]any{
		"Architectures": []string{or(props.Architecture, ARM64)},
		"Code":          f.resource.build.code(f.stack),
		"Handler":       code.Handler,
		"MemorySize":    or(props.Memory, 1024),
		"Role":          role,
		"Runtime":       f.resource.build.Runtime,
		"Timeout":       int(or(props.Timeout, 10*time.Second) / time.Second),
		"TracingConfig": map[string]any{"Mode": or(props.Tracing, "Active")},
	}
	if variables := environment(props, code); len(variables) > 0 {
		p["Environment"] = map[string]any{"Variables": variables}
	}
	if len(props.Layers) > 0 {
		p["Layers"] = props.Layers
	}
	if props.Description != "" {
		p["Description"] = props.Description
	}
	if props.Name != "" {
		p["FunctionName"] = props.Name
	}
	if props.ReservedConcurrency != nil {
		p["ReservedConcurrentExecutions"] = *props.ReservedConcurrency
	}
	if props.EphemeralStorage != 0 {
		p["EphemeralStorage"] = map[string]any{"Size": props.EphemeralStorage}
	}
	if _, own := props.Properties["LoggingConfig"]; !own && props.LogRetention != Forever {
		group := f.child("LogGroup", "Resource").resource("AWS::Logs::LogGroup",
			map[string]any{"RetentionInDays": or(props.LogRetention, defaultRetention)})
		p["LoggingConfig"] = map[string]any{"LogGroup": group.Ref()}
	}
	maps.Copy(p, props.Properties)
	return p
}

// environment adds to the function's own variables the option by which Node
// reads source maps, unless the function sets its options itself.
func environment(props FunctionProps, code handler) map[string]Value {
	variables := maps.Clone(props.Environment)
	if code.Bundle == nil || !code.Bundle.SourceMap {
		return variables
	}
	if variables == nil {
		variables = map[string]Value{}
	}
	if _, set := variables["NODE_OPTIONS"]; !set {
		variables["NODE_OPTIONS"] = "--enable-source-maps"
	}
	return variables
}

// check reports what Lambda would refuse.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
func (p FunctionProps) check(n node) {
	if p.Timeout != 0 && (p.Timeout < time.Second || p.Timeout > 900*time.Second || p.Timeout%time.Second != 0) {
		n.fail(fmt.Sprintf("the timeout is %v", p.Timeout), "write whole seconds from 1 to 900, as in 10 * time.Second")
	}
	if p.Memory != 0 && (p.Memory < 128 || p.Memory > 10240) {
		n.fail(fmt.Sprintf("the memory is %d MB", p.Memory), "use 128 to 10240")
	}
	if p.EphemeralStorage != 0 && (p.EphemeralStorage < 512 || p.EphemeralStorage > 10240) {
		n.fail(fmt.Sprintf("the ephemeral storage is %d MB", p.EphemeralStorage), "use 512 to 10240")
	}
	if p.Architecture != "" && p.Architecture != ARM64 && p.Architecture != X8664 {
		n.fail(fmt.Sprintf("Lambda has no architecture %q", p.Architecture), "use roost.ARM64 or roost.X8664")
	}
	if p.Tracing != "" && p.Tracing != "Active" && p.Tracing != Off {
		n.fail(fmt.Sprintf("Lambda has no tracing mode %q", p.Tracing), `use "Active" or roost.Off`)
	}
	if len(p.Layers) > 5 {
		n.fail(fmt.Sprintf("there are %d layers", len(p.Layers)), "Lambda takes five at most: put several into one")
	}
	if p.ReservedConcurrency != nil && *p.ReservedConcurrency < 0 {
		n.fail("the reserved concurrency is negative", "use 0 to stop the function, or more")
	}
	if p.Name != "" && !matches(`^[A-Za-z0-9_-]{1,64}$`, p.Name) {
		n.fail(fmt.Sprintf("%q can't be the name of a function", p.Name), "use up to 64 letters, digits, hyphens and underscores")
	}
	if p.LogRetention != Forever {
		checkRetention(n, p.LogRetention)
	}
	p.checkEnvironment(n)
}

// Names that Lambda sets itself.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (p FunctionProps) checkEnvironment(n node) {
	reserved := []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER", "_X_AMZN_TRACE_ID",
	}
	for _, name := range slices.Sorted(maps.Keys(p.Environment)) {
		if !matches(`^[A-Za-z][A-Za-z0-9_]+$`, name) {
			n.fail(fmt.Sprintf("%q can't be the name of a function's environment variable", name), "use two or more letters, digits and underscores, with a letter first")
		} else if slices.Contains(reserved, name) {
			n.fail("Lambda sets the environment variable "+name+" itself", "choose another name")
		}
	}
}

// Days that logs are kept for unless an app says otherwise.
const defaultRetention = 30

// Days that a log group can keep its events for.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
func checkRetention(n node, days int) {
	allowed := []int{0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
	if !slices.Contains(allowed, days) {
		n.fail(fmt.Sprintf("logs can't be kept for %d days", days),
			"use one of "+strings.Trim(strings.Join(strings.Fields(fmt.Sprint(allowed[1:])), ", "), "[]"))
	}
}

// AttachPermissions adds permissions to the function's role.
func (f *Function) AttachPermissions(permissions ...Permission) {
	if f.policy == nil {
		f.failHere("the function runs as a role that is not its own", "attach the permissions where that role is made")
		return
	}
	had := f.policy.resource
	f.policy.attach(f.node, permissions)
	if had == nil && f.policy.resource != nil {
		f.resource.dependsOn = append([]*Resource{f.policy.resource}, f.resource.dependsOn...)
	}
}

// AddEnvironment sets an environment variable of the function.
func (f *Function) AddEnvironment(name string, value Value) {
	FunctionProps{Environment: map[string]Value{name: value}}.checkEnvironment(node{f.stack, f.path, f.stack.app.here()})
	if f.resource.properties["Environment"] == nil {
		f.resource.properties["Environment"] = map[string]any{"Variables": map[string]Value{}}
	}
	env, _ := f.resource.properties["Environment"].(map[string]any)
	variables, ours := env["Variables"].(map[string]Value)
	if !ours {
		f.failHere("Properties has the function's Environment itself", "add "+name+" there, or set the variables by the field Environment")
		return
	}
	variables[name] = value
}

// ARN returns the function's ARN.
func (f *Function) ARN() Value { return f.resource.Att("Arn") }

// Name returns the function's physical name.
func (f *Function) Name() Value { return f.resource.Ref() }

// Resource returns the function's resource in the template.
func (f *Function) Resource() *Resource { return f.resource }

// GrantInvoke permits calling the function, for AttachPermissions of others.
func (f *Function) GrantInvoke() Permission {
	return Allow("lambda:InvokeFunction", f.ARN(), f.ARN()+":*")
}
