package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"gatehouse/gateway/config"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/tpm"
)

// KeyPair reads a certificate and its key from PEM files, of which only this account may
// read the key's. The error says what to do
// about files in another form, encrypted keys, and files that do not belong together.
func KeyPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := ReadPEM(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := readKeyPEM(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	if bytes.Contains(key, []byte("ENCRYPTED")) {
		return tls.Certificate{}, fmt.Errorf("the key %s is encrypted: write it without a password by "+
			"openssl pkey -in %[1]s -out NEW, chmod 600 NEW, and name that", keyFile)
	}
	if tpm.Is(key) {
		return tpmPair(certFile, keyFile, cert, key)
	}
	pair, err := tls.X509KeyPair(cert, key)
	switch {
	case err == nil:
		return pair, nil
	case strings.Contains(err.Error(), "does not match"):
		return pair, fmt.Errorf("%w: %s must be the key of the first certificate in %s, which is the server's own; "+
			"those of the authorities follow it", err, keyFile, certFile)
	}
	return pair, fmt.Errorf("%s and %s: %w", certFile, keyFile, err)
}

// tpmPair is KeyPair of a key that lies in a TPM, which is not asked.
func tpmPair(certFile, keyFile string, cert, key []byte) (pair tls.Certificate, err error) {
	for block, rest := pem.Decode(cert); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			pair.Certificate = append(pair.Certificate, block.Bytes)
		}
	}
	if len(pair.Certificate) == 0 {
		return pair, fmt.Errorf("%s holds no certificate", certFile)
	}
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return pair, fmt.Errorf("%s: %w", certFile, err)
	}
	own, err := tpm.Parse(key)
	if err != nil {
		return pair, fmt.Errorf("%s: %w", keyFile, err)
	}
	public, ok := pair.Leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || !public.Equal(own.Public()) {
		return pair, fmt.Errorf("%s must be the key of the first certificate in %s", keyFile, certFile)
	}
	pair.PrivateKey = own
	return pair, nil
}

// ReadPEM reads a PEM file, as editors of Windows save it, too.
func ReadPEM(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parsePEM(path, b)
}

// readKeyPEM is ReadPEM of a file that only this account may read.
func readKeyPEM(path string) ([]byte, error) {
	b, err := secret.Read(path)
	if err != nil {
		return nil, err
	}
	return parsePEM(path, b)
}

func parsePEM(path string, b []byte) ([]byte, error) {
	text, err := config.Text(b)
	if err != nil || !bytes.Contains(text, []byte("-----BEGIN ")) {
		return nil, fmt.Errorf("%s is no PEM file: convert it, a certificate by openssl x509 -inform der -in %[1]s "+
			"-out NEW, a key by openssl pkey -inform der, a .pfx by openssl pkcs12 -nodes", path)
	}
	return text, nil
}
