// Package scalar reads the values of conditions that are more than text:
// numbers, dates, and addresses, in the forms that IAM takes (IAM User Guide,
// "IAM JSON policy elements: Condition operators").
//
//	date, ok := scalar.Date("2026-11-22T12:00:00Z")
package scalar

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Number reads an integer or a decimal value, and nothing else that strconv
// would take, such as "inf" or "0x10".
func Number(s string) (float64, bool) {
	if s == "" || len(s) > 64 || strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// Date reads the forms of ISO 8601 that the W3C note "Date and Time
// Formats" lists, the basic form that AWS's own signatures use, and seconds
// since 1970. Four digits alone are a year.
func Date(s string) (time.Time, bool) {
	if len(s) != len("2006") && OnlyDigits(s) {
		seconds, err := strconv.ParseInt(s, 10, 64)
		return time.Unix(seconds, 0).UTC(), err == nil
	}
	layout := ""
	switch {
	case len(s) == len("2006"):
		layout = "2006"
	case len(s) == len("2006-01"):
		layout = "2006-01"
	case len(s) == len("2006-01-02"):
		layout = "2006-01-02"
	case len(s) > 16 && s[16] == ':':
		layout = time.RFC3339
	case len(s) > 16 && s[10] == 'T':
		layout = "2006-01-02T15:04Z07:00"
	default:
		layout = "20060102T150405Z07:00"
	}
	t, err := time.Parse(layout, s)
	return t, err == nil
}

// OnlyDigits reports whether text is a run of at least one digit.
func OnlyDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || '9' < s[i] {
			return false
		}
	}
	return s != ""
}

// Address reads an IPv4 or IPv6 address. An IPv4 address in the clothes of an
// IPv6 one is the IPv4 address, and a zone does not count.
func Address(s string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(s)
	return address.Unmap().WithZone(""), err == nil
}

// Network reads an address, which is a range of one, or a range in CIDR
// notation. Bits beyond the prefix do not count.
func Network(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		address, ok := Address(s)
		return netip.PrefixFrom(address, address.BitLen()), ok
	}
	network, err := netip.ParsePrefix(s)
	return network.Masked(), err == nil
}
