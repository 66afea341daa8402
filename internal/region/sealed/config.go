package sealed

import (
	"crypto/rand"
	"io"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// Config is what a service needs whose values are sealed. Account, Region, DB
// and MasterKey must be given.
type Config struct {
	Account   string // 12 digits
	Region    string
	DB        *store.DB
	MasterKey []byte           // secret, 16 bytes or more; values can be read only with the same one
	Now       func() time.Time // nil means time.Now
	Rand      io.Reader        // nil means crypto/rand
}

// Open returns the configuration with its defaults, and the box of a purpose.
func (c Config) Open(purpose string) (Config, *Box, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	box, err := New(c.MasterKey, purpose, c.Rand)
	return c, box, err
}

// Keys are those of AWS KMS that the values of a service, by its signing name,
// can be encrypted with.
func (c Config) Keys(service string) Keys {
	return Keys{Account: c.Account, Region: c.Region, Service: service}
}
