package front_test

import (
	"testing"

	"github.com/seed-615d3599/roost/internal/region/assets/front"
)

func FuzzRange(f *testing.F) {
	for _, header := range []string{"bytes=0-4", "bytes=-3", "bytes=9-", "bytes=5-2", "bytes=18446744073709551615-", "bytes=1-1,2-2", "lines=1-2"} {
		f.Add(header, int64(5))
	}
	f.Fuzz(func(t *testing.T, header string, length int64) {
		if length < 0 {
			return
		}
		from, size, ok := front.ParseRange(header, length)
		if ok && size > 0 && (from < 0 || from+size > length) {
			t.Errorf("%q of %d bytes is %d bytes from %d", header, length, size, from)
		}
	})
}

func FuzzCopySource(f *testing.F) {
	f.Add("/bucket/a%20b?versionId=1")
	f.Add("arn:aws:s3:us-east-1:123456789012:accesspoint/a/object/b")
	f.Fuzz(func(t *testing.T, header string) {
		name, _, err := front.ParseCopySource(header)
		if err == nil && (name.Bucket == "" || name.Key == "") {
			t.Errorf("%q names %+v", header, name)
		}
	})
}

func FuzzTagging(f *testing.F) {
	f.Add("a=1&b=2")
	f.Fuzz(func(t *testing.T, header string) {
		tags, err := front.ParseTagging(header)
		if err == nil && len(tags) > 10 {
			t.Errorf("%q has %d tags", header, len(tags))
		}
	})
}
