package digest_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/internal/region/assets/digest"
)

func sum(t interface{ Fatal(...any) }, a digest.Algorithm, data []byte) string {
	h, err := digest.New(a)
	if err != nil {
		t.Fatal(err)
	}
	h.Write(data)
	return digest.Text(h.Sum(nil))
}

// The check values of the catalogue of parametrised CRC algorithms, and the
// hashes' own.
func TestKnownValues(t *testing.T) {
	want := map[digest.Algorithm]string{
		digest.CRC32:     "y/Q5Jg==",     // cbf43926
		digest.CRC32C:    "4waSgw==",     // e3069283
		digest.CRC64NVME: "rosUhgp5mIg=", // ae8b14860a799888
		digest.SHA1:      "98O8HYCOBHMq32eZZczDTKeuNEE=",
		digest.SHA256:    "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
	}
	for _, a := range digest.All() {
		if got := sum(t, a, []byte("123456789")); got != want[a] {
			t.Errorf("%s: %s, want %s", a, got, want[a])
		}
	}
}

func TestCombinedChecksumIsThatOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom([]digest.Algorithm{digest.CRC32, digest.CRC32C, digest.CRC64NVME}).Draw(t, "algorithm")
		pieces := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 1, 6).Draw(t, "pieces")
		var whole []byte
		var parts []digest.Part
		for _, piece := range pieces {
			whole = append(whole, piece...)
			parts = append(parts, digest.Part{Sum: sum(t, a, piece), Size: int64(len(piece))})
		}
		got, err := digest.OfParts(a, digest.FullObject, parts)
		if err != nil || got != sum(t, a, whole) {
			t.Fatalf("%s %v, want %s", got, err, sum(t, a, whole))
		}
	})
}
