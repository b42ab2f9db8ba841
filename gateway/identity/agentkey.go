package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"gatehouse/gateway/config"
)

// LoadOrCreateKey reads a private key (ECDSA on P-256, PKCS #8 in PEM) that only its owner
// may read, or creates it and reports that.
func LoadOrCreateKey(path string) (key crypto.Signer, created bool, err error) {
	if info, err := os.Stat(path); err == nil && info.Size() == 0 { // the power went before it was written
		if err := os.Remove(path); err != nil {
			return nil, false, fmt.Errorf("make a key: %w", err)
		}
	}
	key, err = LoadKey(path)
	if !errors.Is(err, os.ErrNotExist) {
		return key, false, err
	}
	fresh, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, false, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(fresh)
	if err != nil {
		return nil, false, fmt.Errorf("make a key: %w", err)
	}
	if err := Create(path, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), 0o600); err != nil {
		return nil, false, fmt.Errorf("make a key: %w", err)
	}
	return fresh, true, nil
}

// LoadKey reads a private key that LoadOrCreateKey has made. It fails when other accounts
// may read the file.
func LoadKey(path string) (crypto.Signer, error) {
	text, err := readKeyPEM(path)
	if err != nil {
		return nil, fmt.Errorf("load the key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("load the key: %s holds no key in PEM", path)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("load the key: %s: %w", path, err)
	}
	key, ok := k.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("load the key: %s holds no ECDSA key on P-256", path)
	}
	return key, nil
}

// LoadCertificate reads the first certificate of a PEM file.
func LoadCertificate(path string) (*x509.Certificate, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		b, err = config.Text(b)
	}
	if err != nil {
		return nil, fmt.Errorf("load the certificate: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("load the certificate: %s holds none in PEM", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("load the certificate: %s: %w", path, err)
	}
	return cert, nil
}

// PEM returns a certificate (DER) in PEM.
func PEM(der []byte) []byte {
	var out bytes.Buffer
	_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // a buffer takes all
	return out.Bytes()
}

// SyncFolder makes what was created, renamed and removed in a folder durable.
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
