package assets

import (
	"context"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type deleteObjectInput struct {
	front.ObjectName
	VersionID string `query:"versionId"`
	IfMatch   string `header:"If-Match"`
}

// deletion is what deleting did.
type deletion struct {
	marker  bool   // a delete marker was made, or removed
	version string // of the version removed, or of the marker made; "" without versioning
}

func (a *Assets) deleteObject(ctx context.Context, c *wire.Call, in *deleteObjectInput) (*wire.Raw, error) {
	done, err := a.delete(ctx, in.ObjectName, in.VersionID, in.IfMatch)
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
	return front.HeadAnswer(c, 0, header), nil
}

// delete removes an object, or one version of it for good (S3 User Guide,
// "Deleting object versions from a versioning-enabled bucket"). To delete what
// is not there is no error.
func (a *Assets) delete(ctx context.Context, name front.ObjectName, version, ifMatch string) (done deletion, err error) {
	marker, err := a.NewID(24)
	if err != nil {
		return done, err
	}
	err = a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := objects.GetBucket(tx, name.Bucket)
		if err != nil {
			return err
		}
		o, err := objects.GetVersion(tx, name.Bucket, name.Key, version)
		if err != nil {
			return err
		}
		if ifMatch != "" && (o == nil || !front.Matches(ifMatch, o.ETag)) {
			return fault.PreconditionFailed()
		}
		switch {
		case version != "":
			done.version = version
			if o == nil {
				return nil
			}
			done.marker = o.Marker
			return a.Keeper.RemoveVersion(tx, b.Name, o)
		case b.Versioning == "":
			if o == nil {
				return nil
			}
			return a.Keeper.RemoveVersion(tx, b.Name, o)
		}
		if b.Versioning == settings.Suspended {
			marker = "null"
		}
		done = deletion{marker: true, version: marker}
		return a.Keeper.Put(tx, b, &objects.Object{Key: name.Key, Version: marker, Marker: true, Modified: a.Moment()})
	})
	return done, err
}
