package assets

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type deleteObjectInput struct {
	objectName
	VersionID string `query:"versionId"`
	IfMatch   string `header:"If-Match"`
}

// deletion is what deleting did.
type deletion struct {
	marker  bool   // a delete marker was made, or removed
	version string // of the version removed, or of the marker made; "" without versioning
}

func (a *Assets) deleteObject(ctx context.Context, c *wire.Call, in *deleteObjectInput) (*wire.Raw, error) {
	done, err := a.delete(ctx, in.objectName, in.VersionID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	if done.marker {
		header.Set("x-amz-delete-marker", "true")
	}
	if done.version != "" {
		header.Set("x-amz-version-id", done.version)
	}
	return headAnswer(c, 0, header), nil
}

// delete removes an object, or one version of it for good (S3 User Guide,
// "Deleting object versions from a versioning-enabled bucket"). To delete what
// is not there is no error.
func (a *Assets) delete(ctx context.Context, name objectName, version, ifMatch string) (done deletion, err error) {
	marker, err := a.newID(24)
	if err != nil {
		return done, err
	}
	err = a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := objects.GetBucket(tx, name.Bucket)
		if err != nil {
			return err
		}
		o, err := objects.GetVersion(tx, name.Bucket, name.Key, version)
		if err != nil {
			return err
		}
		if ifMatch != "" && (o == nil || !matches(ifMatch, o.ETag)) {
			return fault.PreconditionFailed()
		}
		switch {
		case version != "":
			done.version = version
			if o == nil {
				return nil
			}
			done.marker = o.Marker
			return a.keeper.RemoveVersion(tx, b.Name, o)
		case b.Versioning == "":
			if o == nil {
				return nil
			}
			return a.keeper.RemoveVersion(tx, b.Name, o)
		}
		if b.Versioning == settings.Suspended {
			marker = "null"
		}
		done = deletion{marker: true, version: marker}
		return a.keeper.Put(tx, b, &objects.Object{Key: name.Key, Version: marker, Marker: true, Modified: a.now()})
	})
	return done, err
}

// bucketNotEmpty is the error for a bucket that still has something, and says
// so more exactly where S3's sentence leads astray.
func bucketNotEmpty(left json.RawMessage) error {
	var o objects.Object
	message := "The bucket you tried to delete is not empty"
	if json.Unmarshal(left, &o) == nil && (o.Marker || o.Version != "null") {
		message += ". You must delete all versions in the bucket."
	}
	return wire.Errorf(http.StatusConflict, "BucketNotEmpty", "%s", message)
}
