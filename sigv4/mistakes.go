package sigv4

import (
	"bytes"
	"net"
	"slices"
	"strings"
)

// trial is a signature that does not match, to be computed with mistakes.
type trial struct {
	request Request
	claim   claim
	form    form
	secret  string
}

// mistake is something that people get wrong when they sign.
type mistake struct {
	part  string // of the request; a pair of mistakes is in two different parts
	fault string // what is wrong, for a person
	make  func(*trial)
}

// explains reports whether these mistakes lead to the signature that was sent.
func (t *trial) explains(mistakes ...mistake) bool {
	wrong := *t
	for _, m := range mistakes {
		m.make(&wrong)
	}
	var array [4096]byte
	canonical, _ := appendCanonicalRequest(array[:0], &wrong.request, &wrong.form)
	// The string to sign keeps the scope that was sent, even if a mistake has
	// derived the key from another.
	want := sign(signingKey(wrong.secret, wrong.claim.scope), stringToSign(nil, t.claim.time, t.claim.scope, canonical))
	return want.equals(t.claim.signature)
}

// missingHeader returns a signed header that the request does not have.
func (t *trial) missingHeader() string {
	for name := range strings.SplitSeq(t.claim.signedHeaders, ";") {
		if name != "host" && name != ":authority" && !t.request.has(name) {
			return name
		}
	}
	return ""
}

// shapeMistakes are those in how path, query, payload and host are written; they
// come in pairs, too.
func (t *trial) shapeMistakes(v *Verifier) []mistake {
	return slices.Concat(t.pathMistakes(v), t.queryMistakes(), t.payloadMistakes(), t.hostMistakes())
}

func (t *trial) pathMistakes(v *Verifier) []mistake {
	write := func(form pathForm, fault string) mistake {
		return mistake{"path", fault, func(t *trial) { t.form.path = form }}
	}
	var out []mistake
	if v.S3 || v.PathAsSent {
		out = []mistake{
			write(pathTwice, "the path was normalised and encoded twice, which S3 does not do"),
			write(pathTwiceRaw, "the path was encoded twice, which S3 does not do"),
			write(pathOnceTidy, "the path was normalised (dot segments or doubled slashes removed), which S3 does not do"),
			write(pathVerbatim, "the path was signed without encoding every character but letters, digits, '-', '_', '.', '~' and '/'"),
		}
	} else {
		out = []mistake{
			write(pathVerbatim, "the path was encoded once; every service but S3 has it encoded twice"),
			write(pathOnce, "the path was encoded once and not normalised, as for S3; other services have both done"),
			write(pathOnceTidy, "the path was encoded once; every service but S3 has it encoded twice"),
			write(pathTwiceRaw, "the path was not normalised: dot segments and doubled slashes have to be removed before signing"),
		}
	}
	path, query := t.request.pathAndQuery()
	retarget := func(path, fault string) mistake {
		target := path
		if query != "" {
			target += "?" + query
		}
		return mistake{"path", fault, func(t *trial) { t.request.Target = target }}
	}
	if stage, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/"); ok {
		out = append(out, retarget("/"+rest, "the path was signed without its first segment \"/"+stage+"\""))
	}
	if bare, ok := strings.CutSuffix(path, "/"); ok && bare != "" {
		return append(out, retarget(bare, "the path was signed without the slash at its end"))
	}
	return append(out, retarget(path+"/", "the path was signed with a slash at its end"))
}

func (t *trial) queryMistakes() []mistake {
	write := func(form queryForm, fault string) mistake {
		return mistake{"query", fault, func(t *trial) { t.form.query = form }}
	}
	out := []mistake{
		write(queryInOrder, "the query was not sorted by name before signing"),
		write(queryNone, "the query was left out of the signature"),
	}
	if t.claim.presigned {
		return append(out, mistake{"query", "the session token was added to the query after signing; this service has it signed", func(t *trial) { t.form.omitToken = true }})
	}
	return append(out, write(queryVerbatim, "the query was signed as typed; it has to be sorted by name, and encoded with '=' after each name"))
}

func (t *trial) payloadMistakes() []mistake {
	hash := func(hash, fault string) mistake {
		return mistake{"payload", fault, func(t *trial) { t.form.payloadHash = hash }}
	}
	out := []mistake{hash(PayloadUnsigned, "the payload was signed as "+PayloadUnsigned+", which only S3 takes")}
	if t.form.payloadHash == PayloadUnsigned {
		out = nil
	}
	if declared := t.claim.contentSHA256; isHash(declared) && declared != t.form.payloadHash {
		out = append(out, hash(declared, "the body was changed after signing: X-Amz-Content-Sha256 is not its hash"))
	} else if declared != "" && declared != PayloadUnsigned && !isHash(declared) {
		out = append(out, hash(declared, "the payload was signed as "+declared+", which only S3 takes"))
	}
	out = append(out, hash(emptyHash, "the request was signed without its body"))
	body := t.request.Body
	if len(body) == 0 {
		return out
	}
	return append(out,
		hash(HashPayload(bytes.TrimRight(body, "\r\n")), "the body was changed after signing: it got a line break at its end"),
		hash(HashPayload(append(body[:len(body):len(body)], '\n')), "the body was changed after signing: it lost the line break at its end"),
		hash(HashPayload(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))), "the body was changed after signing: its line breaks became CR LF"),
		hash(HashPayload(bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))), "the body was changed after signing: its line breaks lost their CR"),
	)
}

func (t *trial) hostMistakes() []mistake {
	became := t.request.Host
	host := func(host string) mistake {
		return mistake{"host", "the host was signed as \"" + host + "\" and arrived as \"" + became + "\"", func(t *trial) { t.request.Host = host }}
	}
	var out []mistake
	if name, _, err := net.SplitHostPort(became); err == nil {
		out = append(out, host(name))
	} else {
		out = append(out, host(became+":80"), host(became+":443"))
	}
	for _, header := range []string{"x-forwarded-host", "x-original-host"} {
		if value, ok := t.request.first(header); ok {
			out = append(out, host(trim(value)))
		}
	}
	if lower := strings.ToLower(became); lower != became {
		out = append(out, host(lower))
	}
	return out
}

// otherMistakes are tried one at a time.
func (t *trial) otherMistakes() []mistake {
	var out []mistake
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		if method != t.request.Method {
			out = append(out, mistake{"method", "the method was signed as " + method + " and arrived as " + t.request.Method,
				func(t *trial) { t.request.Method = method }})
		}
	}
	return slices.Concat(out, t.headerMistakes(), t.keyMistakes())
}

// headerMistakes are changes that transports and proxies make to signed headers.
func (t *trial) headerMistakes() []mistake {
	was := map[string][]string{
		"accept-encoding": {"gzip", "identity", "gzip, deflate", "gzip, deflate, br"},
		"connection":      {"keep-alive", "close"},
		"content-length":  {"0"},
		"content-type":    {"application/json", "application/x-www-form-urlencoded", "application/octet-stream", "text/plain"},
		"accept":          {"*/*", "application/json"},
	}
	var out []mistake
	for name := range strings.SplitSeq(t.claim.signedHeaders, ";") {
		value, ok := t.request.first(name)
		if !ok || name == "x-amz-security-token" {
			continue // a token is not to be printed
		}
		candidates := append(was[name], "")
		if media, _, ok := strings.Cut(value, ";"); ok {
			candidates = append(candidates, media)
		} else {
			candidates = append(candidates, value+"; charset=utf-8", value+";charset=UTF-8", value+"; charset=UTF-8")
		}
		if list := strings.LastIndex(value, ","); list >= 0 {
			candidates = append(candidates, value[:list])
		}
		for _, candidate := range candidates {
			out = append(out, mistake{"header", "the header \"" + name + "\" was changed on the way: it was signed as \"" + trim(candidate) + "\"",
				func(t *trial) { t.request.Header = withHeader(t.request.Header, name, candidate) }})
		}
	}
	return out
}

// withHeader returns a copy in which a header has one value.
func withHeader(headers []Header, name, value string) []Header {
	out := slices.DeleteFunc(slices.Clone(headers), func(h Header) bool { return isNamed(h.Name, name) })
	return append(out, Header{name, value})
}

// keyMistakes are in how the signing key was derived.
func (t *trial) keyMistakes() []mistake {
	var out []mistake
	for _, region := range []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-1", "aws-global", ""} {
		out = append(out, mistake{"key", "the signing key was derived for the region \"" + region + "\", which is not the one in the credential",
			func(t *trial) { t.claim.scope.region = region }})
	}
	for _, service := range []string{"execute-api", "lambda", "s3", "sts", "iam", "cloudformation", "apigateway", ""} {
		out = append(out, mistake{"key", "the signing key was derived for the service \"" + service + "\", which is not the one in the credential",
			func(t *trial) { t.claim.scope.service = service }})
	}
	for _, blank := range []string{"\n", "\r\n", " "} {
		out = append(out, mistake{"key", "the client's secret access key has a blank or line break at its end",
			func(t *trial) { t.secret += blank }})
	}
	return append(out, mistake{"key", "the client's secret access key is empty", func(t *trial) { t.secret = "" }})
}
