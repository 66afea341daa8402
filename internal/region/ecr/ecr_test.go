package ecr_test

import (
	"testing"

	"github.com/seed-615d3599/roost/internal/region/ecr"
	"github.com/seed-615d3599/roost/internal/region/wire/wiretest"
)

func TestOperations(t *testing.T) {
	w := wiretest.New(t)
	w.Service = ecr.New(ecr.Config{Account: "123456789012", Region: "us-east-1", DB: w.DB}).Service()
	const missing = `RepositoryNotFoundException: The repository with name 'assets' does not exist in the registry with id '123456789012'`
	const policy = `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":[\"ecr:BatchGetImage\"]}]}`
	w.Run([][3]string{
		{"DescribeRepositories", `{"repositoryNames":["assets"]}`, missing},
		{"CreateRepository", `{"repositoryName":"Assets"}`, `InvalidParameterException`},
		{"CreateRepository", `{"repositoryName":"assets","imageTagMutability":"IMMUTABLE"}`, `"repositoryUri":"123456789012.dkr.ecr.us-east-1.amazonaws.com/assets"`},
		{"CreateRepository", `{"repositoryName":"assets"}`, `RepositoryAlreadyExistsException`},
		{"DescribeRepositories", `{}`, `"repositoryArn":"arn:aws:ecr:us-east-1:123456789012:repository/assets"`},
		{"DescribeRepositories", `{"repositoryNames":["assets"]}`, `"imageTagMutability":"IMMUTABLE"`},
		{"CreateRepository", `{"repositoryName":"more"}`, `"repositoryName":"more"`},
		{"DescribeRepositories", `{"maxResults":1}`, `"nextToken":"1"`},
		{"DescribeRepositories", `{"maxResults":1,"nextToken":"1"}`, `{"repositories":[{"repositoryArn":"arn:aws:ecr:us-east-1:123456789012:repository/more"`},
		{"DescribeRepositories", `{"nextToken":"x"}`, `InvalidParameterException`},
		{"DescribeImages", `{"repositoryName":"assets"}`, `{"imageDetails":[]}`},
		{"DescribeImages", `{"repositoryName":"assets","imageIds":[{"imageTag":"v1"}]}`, `ImageNotFoundException: The image with imageId {imageDigest:'null', imageTag:'v1'} does not exist within the repository with name 'assets'`},
		{"GetRepositoryPolicy", `{"repositoryName":"assets"}`, `RepositoryPolicyNotFoundException`},
		{"SetRepositoryPolicy", `{"repositoryName":"assets","policyText":"{"}`, `InvalidParameterException`},
		{"SetRepositoryPolicy", `{"repositoryName":"assets","policyText":"` + policy + `"}`, `"repositoryName":"assets"`},
		{"GetRepositoryPolicy", `{"repositoryName":"assets"}`, `ecr:BatchGetImage`},
		{"PutLifecyclePolicy", `{"repositoryName":"assets","lifecyclePolicyText":"{}"}`, `"lifecyclePolicyText":"{}"`},
		{"TagResource", `{"resourceArn":"arn:aws:ecr:us-east-1:123456789012:repository/assets","tags":[{"Key":"k","Value":"v"}]}`, `{}`},
		{"ListTagsForResource", `{"resourceArn":"arn:aws:ecr:us-east-1:123456789012:repository/assets"}`, `{"tags":[{"Key":"k","Value":"v"}]}`},
		{"GetAuthorizationToken", `{}`, `roost does not support GetAuthorizationToken of ECR`},
		{"DeleteRepository", `{"repositoryName":"assets","force":true}`, `"repositoryName":"assets"`},
		{"DeleteRepository", `{"repositoryName":"assets"}`, missing},
	})
}
