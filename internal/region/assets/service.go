package assets

import (
	"slices"

	"github.com/seed-615d3599/roost/internal/region/assets/buckets"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/uploads"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// operations makes the table of operations.
func (a *Assets) operations() []wire.Operation {
	return slices.Concat(
		(&buckets.Buckets{Front: a.Front}).Operations(), (&uploads.Uploads{Front: a.Front}).Operations(),
		a.objectOperations(), a.listOperations(), a.versionOperations(), a.detailOperations(),
	)
}

func (a *Assets) objectOperations() []wire.Operation {
	return []wire.Operation{
		front.Op("PutObject", a.putObject, wire.HTTP("PUT /{Bucket}/{Key+}", 200), wire.Stream(), wire.Targets(a.writeTargets)),
		front.Op("GetObject", a.getObject, wire.HTTP("GET /{Bucket}/{Key+}", 200), wire.Targets(a.readTargets)),
		front.Op("HeadObject", a.headObject, wire.HTTP("HEAD /{Bucket}/{Key+}", 200), wire.Targets(a.readTargets)),
		front.Op("DeleteObject", a.deleteObject, wire.HTTP("DELETE /{Bucket}/{Key+}", 204), wire.Targets(a.deleteTargets)),
	}
}

func (a *Assets) listOperations() []wire.Operation {
	return []wire.Operation{
		front.Op("ListObjectsV2", a.listObjectsV2, wire.HTTP("GET /{Bucket}?list-type=2", 200), wire.Targets(a.listTargetsV2)),
		front.Op("ListObjects", a.listObjects, wire.HTTP("GET /{Bucket}", 200), wire.Targets(a.listTargets)),
	}
}
