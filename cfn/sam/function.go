package sam

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// passedThrough are the properties that the Lambda function has as they are.
func passedThrough() []string {
	return []string{
		"FunctionName", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "VpcConfig", "Environment",
		"KmsKeyArn", "ReservedConcurrentExecutions", "Layers", "FileSystemConfigs", "ImageConfig", "PackageType",
		"Architectures", "SnapStart", "EphemeralStorage", "CodeSigningConfigArn", "RuntimeManagementConfig",
		"LoggingConfig", "RecursiveLoop",
	}
}

// functionProperties are those that mean more than themselves.
func functionProperties() []string {
	return []string{
		"CodeUri", "InlineCode", "ImageUri", "SourceKMSKeyArn", "Role", "AssumeRolePolicyDocument", "Policies",
		"RolePath", "PermissionsBoundary", "Events", "Tags", "PropagateTags", "Tracing", "DeadLetterQueue",
		"AutoPublishAlias", "AutoPublishCodeSha256", "VersionDescription", "ProvisionedConcurrencyConfig",
		"FunctionUrlConfig", "VersionDeletionPolicy",
	}
}

// function makes the Lambda function and all that comes with it.
func (x *expander) function(r *resource) {
	x.check(r, knownProperties(functionType))
	code := x.code(r)
	props := x.functionProps(r, code)
	role := r.props.Get("Role")
	if _, _, call := eval.Function(role); call && role.Get("Fn::If") != nil {
		x.fail(r, role, "A 'Role' that is chosen by Fn::If is not supported.")
	}
	if role == nil {
		props.Set("Role", builder{r.node.Pos}.getAtt(r.id+"Role", "Arn"))
	} else {
		props.Set("Role", role)
	}
	x.add(r, r.id, "AWS::Lambda::Function", props, own(r)...)
	alias := x.publish(r, code)
	x.functionURL(r, alias)
	if role == nil {
		x.role(r)
	}
	x.events(r, alias)
}

func (x *expander) functionProps(r *resource, code *tree.Node) *tree.Node {
	b := builder{r.node.Pos}
	props := b.obj("Code", code)
	for _, name := range passedThrough() {
		if p := r.props.Get(name); p != nil {
			props.Set(name, p)
		}
	}
	if x.traced(r) {
		props.Set("TracingConfig", b.obj("Mode", r.props.Get("Tracing")))
	}
	if queue := r.props.Get("DeadLetterQueue"); queue != nil {
		props.Set("DeadLetterConfig", b.obj("TargetArn", queue.Get("TargetArn")))
	}
	if sha := r.props.Get("AutoPublishCodeSha256"); sha != nil && r.props.Get("AutoPublishAlias") != nil {
		props.Set("Description", x.describedBy(r, x.parameter(sha)))
	}
	props.Set("Tags", x.tags(r))
	return props
}

// describedBy appends the code's hash to the description, so that
// CloudFormation sees that the code changed.
func (x *expander) describedBy(r *resource, sha *tree.Node) *tree.Node {
	description := r.props.Get("Description")
	if description == nil {
		return sha
	}
	resolved := x.parameter(description)
	if resolved.IsString() {
		return tree.Str(description.Pos, resolved.Text+" "+sha.Text)
	}
	b := builder{description.Pos}
	return b.obj("Fn::Join", tree.Array(b.pos, b.str(" "), tree.Array(b.pos, description, sha)))
}

// traced reports whether the function asks for tracing.
func (x *expander) traced(r *resource) bool {
	tracing := r.props.Get("Tracing")
	return tracing != nil && text(x.parameter(tracing)) != "Disabled"
}

// tags is the list of tags, SAM's own first.
func (x *expander) tags(r *resource) *tree.Node {
	b := builder{r.node.Pos}
	list := tree.Array(b.pos, b.obj("Key", "lambda:createdBy", "Value", "SAM"))
	if tags := r.props.Get("Tags"); tags != nil {
		for _, m := range tags.Members {
			list.Items = append(list.Items, b.obj("Key", m.Key, "Value", m.Value))
		}
	}
	return list
}

// code is the Lambda function's Code, from InlineCode, CodeUri or ImageUri.
func (x *expander) code(r *resource) *tree.Node {
	b := builder{r.node.Pos}
	inline, image := r.props.Get("InlineCode"), r.props.Get("ImageUri")
	if text(r.props.Get("PackageType")) == "Image" {
		if image == nil {
			x.fail(r, nil, "'ImageUri' must be set.")
		}
		return b.obj("ImageUri", image)
	}
	var code *tree.Node
	switch {
	case inline != nil:
		code = b.obj("ZipFile", inline)
	case r.props.Get("CodeUri") == nil:
		x.fail(r, nil, "Either 'InlineCode' or 'CodeUri' must be set.")
		return b.obj()
	default:
		code = x.location(r, "CodeUri")
	}
	if key := r.props.Get("SourceKMSKeyArn"); key != nil && code != nil {
		code.Set("SourceKMSKeyArn", key)
	}
	return code
}

var aliasName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]*[A-Za-z_-][A-Za-z0-9_-]*$`) })

// publish makes a version and the alias that AutoPublishAlias names, and
// returns the alias's logical id, "" if there is none.
func (x *expander) publish(r *resource, code *tree.Node) string {
	property := r.props.Get("AutoPublishAlias")
	if property == nil {
		if r.props.Get("ProvisionedConcurrencyConfig") != nil {
			x.fail(r, nil, "To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function")
		}
		return ""
	}
	name := text(x.parameter(property))
	if !aliasName().MatchString(name) {
		x.fail(r, property, "AutoPublishAlias name ('%s') must contain only alphanumeric characters, hyphens, or underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.", name)
		return ""
	}
	b := builder{r.node.Pos}
	version := r.id + "Version" + x.versionHash(r, code)
	deletion := r.node.Get("DeletionPolicy")
	if deletion == nil {
		deletion = b.str("Retain")
		if p := r.props.Get("VersionDeletionPolicy"); p != nil {
			deletion = p
		}
	}
	x.add(r, version, "AWS::Lambda::Version",
		b.obj("FunctionName", b.ref(r.id), "Description", r.props.Get("VersionDescription")), tree.M("DeletionPolicy", deletion))
	alias := r.id + "Alias" + strings.NewReplacer("-", "D", "_", "U").Replace(name)
	x.add(r, alias, "AWS::Lambda::Alias", b.obj(
		"Name", name, "FunctionName", b.ref(r.id), "FunctionVersion", b.getAtt(version, "Version"),
		"ProvisionedConcurrencyConfig", r.props.Get("ProvisionedConcurrencyConfig")))
	x.renamed[r.id+".Alias"], x.renamed[r.id+".Version"] = alias, version
	return alias
}

// versionHash changes with the code, the environment and the memory.
func (x *expander) versionHash(r *resource, code *tree.Node) string {
	if sha := r.props.Get("AutoPublishCodeSha256"); sha != nil {
		value := text(x.parameter(sha))
		if value == "" {
			x.fail(r, sha, "AutoPublishCodeSha256 must be a string")
		}
		return value[:min(10, len(value))]
	}
	if code == nil {
		return ""
	}
	of := x.parameters(code)
	if environment := r.props.Get("Environment"); environment != nil {
		for _, m := range environment.Members {
			of.Set(m.Key, m.Value)
		}
	}
	if memory := r.props.Get("MemorySize"); memory != nil {
		of.Set("MemorySize", memory)
	}
	if snap := r.props.Get("SnapStart"); snap != nil && text(snap.Get("ApplyOn")) != "None" {
		of.Set("SnapStart", snap)
	}
	return hash(of)
}

// functionURL makes the function's URL, and lets everybody call one without authorization.
func (x *expander) functionURL(r *resource, alias string) {
	config := r.props.Get("FunctionUrlConfig")
	if config == nil {
		return
	}
	b := builder{config.Pos}
	for _, m := range config.Members {
		if !slices.Contains([]string{"AuthType", "Cors", "InvokeMode"}, m.Key) {
			x.fail(r, m.Value, "FunctionUrlConfig has no property %s.", m.Key)
		}
	}
	auth := config.Get("AuthType")
	if auth == nil || auth.IsString() && auth.Text != "NONE" && auth.Text != "AWS_IAM" {
		x.fail(r, config, "AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE.")
		return
	}
	target := b.ref(r.id)
	if alias != "" {
		target = b.ref(alias)
	}
	x.add(r, r.id+"Url", "AWS::Lambda::Url", b.obj(
		"TargetFunctionArn", target, "AuthType", auth, "Cors", config.Get("Cors"), "InvokeMode", config.Get("InvokeMode")))
	if text(auth) != "NONE" {
		return
	}
	x.add(r, r.id+"UrlPublicPermissions", "AWS::Lambda::Permission", b.obj(
		"Action", "lambda:InvokeFunctionUrl", "FunctionName", target, "Principal", "*", "FunctionUrlAuthType", "NONE"))
	x.add(r, r.id+"URLInvokeAllowPublicAccess", "AWS::Lambda::Permission", b.obj(
		"Action", "lambda:InvokeFunction", "FunctionName", target, "Principal", "*", "InvokedViaFunctionUrl", tree.Boolean(b.pos, true)))
}
