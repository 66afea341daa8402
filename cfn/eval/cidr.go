package eval

import (
	"math/big"
	"net/netip"
	"strconv"

	"github.com/seed-615d3599/roost/cfn/tree"
)

const badCidr = "Template error: every Fn::Cidr object requires a CIDR block, a count from 1 to 256 and the bits of each block, and there must be room for that many: %s"

// cidr cuts a block of addresses into count blocks with a number of host bits
// each (by default 8 for IPv4 and 64 for IPv6).
func (e *evaluator) cidr(n, arg *tree.Node) (any, error) {
	var texts []string
	for _, item := range arg.Items {
		text, known, err := e.text(item)
		if err != nil || !known {
			return Unknown{}, err
		}
		texts = append(texts, text)
	}
	blocks, why := cidrBlocks(texts)
	if why != "" {
		return nil, e.fail(n, badCidr, why)
	}
	return blocks, e.charge(n, 48*len(blocks))
}

func cidrBlocks(texts []string) (blocks []any, why string) {
	prefix, err := netip.ParsePrefix(texts[0])
	if err != nil {
		return nil, err.Error()
	}
	total := prefix.Addr().BitLen()
	bits := 8
	if total == 128 {
		bits = 64
	}
	if len(texts) == 3 {
		if bits, err = strconv.Atoi(texts[2]); err != nil || bits < 1 || bits > total {
			return nil, "the bits are " + texts[2]
		}
	}
	count, err := strconv.Atoi(texts[1])
	if err != nil || count < 1 || count > 256 {
		return nil, "the count is " + texts[1]
	}
	room := total - prefix.Bits() - bits
	if room < 0 || room < 8 && count > 1<<room {
		return nil, prefix.String() + " has no room for " + texts[1] + " blocks of " + strconv.Itoa(bits) + " bits"
	}
	first := new(big.Int).SetBytes(prefix.Masked().Addr().AsSlice())
	size := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	for range count {
		addr, _ := netip.AddrFromSlice(first.FillBytes(make([]byte, total/8)))
		blocks = append(blocks, netip.PrefixFrom(addr, total-bits).String())
		first.Add(first, size)
	}
	return blocks, ""
}
