// Package storage holds CloudFormation's resource types of what keeps data:
// Systems Manager parameters, S3, Secrets Manager, and, as records, those that
// the embedded region has no service for.
package storage

import (
	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// Types returns the types.
func Types() []*cf.Type {
	return []*cf.Type{
		parameter(), bucket(), bucketPolicy(), secret(), secretPolicy(), key(), keyAlias(), repository(),
		table(), certificate(), recordSet(), recordSetGroup(), hostedZone(), cdkMetadata(),
	}
}

// cdkMetadata is what CDK says of itself in a template.
func cdkMetadata() *cf.Type {
	properties := cf.Properties{"Analytics": {Kind: cf.Any}, "Modules": {Kind: cf.Any}}
	return cf.RecordType("AWS::CDK::Metadata", properties, func(e *cf.Env, _ map[string]any) cf.State {
		return cf.State{ID: e.UUID()}
	})
}
