package ecr

import (
	"context"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type imageID struct {
	ImageDigest string `json:"imageDigest,omitempty"`
	ImageTag    string `json:"imageTag,omitempty"`
}

type imagesInput struct {
	repositoryInput
	ImageIDs   []imageID         `json:"imageIds"`
	NextToken  string            `json:"nextToken"`
	MaxResults *int              `json:"maxResults"`
	Filter     map[string]string `json:"filter"`
}

type describeImagesOutput struct {
	ImageDetails []empty `json:"imageDetails"`
}

type empty struct{}

func (e *ECR) describeImages(ctx context.Context, _ *wire.Call, in *imagesInput) (*describeImagesOutput, error) {
	return &describeImagesOutput{ImageDetails: []empty{}}, e.config.DB.View(ctx, func(tx *store.Tx) error {
		_, err := e.find(tx, in.repositoryInput)
		if err == nil && len(in.ImageIDs) > 0 {
			id := in.ImageIDs[0]
			err = wire.Errorf(http.StatusBadRequest, "ImageNotFoundException", "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
				orNull(id.ImageDigest), orNull(id.ImageTag), in.RepositoryName, e.config.Account)
		}
		return err
	})
}

func orNull(text string) string {
	if text == "" {
		return "null"
	}
	return text
}

type listImagesOutput struct {
	ImageIDs []imageID `json:"imageIds"`
}

func (e *ECR) listImages(ctx context.Context, _ *wire.Call, in *imagesInput) (*listImagesOutput, error) {
	return &listImagesOutput{ImageIDs: []imageID{}}, e.config.DB.View(ctx, func(tx *store.Tx) error {
		_, err := e.find(tx, in.repositoryInput)
		return err
	})
}
