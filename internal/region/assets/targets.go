package assets

import (
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (a *Assets) readTargets(_ *wire.Call, in *getObjectInput) []wire.Target {
	return []wire.Target{a.VersionTarget("s3:GetObject", in.ObjectName, in.VersionID)}
}

func (a *Assets) deleteTargets(_ *wire.Call, in *deleteObjectInput) []wire.Target {
	return []wire.Target{a.VersionTarget("s3:DeleteObject", in.ObjectName, in.VersionID)}
}

func (a *Assets) writeTargets(_ *wire.Call, in *putObjectInput) []wire.Target {
	targets := append(a.NewObjectTargets(in.ObjectName, in.ObjectHeaders), a.SourceTargets(in.CopySource)...)
	if in.Source != "" {
		targets[0].Context["s3:x-amz-copy-source"] = []string{strings.TrimPrefix(in.Source, "/")}
	}
	return targets
}

func (a *Assets) listTargets(_ *wire.Call, in *listObjectsInput) []wire.Target {
	return []wire.Target{a.ListTarget("s3:ListBucket", in.ListInput)}
}

func (a *Assets) listTargetsV2(_ *wire.Call, in *listObjectsV2Input) []wire.Target {
	return []wire.Target{a.ListTarget("s3:ListBucket", in.ListInput)}
}
