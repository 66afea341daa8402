package operator

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam/internal/document"
	"github.com/seed-615d3599/roost/iam/internal/glob"
	"github.com/seed-615d3599/roost/iam/internal/scalar"
)

// Value is a policy's value, in the form that its operator needs. Make it with
// Compile.
type Value struct {
	Pattern glob.Pattern
	Number  float64
	Date    *time.Time
	Truth   bool
}

// Reading is a value of a request in the form that its operator needs.
type Reading struct {
	OK      bool // whether it is of the operator's type
	Number  float64
	Date    time.Time
	Address netip.Addr
}

// Read is for the operators whose values are more than text.
func (c Comparison) Read(text string) (r Reading) {
	switch c {
	case Number:
		r.Number, r.OK = scalar.Number(text)
	case Date:
		r.Date, r.OK = scalar.Date(text)
	case IP:
		r.Address, r.OK = scalar.Address(text)
	}
	return r
}

// Compile compiles a value of a condition. One that could never match, as it is
// not of the operator's type, is refused: it would be a mistake that opens or
// closes a door in silence. variables says whether ${...} can be a variable.
func (op *Operator) Compile(text string, variables bool) (v Value, err error) {
	opt := op.options
	opt.Variables = opt.Variables && variables
	compile := glob.Text
	if op.Compare == ARN {
		compile = glob.ARN
	}
	if v.Pattern, err = compile(text, opt); err != nil {
		return v, err
	}
	ok := true
	switch op.Compare {
	case Number:
		v.Number, ok = scalar.Number(text)
	case Date:
		var date time.Time
		date, ok = scalar.Date(text)
		v.Date = &date
	case Bool:
		ok = v.Pattern.HasVariables || isBool(text)
	case Null:
		v.Truth, ok = strings.EqualFold(text, "true"), isBool(text)
	case Binary:
		_, decodeErr := base64.StdEncoding.Strict().DecodeString(text)
		ok = decodeErr == nil
	case IP:
		_, ok = scalar.Network(text)
	case ARN:
		ok = v.Pattern.IsARN() || v.Pattern.HasVariables
	}
	if !ok {
		return v, fmt.Errorf("%q is not %s", document.Clip(text), op.Compare.noun())
	}
	return v, nil
}

func (c Comparison) noun() string {
	return map[Comparison]string{
		Number: "a number", Date: "a date of ISO 8601 or seconds since 1970",
		Bool: "true or false", Null: "true or false", Binary: "base64",
		IP: "an IP address or a range in CIDR notation", ARN: "an ARN",
	}[c]
}

func isBool(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }
