package layers

import (
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
)

// The shapes of the API, with the members of AWS's service model that are
// served here. A member that is missing here is refused by its name.

type layerContent struct {
	S3Bucket        string `json:",omitempty"`
	S3Key           string `json:",omitempty"`
	S3ObjectVersion string `json:",omitempty"`
	ZipFile         []byte `json:",omitempty"`
}

type publishLayerInput struct {
	LayerName               string `uri:"LayerName"`
	Description             string `json:",omitempty"`
	Content                 layerContent
	CompatibleRuntimes      []string `json:",omitempty"`
	LicenseInfo             string   `json:",omitempty"`
	CompatibleArchitectures []string `json:",omitempty"`
}

type layerVersionRef struct {
	LayerName     string `uri:"LayerName"`
	VersionNumber int64  `uri:"VersionNumber"`
}

type layerByARNInput struct {
	Arn string `query:"Arn"`
}

type listLayersInput struct {
	model.Page
	LayerName              string `uri:"LayerName"`
	CompatibleRuntime      string `query:"CompatibleRuntime"`
	CompatibleArchitecture string `query:"CompatibleArchitecture"`
}

type layerContentOutput struct {
	Location   string `json:",omitempty"`
	CodeSha256 string
	CodeSize   int64
}

type layerVersionOutput struct {
	Content                 *layerContentOutput `json:",omitempty"`
	LayerArn                string              `json:",omitempty"`
	LayerVersionArn         string
	Description             string
	CreatedDate             string
	Version                 int64
	CompatibleRuntimes      []string `json:",omitempty"`
	LicenseInfo             string   `json:",omitempty"`
	CompatibleArchitectures []string `json:",omitempty"`
}

type listLayerVersionsOutput struct {
	NextMarker    string `json:",omitempty"`
	LayerVersions []layerVersionOutput
}

type layerItem struct {
	LayerName             string
	LayerArn              string
	LatestMatchingVersion layerVersionOutput
}

type listLayersOutput struct {
	NextMarker string `json:",omitempty"`
	Layers     []layerItem
}
