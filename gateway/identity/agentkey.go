package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"gatehouse/gateway/config"
	"gatehouse/gateway/tpm"
)

// LoadOrCreateKey reads a private key (ECDSA on P-256, PKCS #8 in PEM) that only its owner
// may read, or creates it and reports that.
func LoadOrCreateKey(path string) (key crypto.Signer, created bool, err error) {
	return LoadOrCreateKeyIn(path, "")
}

// LoadOrCreateKeyIn is LoadOrCreateKey of a key that is made, if there is none, in the TPM
// at the path device (package tpm); device is empty: in the file.
func LoadOrCreateKeyIn(path, device string) (key crypto.Signer, created bool, err error) {
	if info, err := os.Stat(path); err == nil && info.Size() == 0 { // the power went before it was written
		if err := os.Remove(path); err != nil {
			return nil, false, fmt.Errorf("make a key: %w", err)
		}
	}
	key, err = LoadKey(path)
	if !errors.Is(err, os.ErrNotExist) {
		return key, false, err
	}
	text := []byte(nil)
	if device != "" {
		key, text, err = tpm.Create(device)
	} else {
		key, text, err = createKey()
	}
	if err == nil {
		err = Create(path, string(text), 0o600)
	}
	if err != nil {
		return nil, false, fmt.Errorf("make a key: %w", err)
	}
	return key, true, nil
}

func createKey() (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// TryKey has a private key sign, and returns an error when the signature does not verify: a
// key in a TPM may be there and of no use.
func TryKey(key crypto.Signer) error {
	digest := sha256.Sum256([]byte("gatehouse tries a key"))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return fmt.Errorf("try the key: %w", err)
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || !ecdsa.VerifyASN1(public, digest[:], signature) {
		return errors.New("try the key: what it signs is wrong: a new code, and gatehouse enrol --again")
	}
	return nil
}

// LoadKey reads a private key that LoadOrCreateKey or LoadOrCreateKeyIn has made. It fails
// when other accounts may read the file. A TPM is not asked: TryKey does.
func LoadKey(path string) (crypto.Signer, error) {
	text, err := readKeyPEM(path)
	if err != nil {
		return nil, fmt.Errorf("load the key: %w", err)
	}
	if tpm.Is(text) {
		key, err := tpm.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("load the key: %s: %w", path, err)
		}
		return key, nil
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
