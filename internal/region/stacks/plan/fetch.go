package plan

import (
	"context"
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Fetch reads a template that TemplateURL names, with the caller's rights. The
// region's own S3 is the only source.
func (l *Planner) Fetch(ctx context.Context, caller *wire.Caller, address string) (string, error) {
	bucket, key, ok := bucketAndKey(address)
	if !ok || l.config.Object == nil {
		return "", Invalid("TemplateURL must reference a valid S3 object to which you have access.")
	}
	data, err := l.config.Object(ctx, caller, bucket, key)
	if err != nil {
		return "", Invalid("S3 error: %s (TemplateURL %s)", Message(err), address)
	}
	if len(data) > cfn.MaxBytes {
		return "", Invalid("Template may not exceed %d bytes in size.", cfn.MaxBytes)
	}
	return string(data), nil
}

// bucketAndKey takes an S3 URL apart, in path style or with the bucket in the
// host.
func bucketAndKey(address string) (bucket, key string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return "", "", false
	}
	path := strings.TrimPrefix(u.Path, "/")
	if name, rest, found := strings.Cut(u.Hostname(), ".s3"); found && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "-")) {
		return name, path, path != ""
	}
	bucket, key, ok = strings.Cut(path, "/")
	return bucket, key, ok && bucket != "" && key != ""
}
