package twitter

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// signatureCases are worked examples of the RFC and of Twitter's own page
// "Creating a signature". The RFC's errata give the secrets of section 3.4.1.1.
var signatureCases = []struct {
	name                        string
	request                     string
	tls                         bool
	consumerSecret, tokenSecret string
	base, signature             string
}{
	{
		name: "RFC 5849 section 1.2, temporary credentials",
		request: "POST /initiate HTTP/1.1\r\nHost: photos.example.net\r\n" +
			`Authorization: OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131200", oauth_nonce="wIjqoS", oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready", oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D"` + "\r\n\r\n",
		tls: true, consumerSecret: "kd94hf93k423kf44",
		signature: "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
	},
	{
		name: "RFC 5849 section 1.2, token credentials",
		request: "POST /token HTTP/1.1\r\nHost: photos.example.net\r\n" +
			`Authorization: OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="hh5s93j4hdidpola", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="walatlh", oauth_verifier="hfdp7dh39dks9884", oauth_signature="gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D"` + "\r\n\r\n",
		tls: true, consumerSecret: "kd94hf93k423kf44", tokenSecret: "hdhd0244k9j7ao03",
		signature: "gKgrFCywp7rO0OXSjdot/IHF7IU=",
	},
	{
		name: "RFC 5849 section 1.2, a protected resource",
		request: "GET /photos?file=vacation.jpg&size=original HTTP/1.1\r\nHost: photos.example.net\r\n" +
			`Authorization: OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", oauth_nonce="chapoH", oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"` + "\r\n\r\n",
		consumerSecret: "kd94hf93k423kf44", tokenSecret: "pfkkdhi9sl3r4s00",
		signature: "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
	},
	{
		name: "RFC 5849 section 3.4.1.1, names twice and in three places",
		request: "POST /request?b5=%3D%253D&a3=a&c%40=&a2=r%20b HTTP/1.1\r\nHost: EXAMPLE.COM:80\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n" +
			`Authorization: OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="7d8f3e4a", oauth_signature="r6%2FTJjbCOr97%2F%2BUU0NsvSne7s5g%3D"` + "\r\n\r\nc2&a3=2+q",
		consumerSecret: "j49sk3j29djd", tokenSecret: "dh893hdasih9",
		base:      "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7",
		signature: "r6/TJjbCOr97/+UU0NsvSne7s5g=",
	},
	{
		name: "Twitter, creating a signature",
		request: "POST /1.1/statuses/update.json?include_entities=true HTTP/1.1\r\nHost: api.twitter.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 76\r\n" +
			`Authorization: OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", oauth_nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", oauth_signature="hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1318622958", oauth_token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", oauth_version="1.0"` + "\r\n\r\n" +
			"status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21",
		tls: true, consumerSecret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw", tokenSecret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
		signature: "hCtSmYh+iHYCEqBWrE7C7hYmtUk=",
	},
}

func TestSignatureIsThatOfTheWorkedExamples(t *testing.T) {
	for _, test := range signatureCases {
		t.Run(test.name, func(t *testing.T) {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(test.request)))
			if err != nil {
				t.Fatal(err)
			}
			if test.tls {
				r.TLS = tlsState()
			}
			params, oauth, err := collect(r)
			if err != nil {
				t.Fatal(err)
			}
			base := baseString(r.Method, baseStringURI(r), params)
			if test.base != "" && base != test.base {
				t.Errorf("base string\n got %s\nwant %s", base, test.base)
			}
			if got := hmacSHA1(base, test.consumerSecret, test.tokenSecret); got != test.signature {
				t.Errorf("signature is %s, want %s", got, test.signature)
			}
			if oauth["oauth_signature"] != test.signature {
				t.Errorf("the header's signature was read as %q", oauth["oauth_signature"])
			}
		})
	}
}

func TestParameterParsersRefuseWhatIsMalformed(t *testing.T) {
	for _, header := range []string{`OAuth a`, `OAuth a=b`, `OAuth a="b`, `OAuth a="%4"`, `OAuth %zz="b"`, `OAuth a="b" c="d`, "OAuth " + strings.Repeat(`a="b",`, maxParams+1)} {
		if params, err := parseAuthorization(header); err == nil {
			t.Errorf("parseAuthorization(%.40q) = %v, want an error", header, params)
		}
	}
	for _, form := range []string{"a=%", "%q=1", "a=%1", strings.Repeat("a&", maxParams+1)} {
		if params, err := parseForm(form); err == nil {
			t.Errorf("parseForm(%.40q) = %v, want an error", form, params)
		}
	}
	if params, err := parseAuthorization("Basic abc"); len(params) != 0 || err != nil {
		t.Errorf("another scheme gave %v, %v", params, err)
	}
}

func TestWhatIsEncodedIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := []param{{"oauth_" + rapid.String().Draw(t, "name"), rapid.String().Draw(t, "value")}}
		fromForm, err := parseForm(normalize(want))
		if err != nil {
			t.Fatal(err)
		}
		name, value := percentEncode(want[0].name), percentEncode(want[0].value)
		fromHeader, err := parseAuthorization(`OAuth realm="x", ` + name + `="` + value + `"`)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range [][]param{fromForm, fromHeader} {
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(param{})); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func FuzzParameters(f *testing.F) {
	for _, test := range signatureCases {
		f.Add(test.request)
	}
	f.Add("a=b&c=%41+d")
	f.Add(`OAuth a="b", realm="c"`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) ([]param, error){parseAuthorization, parseForm} {
			params, err := parse(text)
			if err != nil {
				continue
			}
			again, err := parseForm(normalize(params))
			if err != nil {
				t.Fatalf("normalized parameters do not parse: %v", err)
			}
			if normalize(again) != normalize(params) {
				t.Fatalf("%q and then %q", normalize(params), normalize(again))
			}
		}
	})
}

// TestVersions takes the version of the protocol, and how the npm package oauth
// writes it in its example for Twitter.
func TestVersions(t *testing.T) {
	p := &Provider{config: Config{Now: func() time.Time { return time.Unix(1318622958, 0) }}}
	for version, fine := range map[string]bool{"1.0": true, "1.0A": true, "": false, "1.0a": false, "2.0": false} {
		_, err := p.checkProtocol(map[string]string{"oauth_version": version, "oauth_signature_method": "HMAC-SHA1", "oauth_nonce": "n", "oauth_timestamp": "1318622958"})
		if (err == nil) != fine {
			t.Errorf("oauth_version %q: %v", version, err)
		}
	}
}

// TestAFullDisk names what is wrong where a token could not be kept.
func TestAFullDisk(t *testing.T) {
	w := httptest.NewRecorder()
	writeError(w, httptest.NewRequest("POST", "/oauth/request_token", nil), fmt.Errorf("state: %w", syscall.ENOSPC))
	if w.Code != http.StatusInsufficientStorage || !strings.Contains(w.Body.String(), "the disk of the region is full") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
