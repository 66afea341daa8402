package shape

// or keeps what is given, and is the default where nothing is.
func or[T any](given *T, byDefault T) *T {
	if given != nil {
		return given
	}
	return &byDefault
}

// SetDefaults fills in what AWS fills in.
func (p *APIProps) SetDefaults() {
	p.RouteSelectionExpression = or(p.RouteSelectionExpression, "$request.method $request.path")
	p.APIKeySelectionExpression = or(p.APIKeySelectionExpression, "$request.header.x-api-key")
	p.DisableExecuteAPIEndpoint = or(p.DisableExecuteAPIEndpoint, false)
}

// SetDefaults fills in what AWS fills in.
func (p *IntegrationProps) SetDefaults() {
	p.ConnectionType = or(p.ConnectionType, "INTERNET")
	p.TimeoutInMillis = or(p.TimeoutInMillis, 30000)
	p.PayloadFormatVersion = or(p.PayloadFormatVersion, "1.0")
	p.IntegrationMethod = or(p.IntegrationMethod, "POST")
}

// SetDefaults fills in what AWS fills in for a domain that Check has let pass.
func (d *DomainProps) SetDefaults() {
	regional, tls, available := "REGIONAL", "TLS_1_2", "AVAILABLE"
	c := &d.DomainNameConfigurations[0]
	c.EndpointType, c.SecurityPolicy, c.DomainNameStatus = &regional, &tls, &available
	c.HostedZoneID = or(c.HostedZoneID, "Z1UJRXOUMOOFQ8") // any zone will do: nobody resolves the name
	d.RoutingMode = or(d.RoutingMode, "API_MAPPING_ONLY")
}
