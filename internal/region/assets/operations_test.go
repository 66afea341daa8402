package assets_test

import (
	"strings"
	"testing"
)

// step is one request of a script, and what its answer is: a status, and texts
// that the body or, as "Name: value", the header has.
type step struct {
	method, target, body string
	headers              []string
	code                 int
	want                 []string
}

func (r *region) run(steps []step) {
	r.t.Helper()
	for _, s := range steps {
		got := r.do(s.method, s.target, s.body, s.headers...)
		var header strings.Builder
		for name, values := range got.header {
			for _, value := range values {
				header.WriteString(name + ": " + value + "\n")
			}
		}
		for _, want := range s.want {
			if got.code != s.code || !strings.Contains(got.body, want) && !strings.Contains(strings.ToLower(header.String()), strings.ToLower(want)+"\n") {
				r.t.Errorf("%s %s %v\n  %d %s\n%s\nwant %d with %s", s.method, s.target, s.headers, got.code, got.body, header.String(), s.code, want)
			}
		}
	}
}

func h(headers ...string) []string { return headers }
func w(want ...string) []string    { return want }

func TestBuckets(t *testing.T) {
	const publicPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}`
	tests := map[string][]step{
		"create": {
			{"PUT", "/Bad_Name", "", nil, 400, w("<Code>InvalidBucketName</Code><Message>The specified bucket is not valid.</Message>")},
			{"PUT", "/192.168.1.1", "", nil, 400, w("InvalidBucketName")},
			{"PUT", "/bucket", "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>", nil, 400, w("<Code>IllegalLocationConstraintException</Code><Message>The eu-west-1 location constraint is incompatible for the region specific endpoint this request was sent to.")},
			{"PUT", "/bucket", "<CreateBucketConfiguration><Colour>red</Colour></CreateBucketConfiguration>", nil, 501, w("roost does not support the element CreateBucketConfiguration.Colour")},
			{"PUT", "/bucket", "<CreateBucketConfiguration>", nil, 400, w("<Code>MalformedXML</Code>")},
			{"PUT", "/bucket", "", h("x-amz-acl: public-read"), 400, w("<Code>AccessControlListNotSupported</Code><Message>The bucket does not allow ACLs</Message>")},
			{"PUT", "/bucket", "", h("x-amz-bucket-object-lock-enabled: true"), 501, w("object lock")},
			{"PUT", "/bucket", "", h("x-amz-grant-read: id=1"), 501, w("x-amz-grant-read")},
			{"PUT", "/bucket", "", h("x-amz-expected-bucket-owner: 999999999999"), 403, w("AccessDenied")},
			{"PUT", "/bucket", "", nil, 200, w("Location: /bucket")},
			{"PUT", "/bucket", "", nil, 200, w("Location: /bucket")}, // us-east-1
			{"HEAD", "/bucket", "", nil, 200, w("x-amz-bucket-region: us-east-1")},
			{"HEAD", "/none", "", nil, 404, w("")},
			{"GET", "/bucket?location", "", nil, 200, w(`<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)},
			{"GET", "/", "", nil, 200, w("<Buckets><Bucket><Name>bucket</Name><CreationDate>2026-11-22T12:00:00.000Z</CreationDate>")},
			{"DELETE", "/none", "", nil, 404, w("<Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message>")},
			{"DELETE", "/bucket", "", nil, 204, w("")},
		},
		"settings": {
			{"PUT", "/bucket", "", nil, 200, w("")},
			{"GET", "/bucket?encryption", "", nil, 200, w("<SSEAlgorithm>AES256</SSEAlgorithm>")},
			{"PUT", "/bucket?encryption", "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>", nil, 200, w("")},
			{"PUT", "/bucket/kms", "x", nil, 200, w("x-amz-server-side-encryption: aws:kms")},
			{"DELETE", "/bucket?encryption", "", nil, 204, w("")},
			{"GET", "/bucket?versioning", "", nil, 200, w(`<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></VersioningConfiguration>`)},
			{"PUT", "/bucket?versioning", "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>", nil, 400, w("IllegalVersioningConfigurationException")},
			{"GET", "/bucket?publicAccessBlock", "", nil, 200, w("<BlockPublicPolicy>true</BlockPublicPolicy>")},
			{"GET", "/bucket?ownershipControls", "", nil, 200, w("<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>")},
			{"PUT", "/bucket?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>", nil, 501, w("ObjectWriter")},
			{"GET", "/bucket?lifecycle", "", nil, 404, w("<Code>NoSuchLifecycleConfiguration</Code><Message>The lifecycle configuration does not exist</Message>")},
			{"PUT", "/bucket?lifecycle", "<LifecycleConfiguration><Rule><ID>a</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>", nil, 200, w("")},
			{"GET", "/bucket?lifecycle", "", nil, 200, w("<Rule><ID>a</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>")},
			{"DELETE", "/bucket?lifecycle", "", nil, 204, w("")},
			{"GET", "/bucket?cors", "", nil, 404, w("NoSuchCORSConfiguration")},
			{"PUT", "/bucket?cors", "<CORSConfiguration><CORSRule><AllowedMethod>PATCH</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>", nil, 400, w("Found unsupported HTTP method in CORS config. Unsupported method is PATCH")},
			{"GET", "/bucket?tagging", "", nil, 404, w("<Code>NoSuchTagSet</Code><Message>The TagSet does not exist</Message>")},
			{"PUT", "/bucket?tagging", "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>", nil, 204, w("")},
			{"GET", "/bucket?tagging", "", nil, 200, w("<TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet>")},
			{"PUT", "/bucket?tagging", "<Tagging></Tagging>", h("Content-MD5: AAAAAAAAAAAAAAAAAAAAAA=="), 400, w("<Code>BadDigest</Code><Message>The Content-MD5 you specified did not match what we received.</Message>")},
			{"GET", "/bucket?acl", "", nil, 200, w(`xsi:type="CanonicalUser"`, "<Permission>FULL_CONTROL</Permission>")},
			{"PUT", "/bucket?acl", "", h("x-amz-acl: public-read"), 400, w("AccessControlListNotSupported")},
			{"GET", "/none?acl", "", nil, 404, w("NoSuchBucket")},
		},
		"refused": {
			{"PUT", "/bucket", "", nil, 200, w("")},
			{"PUT", "/bucket?notification", "<NotificationConfiguration><TopicConfiguration/></NotificationConfiguration>", nil, 501, w("<Code>NotImplemented</Code>", "NotificationConfiguration.TopicConfiguration")},
			{"PUT", "/bucket?logging", "<BucketLoggingStatus><LoggingEnabled/></BucketLoggingStatus>", nil, 501, w("BucketLoggingStatus.LoggingEnabled")},
			{"PUT", "/bucket?website", "<WebsiteConfiguration/>", nil, 501, w("roost does not support website hosting")},
			{"GET", "/bucket?website", "", nil, 404, w("NoSuchWebsiteConfiguration")},
			{"PUT", "/bucket?replication", "<ReplicationConfiguration/>", nil, 501, w("roost does not support replication")},
			{"PUT", "/bucket?object-lock", "<ObjectLockConfiguration/>", nil, 501, w("roost does not support object lock")},
			{"PUT", "/bucket?accelerate", "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>", nil, 501, w("transfer acceleration")},
			{"PUT", "/bucket?inventory&id=1", "<InventoryConfiguration/>", nil, 501, w("inventory")},
			{"PUT", "/bucket/key", "x", h("x-amz-server-side-encryption-customer-algorithm: AES256"), 501, w("x-amz-server-side-encryption-customer-algorithm")},
			{"PUT", "/bucket/key", "x", h("x-amz-website-redirect-location: /a"), 501, w("x-amz-website-redirect-location")},
			{"PUT", "/bucket/key", "x", h("x-amz-object-lock-mode: GOVERNANCE"), 501, w("x-amz-object-lock-mode")},
			{"PUT", "/bucket/key", "x", h("x-amz-storage-class: GLACIER"), 501, w("storage class GLACIER")},
			{"GET", "/bucket/key?torrent", "", nil, 501, w("torrent")},
			{"PUT", "/bucket/key?x-amz-meta-k=v", "x", nil, 501, w("the parameter x-amz-meta-k in a signed URL")},
			{"PUT", "/bucket/key?X-Amz-Acl=private", "x", nil, 501, w("the parameter x-amz-acl in a signed URL")},
		},
		"policies": {
			{"PUT", "/bucket", "", nil, 200, w("")},
			{"GET", "/bucket?policy", "", nil, 404, w("<Code>NoSuchBucketPolicy</Code><Message>The bucket policy does not exist</Message>")},
			{"PUT", "/bucket?policy", "{", nil, 400, w("<Code>MalformedPolicy</Code>")},
			{"PUT", "/bucket?policy", strings.ReplaceAll(publicPolicy, ":::bucket/", ":::other/"), nil, 400, w("Policy has invalid resource")},
			{"PUT", "/bucket?policy", publicPolicy, nil, 403, w("BlockPublicPolicy")},
			{"PUT", "/bucket?policy", strings.Replace(publicPolicy, `"Allow"`, `"Deny"`, 1), nil, 204, w("")},
			{"GET", "/bucket?policy", "", nil, 200, w(`"Deny"`, "Content-Type: application/json")},
			{"GET", "/bucket?policyStatus", "", nil, 200, w("<IsPublic>false</IsPublic>")},
			{"DELETE", "/bucket?publicAccessBlock", "", nil, 204, w("")},
			{"GET", "/bucket?publicAccessBlock", "", nil, 404, w("NoSuchPublicAccessBlockConfiguration")},
			{"PUT", "/bucket?policy", publicPolicy, nil, 204, w("")},
			{"GET", "/bucket?policyStatus", "", nil, 200, w("<IsPublic>true</IsPublic>")},
			{"DELETE", "/bucket?policy", "", nil, 204, w("")},
			{"GET", "/bucket?policyStatus", "", nil, 404, w("NoSuchBucketPolicy")},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) { start(t).run(steps) })
	}
}

func TestObjects(t *testing.T) {
	const sum = `"5d41402abc4b2a76b9719d911017c592"` // of hello
	tests := map[string][]step{
		"missing": {
			{"GET", "/bucket/none", "", nil, 404, w("<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>")},
			{"GET", "/bucket/none?versionId=x", "", nil, 404, w("<Code>NoSuchVersion</Code>")},
			{"GET", "/none/none", "", nil, 404, w("NoSuchBucket")},
			{"PUT", "/none/none", "x", nil, 404, w("NoSuchBucket")},
			{"DELETE", "/bucket/none", "", nil, 204, w("")},
			{"PUT", "/bucket/" + strings.Repeat("k", 1025), "x", nil, 400, w("<Code>KeyTooLongError</Code><Message>Your key is too long</Message>")},
			{"PUT", "/bucket/a%00b", "x", nil, 400, w("InvalidURI")},
			{"PUT", "/bucket/meta", "x", h("x-amz-meta-a: " + strings.Repeat("v", 2048)), 400, w("MetadataTooLarge")},
		},
		"ranges": {
			{"PUT", "/bucket/key", "hello", nil, 200, w("ETag: " + sum)},
			{"GET", "/bucket/key", "", h("Range: bytes=1-3"), 206, w("ell", "Content-Range: bytes 1-3/5", "Content-Length: 3")},
			{"GET", "/bucket/key", "", h("Range: bytes=3-"), 206, w("lo", "Content-Range: bytes 3-4/5")},
			{"GET", "/bucket/key", "", h("Range: bytes=-2"), 206, w("lo", "Content-Range: bytes 3-4/5")},
			{"GET", "/bucket/key", "", h("Range: bytes=0-99"), 206, w("hello", "Content-Range: bytes 0-4/5")},
			{"GET", "/bucket/key", "", h("Range: bytes=5-"), 416, w("<Code>InvalidRange</Code><Message>The requested range is not satisfiable</Message>")},
			{"GET", "/bucket/key", "", h("Range: lines=1-2"), 200, w("hello")},
			{"GET", "/bucket/key", "", h("Range: bytes=1-1,3-3"), 200, w("hello")},
			{"GET", "/bucket/key", "", h("Range: bytes=1-1", `If-Range: "other"`), 200, w("hello")},
			{"HEAD", "/bucket/key", "", h("Range: bytes=1-3"), 206, w("Content-Length: 3")},
			{"GET", "/bucket/key?partNumber=1", "", nil, 206, w("hello")},
			{"GET", "/bucket/key?partNumber=2", "", nil, 416, w("InvalidPartNumber")},
		},
		"conditions": {
			{"PUT", "/bucket/key", "hello", h("If-None-Match: *"), 200, w("")},
			{"PUT", "/bucket/key", "other", h("If-None-Match: *"), 412, w("<Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message>")},
			{"PUT", "/bucket/key", "other", h(`If-None-Match: "x"`), 501, w("If-None-Match")},
			{"PUT", "/bucket/key", "other", h(`If-Match: "x"`), 412, w("PreconditionFailed")},
			{"PUT", "/bucket/none", "other", h(`If-Match: "x"`), 404, w("NoSuchKey")},
			{"PUT", "/bucket/key", "hello", h("If-Match: " + sum), 200, w("")},
			{"GET", "/bucket/key", "", h("If-Match: " + sum), 200, w("hello")},
			{"GET", "/bucket/key", "", h(`If-Match: "x"`), 412, w("PreconditionFailed")},
			{"GET", "/bucket/key", "", h(`If-Match: "x", ` + sum), 200, w("hello")},
			{"GET", "/bucket/key", "", h("If-None-Match: " + sum), 304, w("ETag: " + sum)},
			{"GET", "/bucket/key", "", h(`If-None-Match: "x"`, "If-Modified-Since: Sun, 22 Nov 2026 12:00:00 GMT"), 200, w("hello")},
			{"GET", "/bucket/key", "", h("If-Modified-Since: Sun, 22 Nov 2026 12:00:00 GMT"), 304, w("")},
			{"GET", "/bucket/key", "", h("If-Modified-Since: Sun, 22 Nov 2026 11:59:59 GMT"), 200, w("hello")},
			{"GET", "/bucket/key", "", h("If-Unmodified-Since: Sun, 22 Nov 2026 11:59:59 GMT"), 412, w("")},
			{"GET", "/bucket/key", "", h("If-Match: "+sum, "If-Unmodified-Since: Sun, 22 Nov 2026 11:59:59 GMT"), 200, w("hello")},
		},
		"checksums": {
			{"PUT", "/bucket/key", "hello", h("x-amz-checksum-crc32: NhCmhg=="), 200, w("x-amz-checksum-crc32: NhCmhg==")},
			{"GET", "/bucket/key", "", h("x-amz-checksum-mode: ENABLED"), 200, w("x-amz-checksum-crc32: NhCmhg==", "x-amz-checksum-type: FULL_OBJECT")},
			{"PUT", "/bucket/key", "jello", h("x-amz-checksum-crc32: NhCmhg=="), 400, w("<Code>BadDigest</Code><Message>The CRC32 you specified did not match the calculated checksum.</Message>")},
			{"PUT", "/bucket/key", "jello", h("x-amz-checksum-crc32: AAAA"), 400, w("Value for x-amz-checksum-crc32 header is invalid.")},
			{"PUT", "/bucket/key", "jello", h("x-amz-checksum-crc32: NhCmhg==", "x-amz-checksum-crc32c: NhCmhg=="), 400, w("Expecting a single x-amz-checksum- header.")},
			{"PUT", "/bucket/key", "jello", h("x-amz-sdk-checksum-algorithm: CRC32"), 400, w("no corresponding x-amz-checksum-* or x-amz-trailer headers were found")},
			{"PUT", "/bucket/key", "jello", h("Content-MD5: XUFAKrxLKna5cZ2REBfFkg=="), 400, w("<Code>BadDigest</Code><Message>The Content-MD5 you specified did not match what we received.</Message>")},
			{"PUT", "/bucket/key", "jello", h("Content-MD5: XUFA"), 400, w("<Code>InvalidDigest</Code><Message>The Content-MD5 you specified was invalid.</Message>")},
			{"PUT", "/bucket/key", "jello", h("x-amz-trailer: x-amz-checksum-crc32"), 400, w("MalformedTrailerError")},
			{"GET", "/bucket/key", "", nil, 200, w("hello")},
		},
		"headers": {
			{"PUT", "/bucket/key", "hello", h("Content-Encoding: aws-chunked,gzip", "Cache-Control: no-store", "x-amz-storage-class: STANDARD_IA", "x-amz-tagging: a=1&b=2"), 200, w("")},
			{"HEAD", "/bucket/key", "", nil, 200, w("Content-Encoding: gzip", "Cache-Control: no-store", "x-amz-storage-class: STANDARD_IA", "x-amz-tagging-count: 2", "Content-Type: binary/octet-stream")},
			{"GET", "/bucket/key?response-content-type=text/html&response-cache-control=private", "", nil, 200, w("Content-Type: text/html", "Cache-Control: private")},
			{"GET", "/bucket/key?tagging", "", nil, 200, w("<Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>2</Value></Tag>")},
			{"PUT", "/bucket/key?tagging", "<Tagging><TagSet><Tag><Key>c</Key><Value>3</Value></Tag></TagSet></Tagging>", nil, 200, w("")},
			{"PUT", "/bucket/key?tagging", "<Tagging><TagSet><Tag><Key>c</Key><Value>3</Value></Tag><Tag><Key>c</Key><Value>4</Value></Tag></TagSet></Tagging>", nil, 400, w("<Code>InvalidTag</Code><Message>Cannot provide multiple Tags with the same key</Message>")},
			{"GET", "/bucket/key?tagging", "", nil, 200, w("<TagSet><Tag><Key>c</Key><Value>3</Value></Tag></TagSet>")},
			{"DELETE", "/bucket/key?tagging", "", nil, 204, w("")},
			{"GET", "/bucket/key?attributes", "", h("x-amz-object-attributes: ETag,ObjectSize,StorageClass,Checksum"), 200, w("<ETag>5d41402abc4b2a76b9719d911017c592</ETag>", "<ObjectSize>5</ObjectSize>", "<StorageClass>STANDARD_IA</StorageClass>", "<ChecksumType>FULL_OBJECT</ChecksumType>")},
			{"GET", "/bucket/key?attributes", "", h("x-amz-object-attributes: Colour"), 400, w("Invalid attribute name specified")},
			{"GET", "/bucket/key?acl", "", nil, 200, w("FULL_CONTROL")},
			{"PUT", "/bucket/key?acl", "", h("x-amz-acl: public-read"), 400, w("AccessControlListNotSupported")},
			{"PUT", "/bucket/key", "x", h("x-amz-acl: public-read"), 400, w("AccessControlListNotSupported")},
			{"PUT", "/bucket/key", "x", h("x-amz-acl: bucket-owner-full-control"), 200, w("")},
			{"PUT", "/bucket/key", "x", h("x-amz-storage-class: COLD"), 400, w("InvalidStorageClass")},
		},
		"copies": {
			{"PUT", "/bucket/a%2Bb", "hello", h("x-amz-meta-colour: blue", "Content-Type: text/plain"), 200, w("")},
			{"PUT", "/bucket/copy", "", h("x-amz-copy-source: /bucket/a%2Bb"), 200, w("<CopyObjectResult", "<ETag>&#34;5d41402abc4b2a76b9719d911017c592&#34;</ETag>")},
			{"GET", "/bucket/copy", "", nil, 200, w("hello", "x-amz-meta-colour: blue", "Content-Type: text/plain")},
			{"PUT", "/bucket/copy", "", h("x-amz-copy-source: bucket/copy"), 400, w("This copy request is illegal because it is trying to copy an object to itself")},
			{"PUT", "/bucket/copy", "", h("x-amz-copy-source: bucket/copy", "x-amz-metadata-directive: REPLACE", "x-amz-meta-colour: red"), 200, w("")},
			{"GET", "/bucket/copy", "", nil, 200, w("hello", "x-amz-meta-colour: red", "Content-Type: binary/octet-stream")},
			{"PUT", "/bucket/copy", "", h("x-amz-copy-source: bucket/a%2Bb", "x-amz-checksum-algorithm: SHA256"), 200, w("<ChecksumSHA256>LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=</ChecksumSHA256>")},
			{"PUT", "/bucket/copy", "", h("x-amz-copy-source: bucket/a%2Bb", `x-amz-copy-source-if-match: "x"`), 412, w("PreconditionFailed")},
			{"PUT", "/bucket/copy", "", h("x-amz-copy-source: bucket/none"), 404, w("NoSuchKey")},
			{"PUT", "/bucket/copy", "", h("x-amz-copy-source: bucket"), 400, w("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")},
			{"DELETE", "/bucket/a%2Bb", "", nil, 204, w("")},
			{"GET", "/bucket/copy", "", nil, 200, w("hello")},
		},
		"deleting many": {
			{"PUT", "/bucket/a", "1", nil, 200, w("")},
			{"PUT", "/bucket/b", "2", nil, 200, w("")},
			{"POST", "/bucket?delete", "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object></Delete>", nil, 200, w("<Deleted><Key>a</Key></Deleted><Deleted><Key>none</Key></Deleted>")},
			{"POST", "/bucket?delete", "<Delete><Object><Key>b</Key></Object><Quiet>true</Quiet></Delete>", nil, 200, w("></DeleteResult>")},
			{"POST", "/bucket?delete", "<Delete></Delete>", nil, 400, w("MalformedXML")},
			{"GET", "/bucket", "", nil, 200, w("<IsTruncated>false</IsTruncated></ListBucketResult>")},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			r.must("PUT", "/bucket", "")
			r.run(steps)
		})
	}
}
