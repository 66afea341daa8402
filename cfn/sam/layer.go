package sam

import (
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

func layerProperties() []string {
	return []string{
		"LayerName", "Description", "ContentUri", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo",
		"RetentionPolicy", "PublishLambdaVersion",
	}
}

// layer makes an AWS::Lambda::LayerVersion whose logical id holds a hash of
// what it is made from, so that a change makes a new version and keeps the old.
func (x *expander) layer(r *resource) {
	x.check(r, layerProperties())
	b := builder{r.node.Pos}
	described := tree.Object(b.pos)
	for _, m := range r.node.Members {
		if m.Key != "DeletionPolicy" && m.Key != "UpdateReplacePolicy" && m.Key != "Metadata" {
			described.Members = append(described.Members, m)
		}
	}
	props := r.props.Clone()
	for _, name := range []string{"LayerName", "LicenseInfo", "Description", "RetentionPolicy"} {
		if p := props.Get(name); p != nil {
			props.Set(name, x.parameter(p))
		}
	}
	described.Set("Properties", props)
	id := r.id + hash(b.obj(r.id, described))
	x.renamed[r.id] = id

	name := props.Get("LayerName")
	if name == nil {
		name = b.str(r.id)
	}
	x.add(r, id, "AWS::Lambda::LayerVersion", b.obj(
		"LayerName", name,
		"Description", props.Get("Description"),
		"Content", x.location(r, "ContentUri"),
		"CompatibleArchitectures", props.Get("CompatibleArchitectures"),
		"CompatibleRuntimes", props.Get("CompatibleRuntimes"),
		"LicenseInfo", props.Get("LicenseInfo"),
	), append(own(r), tree.M("DeletionPolicy", x.retention(r, props.Get("RetentionPolicy"))))...)
}

// retention is the layer's DeletionPolicy: Retain unless it says otherwise.
func (x *expander) retention(r *resource, policy *tree.Node) *tree.Node {
	switch {
	case policy == nil:
		if own := r.node.Get("DeletionPolicy"); own != nil {
			return own
		}
		return tree.Str(r.node.Pos, "Retain")
	case strings.EqualFold(text(policy), "Retain"):
		return tree.Str(policy.Pos, "Retain")
	case strings.EqualFold(text(policy), "Delete"):
		return tree.Str(policy.Pos, "Delete")
	}
	x.fail(r, policy, "'RetentionPolicy' must be one of the following options: ['Retain', 'Delete'].")
	return policy
}

// location reads CodeUri or ContentUri: "s3://bucket/key?versionId=v" or an
// object of Bucket, Key and Version.
func (x *expander) location(r *resource, name string) *tree.Node {
	n := r.props.Get(name)
	b := builder{r.node.Pos}
	switch {
	case n == nil:
		x.fail(r, nil, "Missing required property '%s'.", name)
	case n.Kind == tree.Map && n.Get("Bucket") != nil && n.Get("Key") != nil:
		n = x.parameters(n)
		return b.obj("S3Bucket", n.Get("Bucket"), "S3Key", n.Get("Key"), "S3ObjectVersion", n.Get("Version"))
	case n.Kind == tree.Map:
		x.fail(r, n, "'%s' requires Bucket and Key properties to be specified.", name)
	default:
		rest, isS3 := strings.CutPrefix(text(n), "s3://")
		rest, query, _ := strings.Cut(rest, "?")
		bucket, key, ok := strings.Cut(rest, "/")
		if !isS3 || !ok || bucket == "" || key == "" {
			x.fail(r, n, "'%s' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter. Upload local files first, as 'aws cloudformation package' does.", name)
			return nil
		}
		code := b.obj("S3Bucket", bucket, "S3Key", key)
		if version, ok := strings.CutPrefix(query, "versionId="); ok {
			code.Set("S3ObjectVersion", b.str(version))
		}
		return code
	}
	return nil
}
