package roost

// CustomDomain is a name of one's own for an API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html
type CustomDomain struct {
	DomainName string // such as "api.example.com"
	// CertificateARN is the certificate for the name, of AWS Certificate Manager
	// in the API's region. Without it one is made and validated through the
	// hosted zone.
	CertificateARN Value
	// HostedZoneID is the Route 53 zone of the name, in which a record is made
	// that points to the API. Without it that is left to the reader.
	HostedZoneID Value
	Path         string // the first part of paths under which the API answers; empty: all paths
}

// addDomain adds the domain name, its mapping, and the certificate and record
// that the hosted zone takes, by the names that CDK gives these constructs.
func (a *API) addDomain(d CustomDomain) {
	if !matches(`^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$`, d.DomainName) {
		a.fail("the DomainName of CustomDomain is "+quoteOrNothing(d.DomainName), `write it in small letters, as in "api.example.com"`)
	}
	certificate := d.CertificateARN
	if certificate == "" {
		certificate = a.addCertificate(d)
	}
	domain := a.child("DomainName", "Resource").resource("AWS::ApiGatewayV2::DomainName", map[string]any{
		"DomainName": d.DomainName,
		"DomainNameConfigurations": []any{map[string]any{
			"CertificateArn": certificate, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2",
		}},
	})
	mapping := map[string]any{"ApiId": a.id, "DomainName": domain.Ref(), "Stage": a.stage.Ref()}
	if d.Path != "" {
		if !matches(`^[A-Za-z0-9._/$-]*[A-Za-z0-9]$`, d.Path) {
			a.fail("the Path of CustomDomain is "+quoteOrNothing(d.Path), `write it without slashes at its ends, as in "v1"`)
		}
		mapping["ApiMappingKey"] = d.Path
	}
	a.child("Mapping", "Resource").resource("AWS::ApiGatewayV2::ApiMapping", mapping)
	if d.HostedZoneID == "" {
		return
	}
	a.child("AliasRecord", "Resource").resource("AWS::Route53::RecordSet", map[string]any{
		"Name": d.DomainName + ".", "Type": "A", "HostedZoneId": d.HostedZoneID,
		"AliasTarget": map[string]any{
			"DNSName":      domain.Att("RegionalDomainName"),
			"HostedZoneId": domain.Att("RegionalHostedZoneId"),
		},
	})
}

func (a *API) addCertificate(d CustomDomain) Value {
	if d.HostedZoneID == "" {
		a.fail("CustomDomain has neither a CertificateARN nor a HostedZoneID", "set HostedZoneID, or CertificateARN to a certificate for the name")
	}
	return a.child("Certificate", "Resource").resource("AWS::CertificateManager::Certificate", map[string]any{
		"DomainName":              d.DomainName,
		"DomainValidationOptions": []any{map[string]any{"DomainName": d.DomainName, "HostedZoneId": d.HostedZoneID}},
		"ValidationMethod":        "DNS",
	}).Ref()
}

func quoteOrNothing(s string) string {
	if s == "" {
		return "missing"
	}
	return `"` + s + `"`
}
