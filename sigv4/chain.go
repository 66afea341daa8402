package sigv4

// Chain is the chain of signatures of a payload in chunks: each covers the one
// before it, and the first that of the request (S3 API Reference, "Signature
// calculations for chunked uploads"). Package s3body follows it.
type Chain struct {
	key      [32]byte
	preamble string // the lines for time and scope
	previous signature
}

// Chain returns the chain that starts with this signature.
func (s *Signature) Chain() Chain {
	preamble := append(s.Time.AppendFormat(nil, isoBasic), '\n')
	preamble = scope{s.Date, s.Region, s.Service}.append(preamble)
	return Chain{key: s.key, preamble: string(preamble), previous: s.sent}
}

// Next reports whether claimed is the signature of what comes next, and if so
// goes on to it. The string to sign starts with algorithm, such as
// "AWS4-HMAC-SHA256-PAYLOAD", and ends with lines.
func (c *Chain) Next(algorithm, claimed string, lines ...string) bool {
	var array [512]byte
	message := append(array[:0], algorithm...)
	message = append(append(message, '\n'), c.preamble...)
	message = append(append(message, '\n'), c.previous[:]...)
	for _, line := range lines {
		message = append(append(message, '\n'), line...)
	}
	want := sign(c.key, message)
	if !want.equals(claimed) {
		return false
	}
	c.previous = want
	return true
}
