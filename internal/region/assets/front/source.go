package front

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/assets/digest"
	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// CopySource says which object is copied, and under which conditions.
type CopySource struct {
	Source            string `header:"x-amz-copy-source"`
	IfMatch           string `header:"x-amz-copy-source-if-match"`
	IfNoneMatch       string `header:"x-amz-copy-source-if-none-match"`
	IfModifiedSince   string `header:"x-amz-copy-source-if-modified-since"`
	IfUnmodifiedSince string `header:"x-amz-copy-source-if-unmodified-since"`
	SourceOwner       string `header:"x-amz-source-expected-bucket-owner"`
}

// SourceTargets is what reading the source of a copy needs.
func (a *Front) SourceTargets(in CopySource) []wire.Target {
	if in.Source == "" {
		return nil
	}
	name, version, err := ParseCopySource(in.Source)
	if err != nil {
		return nil // which is said later
	}
	return []wire.Target{a.VersionTarget("s3:GetObject", name, version)}
}

// SourceOf finds the object that is copied.
func (a *Front) SourceOf(ctx context.Context, c *wire.Call, in CopySource) (*objects.Object, error) {
	name, version, err := ParseCopySource(in.Source)
	if err != nil {
		return nil, err
	}
	if in.SourceOwner != "" && in.SourceOwner != c.Account {
		return nil, fault.AccessDenied()
	}
	o, err := a.Keeper.Lookup(ctx, name.Bucket, name.Key, version)
	if err != nil {
		return nil, a.Hide(ctx, c, name.Bucket, err)
	}
	conditions := Conditions{IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince}
	if told, err := conditions.Hold(o); err != nil || !told {
		return nil, fault.PreconditionFailed()
	}
	return o, nil
}

// ParseCopySource reads x-amz-copy-source: bucket/key, escaped, with or without
// a slash in front, and a version behind.
func ParseCopySource(header string) (name ObjectName, version string, err error) {
	path, query, _ := strings.Cut(header, "?")
	values, err := url.ParseQuery(query)
	if err == nil {
		path, err = url.PathUnescape(path)
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err != nil || !ok || bucket == "" || key == "" {
		return name, "", fault.InvalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if strings.HasPrefix(bucket, "arn:") {
		return name, "", fault.NotImplemented("access points")
	}
	return ObjectName{Bucket: bucket, Key: key}, values.Get("versionId"), nil
}

// Conditions are the conditional headers of a read.
type Conditions struct {
	IfMatch           string `header:"If-Match"`
	IfNoneMatch       string `header:"If-None-Match"`
	IfModifiedSince   string `header:"If-Modified-Since"`
	IfUnmodifiedSince string `header:"If-Unmodified-Since"`
}

// Hold applies the conditional headers in the order of RFC 9110, 13.2.2.
// It reports whether the object is to be told; if not, it is unmodified.
func (in Conditions) Hold(o *objects.Object) (bool, error) {
	if in.IfMatch != "" {
		if !Matches(in.IfMatch, o.ETag) {
			return false, fault.PreconditionFailed()
		}
	} else if since, ok := httpTime(in.IfUnmodifiedSince); ok && o.Modified.Truncate(time.Second).After(since) {
		return false, fault.PreconditionFailed()
	}
	if in.IfNoneMatch != "" {
		return !Matches(in.IfNoneMatch, o.ETag), nil
	}
	since, ok := httpTime(in.IfModifiedSince)
	return !ok || o.Modified.Truncate(time.Second).After(since), nil
}

// Matches reports whether a list of ETags, or "*", has this one.
func Matches(list, etag string) bool {
	for candidate := range strings.SplitSeq(list, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == "*" || strings.Trim(candidate, `"`) == etag {
			return true
		}
	}
	return false
}

func httpTime(text string) (time.Time, bool) {
	t, err := http.ParseTime(text)
	return t, err == nil
}

// ParseRange reads "bytes=from-to", "bytes=from-" or "bytes=-last" (RFC 9110,
// 14.1.2). ok is false for what is no single range, which S3 passes over; size
// is 0 for one that the object does not reach.
func ParseRange(header string, length int64) (from, size int64, ok bool) {
	spec, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !found || !dash || strings.Contains(spec, ",") {
		return 0, 0, false
	}
	if first == "" {
		n, err := strconv.ParseUint(last, 10, 62)
		suffix := min(int64(n), length)
		return length - suffix, suffix, err == nil
	}
	start, err := strconv.ParseUint(first, 10, 62)
	if err != nil {
		return 0, 0, false
	}
	end := length - 1
	if last != "" {
		n, err := strconv.ParseUint(last, 10, 62)
		if err != nil || n < start {
			return 0, 0, false
		}
		end = min(int64(n), end)
	}
	return int64(start), max(end-int64(start)+1, 0), true
}

// CopyResult is the document that answers a copy.
type CopyResult struct {
	XMLName      xml.Name
	LastModified wire.Time
	ETag         string
	Sums
}

// Sums are an object's checksum as an element of its own name.
type Sums struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

// SumsOf returns a checksum as an element.
func SumsOf(c objects.Checksum) Sums {
	s := Sums{ChecksumType: c.Type}
	switch c.Algorithm {
	case digest.CRC32:
		s.ChecksumCRC32 = c.Value
	case digest.CRC32C:
		s.ChecksumCRC32C = c.Value
	case digest.CRC64NVME:
		s.ChecksumCRC64NVME = c.Value
	case digest.SHA1:
		s.ChecksumSHA1 = c.Value
	case digest.SHA256:
		s.ChecksumSHA256 = c.Value
	}
	return s
}
