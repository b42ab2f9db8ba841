package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/identity/authority"
)

// identityIssueFlags are the flags of identity issue.
type identityIssueFlags struct{ kind, out, csr string }

func identityIssue(file *string) *cobra.Command {
	var f identityIssueFlags
	c := &cobra.Command{
		Use:   "issue NAME --kind machine|reader",
		Short: "Give a machine or a reader a certificate for the broker",
		Long: `issue makes a key and a certificate with which a machine may send its reports, or a
reader such as Grafana may read all topics and send nothing. It counts for 366 days;
issue it again before, which makes the former one void. A machine that has made its own
key gives a request instead (--csr): an ECDSA key on P-256, and its name does not count.`,
		Example: "  gatehouse identity issue grafana --kind reader --out /etc/grafana/gatehouse\n" +
			"  gatehouse identity issue fogger-1 --kind machine --csr fogger-1.csr",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withRegistry(c, *file, func(_ centre.Config, r *registry.Registry) error {
				return f.run(c, r, args[0])
			})
		},
	}
	c.Flags().StringVar(&f.kind, "kind", "", "machine or reader")
	c.Flags().StringVar(&f.out, "out", ".", "folder for NAME.key and NAME.crt")
	c.Flags().StringVar(&f.csr, "csr", "", "a certificate request (PKCS #10, PEM) of a machine with a key of its own")
	_ = c.RegisterFlagCompletionFunc("kind", fixed(string(authority.Machine), string(authority.Reader)))
	_ = c.MarkFlagRequired("kind")
	return c
}

func (f identityIssueFlags) run(c *cobra.Command, r *registry.Registry, name string) error {
	kind := authority.Kind(f.kind)
	if kind != authority.Machine && kind != authority.Reader {
		return usageError{fmt.Errorf("--kind %q: write machine or reader", f.kind)}
	}
	if err := r.MayBe(name, kind); err != nil { // before a key is made
		return err
	}
	if err := os.MkdirAll(f.out, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	public, err := f.key(name)
	if err != nil {
		return err
	}
	cert, err := r.Issue(c.Context(), name, kind, public, audit.AtTerminal())
	if err != nil {
		return err
	}
	path := filepath.Join(f.out, name+".crt")
	if err := os.WriteFile(path, identity.PEM(cert.Raw), 0o644); err != nil { //nolint:gosec // no secret
		return fmt.Errorf("write the certificate: %w", err)
	}
	out := path
	if f.csr == "" {
		out += " and " + filepath.Join(f.out, name+".key")
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s: valid until %s\n", out, cert.NotAfter.Local().Format(time.DateOnly))
	return err
}

// key returns the public key that the certificate is for: of the request, or of a key in
// the folder, which it makes.
func (f identityIssueFlags) key(name string) (*ecdsa.PublicKey, error) {
	if f.csr != "" {
		return readRequest(f.csr)
	}
	path := filepath.Join(f.out, name+".key")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is there already: a new certificate gets a new key; move it away first", path)
	}
	key, _, err := identity.LoadOrCreateKey(path)
	if err != nil {
		return nil, err
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%s is no ECDSA key", path)
	}
	return public, nil
}

// readRequest returns the key of a certificate request, which has signed it.
func readRequest(path string) (*ecdsa.PublicKey, error) {
	text, err := identity.ReadPEM(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no certificate request in PEM", path)
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil {
		return nil, fmt.Errorf("%s is no right certificate request: %w", path, err)
	}
	public, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%s has another key than ECDSA on P-256: make one by "+
			"openssl ecparam -name prime256v1 -genkey", path)
	}
	return public, nil
}
