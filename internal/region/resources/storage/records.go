package storage

import (
	"context"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// The types of services that the embedded region does not have. What they
// protect is not here either, so that no policy of theirs stands open.

func table() *cf.Type {
	const why = "there is no DynamoDB here: tables are kept as records"
	properties := cf.Records(why, "AttributeDefinitions", "BillingMode", "ContributorInsightsSpecification", "GlobalSecondaryIndexes",
		"KinesisStreamSpecification", "OnDemandThroughput", "PointInTimeRecoverySpecification", "ProvisionedThroughput",
		"ResourcePolicy", "SSESpecification", "StreamSpecification", "TableClass", "TimeToLiveSpecification", "WarmThroughput").
		With(cf.Properties{
			"DeletionProtectionEnabled": {Kind: cf.Boolean},
			"ImportSourceSpecification": cf.Record(why).Replacing(),
			"KeySchema":                 cf.Record(why).Must().Replacing(),
			"LocalSecondaryIndexes":     cf.Record(why).Replacing(),
			"TableName":                 {Kind: cf.String, Replace: true, Mode: cf.Recorded, Why: why},
			"Tags":                      cf.KeyValues(),
		})
	kind := cf.RecordType("AWS::DynamoDB::Table", properties, func(e *cf.Env, want map[string]any) cf.State {
		name := e.OrName(cf.Text(want, "TableName"), 255)
		arn := "arn:aws:dynamodb:" + e.Region + ":" + e.Account + ":table/" + name
		return cf.State{ID: name, Attributes: map[string]any{"Arn": arn, "StreamArn": arn + "/stream/2000-01-01T00:00:00.000"}}
	}, "Arn", "StreamArn")
	kind.Delete = func(_ context.Context, _ *cf.Env, have cf.State) error {
		if cf.Flag(have.Properties, "DeletionProtectionEnabled") {
			return cf.Protected("table", have.ID, "DeletionProtectionEnabled")
		}
		return nil
	}
	return kind
}

func certificate() *cf.Type {
	const why = "the region signs its own certificates: those of ACM are kept as records, and none is validated"
	properties := cf.Records(why, "CertificateExport", "CertificateTransparencyLoggingPreference").With(cf.Properties{
		"CertificateAuthorityArn": cf.Record(why).Replacing(),
		"DomainName":              cf.Record(why).Must().Replacing(),
		"DomainValidationOptions": cf.Record(why).Replacing(),
		"KeyAlgorithm":            cf.Record(why).Replacing(),
		"SubjectAlternativeNames": cf.Record(why).Replacing(),
		"Tags":                    cf.KeyValues(),
		"ValidationMethod":        cf.Record(why).Replacing(),
	})
	return cf.RecordType("AWS::CertificateManager::Certificate", properties, func(e *cf.Env, _ map[string]any) cf.State {
		arn := "arn:aws:acm:" + e.Region + ":" + e.Account + ":certificate/" + e.UUID()
		return cf.State{ID: arn, Attributes: map[string]any{"Id": arn}}
	}, "Id")
}

// dns is said of each property of Route 53's types.
const dns = "there is no Route 53 here: names are kept as records; add one to /etc/hosts to use it"

func recordSet() *cf.Type {
	properties := cf.Records(dns, "AliasTarget", "CidrRoutingConfig", "Comment", "Failover", "GeoLocation", "GeoProximityLocation",
		"HealthCheckId", "MultiValueAnswer", "Region", "ResourceRecords", "SetIdentifier", "TTL", "Weight").
		With(cf.Properties{
			"HostedZoneId":   cf.Record(dns).Replacing(),
			"HostedZoneName": cf.Record(dns).Replacing(),
			"Name":           cf.Record(dns).Must().Replacing(),
			"Type":           cf.Record(dns).Must(),
		})
	return cf.RecordType("AWS::Route53::RecordSet", properties, func(_ *cf.Env, want map[string]any) cf.State {
		return cf.State{ID: cf.Text(want, "Name")}
	})
}

func recordSetGroup() *cf.Type {
	properties := cf.Records(dns, "Comment", "RecordSets").With(cf.Properties{
		"HostedZoneId":   cf.Record(dns).Replacing(),
		"HostedZoneName": cf.Record(dns).Replacing(),
	})
	return cf.RecordType("AWS::Route53::RecordSetGroup", properties, func(e *cf.Env, _ map[string]any) cf.State {
		id := e.Name(128)
		return cf.State{ID: id, Attributes: map[string]any{"Id": id}}
	}, "Id")
}

func hostedZone() *cf.Type {
	properties := cf.Records(dns, "HostedZoneConfig", "HostedZoneFeatures", "HostedZoneTags", "QueryLoggingConfig", "VPCs").
		With(cf.Properties{"Name": cf.Record(dns).Must().Replacing()})
	return cf.RecordType("AWS::Route53::HostedZone", properties, func(e *cf.Env, _ map[string]any) cf.State {
		id := "Z" + strings.ToUpper(e.Random(20))
		servers := []any{"ns-1.awsdns-01.org", "ns-2.awsdns-02.co.uk", "ns-3.awsdns-03.com", "ns-4.awsdns-04.net"}
		return cf.State{ID: id, Attributes: map[string]any{"Id": id, "NameServers": servers}}
	}, "Id", "NameServers")
}
