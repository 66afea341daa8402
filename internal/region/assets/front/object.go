package front

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// ObjectName names an object.
type ObjectName struct {
	Bucket string `uri:"Bucket" required:"true"`
	Key    string `uri:"Key" required:"true"`
}

// ObjectHeaders are what a client says of an object that it writes.
type ObjectHeaders struct {
	CacheControl       string `header:"Cache-Control"`
	ContentDisposition string `header:"Content-Disposition"`
	ContentEncoding    string `header:"Content-Encoding"`
	ContentLanguage    string `header:"Content-Language"`
	ContentType        string `header:"Content-Type"`
	Expires            string `header:"Expires"`
	StorageClass       string `header:"x-amz-storage-class"`
	ACL                string `header:"x-amz-acl"`
	Encryption         string `header:"x-amz-server-side-encryption"`
	EncryptionKey      string `header:"x-amz-server-side-encryption-aws-kms-key-id"`
	BucketKey          bool   `header:"x-amz-server-side-encryption-bucket-key-enabled"`
	Tagging            string `header:"x-amz-tagging"`
}

// MetaPrefix begins the headers of an object's own metadata.
const MetaPrefix = "x-amz-meta-"

// defaultType is an object's type when the client says none.
const defaultType = "binary/octet-stream"

// NewObject checks what a client says of a new object, and makes its record.
func (a *Front) NewObject(name ObjectName, in ObjectHeaders, header http.Header, b *objects.Bucket) (*objects.Object, error) {
	if err := checkKey(name.Key); err != nil {
		return nil, err
	}
	if in.ACL != "" && in.ACL != "private" && in.ACL != "bucket-owner-full-control" {
		return nil, fault.NoACL()
	}
	o := &objects.Object{Key: name.Key, Modified: a.Moment(), Headers: in.kept(), Meta: map[string]string{}}
	size := 0
	for key, values := range header {
		if name, ok := strings.CutPrefix(strings.ToLower(key), MetaPrefix); ok {
			o.Meta[name] = strings.Join(values, ",")
			size += len(name) + len(o.Meta[name])
		}
	}
	if size > maxMeta {
		return nil, wire.Errorf(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	var err error
	if o.Tags, err = ParseTagging(in.Tagging); err != nil {
		return nil, err
	}
	if o.StorageClass, err = storageClass(in.StorageClass); err != nil {
		return nil, err
	}
	o.Encryption, err = in.encryption(b)
	return o, err
}

// kept returns the headers that are told again with the object. The encoding of
// the transfer is not the object's.
func (in ObjectHeaders) kept() map[string]string {
	encodings := strings.Split(in.ContentEncoding, ",")
	encodings = slices.DeleteFunc(encodings, func(e string) bool { return strings.TrimSpace(e) == "aws-chunked" })
	headers := map[string]string{
		"Cache-Control": in.CacheControl, "Content-Disposition": in.ContentDisposition,
		"Content-Encoding": strings.TrimSpace(strings.Join(encodings, ",")), "Content-Language": in.ContentLanguage,
		"Content-Type": in.ContentType, "Expires": in.Expires,
	}
	if in.ContentType == "" {
		headers["Content-Type"] = defaultType
	}
	for name, value := range headers {
		if value == "" {
			delete(headers, name)
		}
	}
	return headers
}

// encryption is what the client asked for, or else the bucket's default.
func (in ObjectHeaders) encryption(b *objects.Bucket) (objects.Encryption, error) {
	switch in.Encryption {
	case "":
		return defaultEncryption(b)
	case "AES256":
		if in.EncryptionKey != "" {
			return objects.Encryption{}, fault.InvalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
		return objects.Encryption{}, nil
	case "aws:kms", "aws:kms:dsse":
		return objects.Encryption{Algorithm: in.Encryption, Key: in.EncryptionKey, BucketKey: in.BucketKey}, nil
	}
	return objects.Encryption{}, fault.InvalidArgument("The encryption method specified is not supported")
}

// defaultEncryption is how objects are kept for which the client says nothing.
func defaultEncryption(b *objects.Bucket) (objects.Encryption, error) {
	var kept settings.Encryption
	if err := b.Setting("ServerSideEncryptionConfiguration", &kept); err != nil || len(kept.Rules) == 0 {
		return objects.Encryption{}, err
	}
	rule := kept.Rules[0]
	e := objects.Encryption{BucketKey: rule.BucketKeyEnabled}
	if by := rule.ApplyServerSideEncryptionByDefault; by != nil && by.SSEAlgorithm != "AES256" {
		e.Algorithm, e.Key = by.SSEAlgorithm, by.KMSMasterKeyID
	}
	return e, nil
}

// storageClass checks a storage class. All are the same disk; those from which
// an object must be restored before it is read are refused.
func storageClass(class string) (string, error) {
	switch class {
	case "", "STANDARD":
		return "", nil
	case "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR":
		return class, nil
	case "GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "SNOW", "EXPRESS_ONEZONE":
		return "", fault.NotImplemented("the storage class " + class)
	}
	return "", wire.Errorf(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid")
}

func checkKey(key string) error {
	switch {
	case len(key) > maxKey:
		return wire.Errorf(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	case !utf8.ValidString(key) || strings.Contains(key, "\x00"):
		return wire.Errorf(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
	}
	return nil
}

// ParseTagging reads the header x-amz-tagging: key=value&key=value.
func ParseTagging(header string) ([]settings.Tag, error) {
	values, err := url.ParseQuery(header)
	if err != nil {
		return nil, fault.InvalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var tags []settings.Tag
	for key, list := range values {
		for _, value := range list {
			tags = append(tags, settings.Tag{Key: key, Value: value})
		}
	}
	slices.SortFunc(tags, func(a, b settings.Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags, settings.CheckTags(tags, settings.MaxObjectTags)
}

// Quoted is an ETag as headers and documents carry it.
func Quoted(etag string) string { return `"` + etag + `"` }

// AddVersion adds the version to a header, if the bucket keeps versions.
func AddVersion(header http.Header, o *objects.Object) {
	if o.Version != "null" {
		header.Set("x-amz-version-id", o.Version)
	}
}

// AddEncryption adds to a header how the object is encrypted.
func AddEncryption(header http.Header, o *objects.Object) {
	if o.Encryption.Algorithm == "" {
		header.Set("x-amz-server-side-encryption", "AES256")
		return
	}
	header.Set("x-amz-server-side-encryption", o.Encryption.Algorithm)
	if o.Encryption.Key != "" {
		header.Set("x-amz-server-side-encryption-aws-kms-key-id", o.Encryption.Key)
	}
	if o.Encryption.BucketKey {
		header.Set("x-amz-server-side-encryption-bucket-key-enabled", "true")
	}
}

// AddChecksum adds the object's checksum to a header.
func AddChecksum(header http.Header, o *objects.Object) {
	if o.Checksum.Algorithm != "" {
		header.Set(o.Checksum.Algorithm.Header(), o.Checksum.Value)
		header.Set("x-amz-checksum-type", o.Checksum.Type)
	}
}

// HeaderOf returns the headers of a call, none within the process.
func HeaderOf(c *wire.Call) http.Header {
	if c.HTTP == nil {
		return http.Header{}
	}
	return c.HTTP.Header
}

// WriteConditions are what must be so for an object to be written.
type WriteConditions struct{ IfMatch, IfNoneMatch string }

// Check applies the conditions to the latest version of a key.
func (w WriteConditions) Check(tx *store.Tx, bucket, key string) error {
	if w == (WriteConditions{}) {
		return nil
	}
	latest, err := objects.GetVersion(tx, bucket, key, "")
	if err != nil {
		return err
	}
	exists := latest != nil && !latest.Marker
	switch {
	case w.IfNoneMatch != "" && exists:
		return fault.PreconditionFailed()
	case w.IfMatch != "" && !exists:
		return fault.NoSuchKey()
	case w.IfMatch != "" && !Matches(w.IfMatch, latest.ETag):
		return fault.PreconditionFailed()
	}
	return nil
}
