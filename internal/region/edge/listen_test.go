package edge_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/edge"
)

// sniffing serves "tls" or "plain" on one port.
func sniffing(t *testing.T) (address string, client *http.Client) {
	t.Helper()
	authority, err := edge.OpenAuthority(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			io.WriteString(w, "tls")
			return
		}
		io.WriteString(w, "plain")
	})}
	go server.Serve(edge.Sniff(listener, authority.TLS()))
	t.Cleanup(func() { server.Close() })
	pem, err := os.ReadFile(authority.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}
	return listener.Addr().String(), &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestTLSAndPlainOnOnePort(t *testing.T) {
	address, client := sniffing(t)
	for scheme, want := range map[string]string{"http": "plain", "https": "tls"} {
		if got := get(t, client, scheme+"://"+address+"/"); got != want {
			t.Errorf("%s: %s", scheme, got)
		}
	}
}

func TestSilentConnectionsDoNotKeepOthersOut(t *testing.T) {
	address, client := sniffing(t)
	for range 1100 { // more than may be silent at once
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Skipf("this machine has no room for so many connections: %v", err)
		}
		defer conn.Close()
	}
	if got := get(t, client, "http://"+address+"/"); got != "plain" {
		t.Errorf("got %q", got)
	}
}

func TestAuthorityIsKept(t *testing.T) {
	dir := t.TempDir()
	first, err := edge.OpenAuthority(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(first.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := edge.OpenAuthority(dir, time.Now); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(first.CertFile)
	if err != nil || string(after) != string(before) {
		t.Errorf("the authority changed: %v", err)
	}
	info, err := os.Stat(dir + "/ca-key.pem")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode: %v %v", info, err)
	}
}
