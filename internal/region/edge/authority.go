package edge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Authority is the region's own certificate authority. Clients trust it with
// the file at CertFile (AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS, curl --cacert).
type Authority struct {
	CertFile string

	cert *x509.Certificate
	key  crypto.Signer
	now  func() time.Time

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by host name
}

// maxLeaves bounds how many certificates are kept for names that clients ask
// for.
const maxLeaves = 256

// OpenAuthority reads the authority in dir, or makes it. The key is only
// readable by its owner.
func OpenAuthority(dir string, now func() time.Time) (*Authority, error) {
	a := &Authority{CertFile: filepath.Join(dir, "ca.pem"), now: now, leaves: map[string]*tls.Certificate{}}
	keyFile := filepath.Join(dir, "ca-key.pem")
	pair, err := tls.LoadX509KeyPair(a.CertFile, keyFile)
	if err == nil && now().Before(pair.Leaf.NotAfter.AddDate(0, -1, 0)) {
		a.cert, a.key = pair.Leaf, pair.PrivateKey.(crypto.Signer)
		return a, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the certificate authority %s and its key %s cannot be read: %w: remove both to have them made anew", a.CertFile, keyFile, err)
	}
	return a, a.create(keyFile)
}

// At returns the same authority with another clock, for a region that begins as a
// copy of the one that it is of.
func (a *Authority) At(now func() time.Time) *Authority {
	return &Authority{CertFile: a.CertFile, cert: a.cert, key: a.key, now: now, leaves: map[string]*tls.Certificate{}}
}

func (a *Authority) create(keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.now().UnixNano()), Subject: pkix.Name{CommonName: "Roost local region"},
		NotBefore: a.now().Add(-time.Hour), NotAfter: a.now().AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	a.key = key
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(keyFile, "PRIVATE KEY", keyDER, 0o600); err != nil {
		return err
	}
	return writePEM(a.CertFile, "CERTIFICATE", der, 0o644)
}

func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// TLS returns the configuration of a server that has a certificate for every
// name that a client asks for, and for the loopback addresses.
func (a *Authority) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.leaf(hello.ServerName)
		},
	}
}

// leaf returns a certificate for a host name, "" for the loopback addresses.
func (a *Authority) leaf(name string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if leaf, ok := a.leaves[name]; ok && a.now().Before(leaf.Leaf.NotAfter) {
		return leaf, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.now().UnixNano()), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: a.now().Add(-time.Hour), NotAfter: a.now().AddDate(0, 3, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if name != "" {
		template.DNSNames = append(template.DNSNames, name)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	leaf := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}
	a.leaves[name] = leaf
	return leaf, nil
}
