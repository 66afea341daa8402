package s3body

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/sigv4"
)

// Limits of the aws-chunked encoding: of a line, and of the lines of a trailer.
const (
	maxChunkLine    = 4096
	maxTrailerLines = 32
)

// emptyHash is the SHA-256 of nothing, which each chunk's signature covers.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// chunkReader decodes an aws-chunked payload (S3 API Reference, "Signature
// calculations for chunked uploads" and "... including trailing headers"):
//
//	10000;chunk-signature=<hex>\r\n<data>\r\n ... 0;chunk-signature=<hex>\r\n
//	x-amz-checksum-crc32c:<base64>\r\nx-amz-trailer-signature:<hex>\r\n\r\n
//
// Each signature covers the one before it, so that chunks cannot be left out,
// repeated or exchanged.
type chunkReader struct {
	in        *bufio.Reader
	signed    bool // chunks carry signatures
	trailing  bool // a trailer follows
	chain     sigv4.Chain
	remaining int64 // of the declared length

	open    bool  // inside a chunk
	left    int64 // of it
	claimed string
	digest  hash.Hash
	trailer []sigv4.Header
}

func newChunkReader(sig *sigv4.Signature, body io.Reader) *chunkReader {
	return &chunkReader{
		in:        bufio.NewReaderSize(body, maxChunkLine),
		signed:    sig.PayloadHash != sigv4.PayloadStreamingUnsignedTrailer,
		trailing:  sig.PayloadHash != sigv4.PayloadStreaming,
		chain:     sig.Chain(),
		remaining: sig.DecodedLength,
		digest:    sha256.New(),
	}
}

// Read implements io.Reader.
func (c *chunkReader) Read(p []byte) (int, error) {
	if !c.open {
		if err := c.begin(); err != nil {
			return 0, err
		}
		if c.left == 0 {
			return 0, c.finish()
		}
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.in.Read(p)
	c.left -= int64(n)
	if c.signed {
		c.digest.Write(p[:n])
	}
	if err != nil {
		return n, incomplete(err)
	}
	if c.left == 0 {
		return n, c.end()
	}
	return n, nil
}

// begin reads the line before a chunk's data.
func (c *chunkReader) begin() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(size, 16, 63)
	if err != nil {
		return errChunk()
	}
	if c.left = int64(n); c.left > c.remaining {
		return incompleteBody()
	}
	c.remaining -= c.left
	claimed, hasSignature := strings.CutPrefix(extension, "chunk-signature=")
	if c.signed != hasSignature {
		return errChunk()
	}
	c.claimed, c.open = claimed, true
	c.digest.Reset()
	return nil
}

// end reads the line break after a chunk's data and checks its signature.
func (c *chunkReader) end() error {
	if line, err := c.line(); err != nil {
		return err
	} else if line != "" {
		return errChunk()
	}
	c.open = false
	return c.checkChunk()
}

func (c *chunkReader) checkChunk() error {
	if !c.signed {
		return nil
	}
	return c.check("AWS4-HMAC-SHA256-PAYLOAD", c.claimed, emptyHash)
}

// check compares a signature over the digest and the signature before it.
func (c *chunkReader) check(algorithm, claimed string, lines ...string) error {
	lines = append(lines, hex.EncodeToString(c.digest.Sum(nil)))
	if !c.chain.Next(algorithm, claimed, lines...) {
		return refuse(403, sigv4.CodeSignatureDoesNotMatch, "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
	return nil
}

// finish checks the last, empty chunk, reads what follows it, and returns io.EOF
// if all is well.
func (c *chunkReader) finish() error {
	if err := c.checkChunk(); err != nil {
		return err
	}
	if c.remaining > 0 {
		return incompleteBody()
	}
	if c.trailing {
		if err := c.readTrailer(); err != nil {
			return err
		}
	} else if line, err := c.line(); err != nil {
		return err
	} else if line != "" {
		return errChunk()
	}
	if _, err := c.in.ReadByte(); err == nil {
		return errChunk()
	} else if err != io.EOF {
		return err
	}
	return io.EOF
}

// readTrailer reads the header lines after the last chunk, up to an empty line.
func (c *chunkReader) readTrailer() error {
	c.digest.Reset()
	claimed := ""
	for range maxTrailerLines {
		line, err := c.line()
		if err != nil {
			return err
		}
		if line == "" && c.signed {
			return c.check("AWS4-HMAC-SHA256-TRAILER", claimed)
		} else if line == "" {
			return nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || claimed != "" {
			return errChunk()
		}
		name, value = strings.ToLower(name), strings.Trim(value, " \t")
		if name == "x-amz-trailer-signature" {
			claimed = value
			continue
		}
		c.trailer = append(c.trailer, sigv4.Header{Name: name, Value: value})
		io.WriteString(c.digest, name+":"+value+"\n")
	}
	return errChunk()
}

// line reads a line of limited length and removes its end.
func (c *chunkReader) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return "", errChunk()
	} else if err != nil {
		return "", incomplete(err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
}

func errChunk() *sigv4.Error {
	return refuse(400, sigv4.CodeInvalidRequest, "The body of the request is not well-formed aws-chunked data.")
}

func incompleteBody() *sigv4.Error {
	return refuse(400, sigv4.CodeIncompleteBody, "You did not provide the number of bytes specified by the Content-Length HTTP header.")
}

// incomplete is the error for a body that ends early.
func incomplete(err error) error {
	if err == io.EOF {
		return incompleteBody()
	}
	return err
}
