package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// made returns a certificate and its key as DER.
func made(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	if cert, err = x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private); err != nil {
		t.Fatal(err)
	}
	if key, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestCertificatesThatCannotBeUsedSayWhatToDo(t *testing.T) {
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	rawCert, rawKey := made(t)
	rawOther, _ := made(t)
	cert, key := text("CERTIFICATE", rawCert), text("PRIVATE KEY", rawKey)
	for name, c := range map[string]struct{ cert, key, want string }{
		"good":                   {cert, key, ""},
		"with a byte order mark": {"\xef\xbb\xbf" + cert, "\xef\xbb\xbf" + key, ""},
		"both in one file":       {cert + key, cert + key, ""},
		"DER":                    {string(rawCert), key, "openssl x509 -inform der"},
		"an encrypted key":       {cert, text("ENCRYPTED PRIVATE KEY", rawKey), "is encrypted"},
		"another certificate":    {text("CERTIFICATE", rawOther), key, "must be the key of the first"},
		"the chain upside down":  {text("CERTIFICATE", rawOther) + cert, key, "must be the key of the first"},
		"exchanged":              {key, cert, "switched"},
		"an empty file":          {"", key, "no PEM file"},
	} {
		dir := t.TempDir()
		certFile, keyFile := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
		for path, text := range map[string]string{certFile: c.cert, keyFile: c.key} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := KeyPair(certFile, keyFile)
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}
