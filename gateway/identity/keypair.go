package identity

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"strings"

	"gatehouse/gateway/config"
	"gatehouse/gateway/secret"
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
