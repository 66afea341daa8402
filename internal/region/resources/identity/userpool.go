package identity

import (
	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func userPoolTypes() []*cf.Type { return nil }
