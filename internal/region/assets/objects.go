package assets

import (
	"context"
	"encoding/hex"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type putObjectInput struct {
	front.ObjectName
	front.ObjectHeaders
	front.CopySource
	copyDirectives
	IfMatch     string `header:"If-Match"`
	IfNoneMatch string `header:"If-None-Match"`
}

func (a *Assets) putObject(ctx context.Context, c *wire.Call, in *putObjectInput) (*wire.Raw, error) {
	if c.HTTP == nil {
		return nil, fault.InvalidRequest("PutObject needs a body")
	}
	if in.IfNoneMatch != "" && in.IfNoneMatch != "*" {
		return nil, fault.NotImplemented("If-None-Match with an ETag in PutObject: use *")
	}
	if in.Source != "" {
		return a.copyObject(ctx, c, in)
	}
	b, err := a.ReadBucket(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	o, err := a.NewObject(in.ObjectName, in.ObjectHeaders, c.HTTP.Header, b)
	if err != nil {
		return nil, err
	}
	got, err := a.Receive(c, "")
	if err != nil {
		return nil, err
	}
	defer got.Close()
	o.Size, o.ETag, o.Checksum = got.Size, hex.EncodeToString(got.MD5), got.Checksum
	o.Parts = []objects.Part{got.Part(1, o.Modified)}
	conditions := front.WriteConditions{IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch}
	if err := a.commit(ctx, in.Bucket, o, conditions, got.Keep); err != nil {
		return nil, err
	}
	header := http.Header{"Etag": {front.Quoted(o.ETag)}}
	front.AddVersion(header, o)
	front.AddEncryption(header, o)
	front.AddChecksum(header, o)
	return front.HeadAnswer(c, 0, header), nil
}

// commit makes o the latest version of its key. keep makes its bytes durable,
// and comes first.
func (a *Assets) commit(ctx context.Context, bucket string, o *objects.Object, conditions front.WriteConditions, keep func() error) error {
	if err := keep(); err != nil {
		return fault.Body(err)
	}
	version, err := a.NewID(24)
	if err != nil {
		return err
	}
	return a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := objects.GetBucket(tx, bucket)
		if err != nil {
			return err
		}
		if err := conditions.Check(tx, bucket, o.Key); err != nil {
			return err
		}
		if o.Version = "null"; b.Versioning == settings.Enabled {
			o.Version = version
		}
		return a.Keeper.Put(tx, b, o)
	})
}
