package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/pages"
)

// readyFlags are the flags of ready.
type readyFlags struct {
	file, url string
	alive     bool
	wait      time.Duration
}

func readyCommand() *cobra.Command {
	var f readyFlags
	c := &cobra.Command{
		Use:   "ready [--config FILE | --url URL]",
		Short: "Ask whether a collector or gate on this computer does its work, for health checks",
		Long: `ready asks /readyz of the collector whose configuration is given, or of the address that
--url gives, and prints the answer. It exits with 0 if the program does its work, else with
1. With --alive it asks /healthz: whether the program lives. Of a desk with TLS it takes only
the certificate that the configuration names, whatever names are in it.`,
		Example: "  gatehouse ready --config /etc/gatehouse/collect.yaml\n" +
			"  gatehouse ready --url http://127.0.0.1:8090",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	c.Flags().StringVarP(&f.file, "config", "c", defaultCollect, "the collector's configuration")
	c.Flags().StringVar(&f.url, "url", "", "address of a desk, or of a gate's screen, instead")
	c.Flags().BoolVar(&f.alive, "alive", false, "ask only whether it lives")
	c.Flags().DurationVar(&f.wait, "wait", 10*time.Second, "for how long to wait for the answer")
	c.MarkFlagsMutuallyExclusive("config", "url")
	return c
}

func (f *readyFlags) run(c *cobra.Command) error {
	address, client := f.url, &http.Client{}
	if address == "" {
		var err error
		if address, client, err = f.desk(); err != nil {
			return err
		}
	}
	path := "/readyz"
	if f.alive {
		path = "/healthz"
	}
	ctx, cancel := context.WithTimeout(c.Context(), f.wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(address, "/")+path, nil)
	if err != nil {
		return usageError{fmt.Errorf("--url %s: %w", address, err)}
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask whether it is ready: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("ask whether it is ready: %w", err)
	}
	if _, err := c.OutOrStdout().Write(text); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it is not ready: %s", res.Status)
	}
	return nil
}

// desk returns deskAt of the configuration, by the address: the probe is answered without a session
// to who calls this computer by a name that it has for itself.
func (f *readyFlags) desk() (address string, client *http.Client, err error) {
	cfg, err := loadCollector(f.file)
	if err != nil {
		return "", nil, err
	}
	cfg.Beside(f.file)
	if cfg.Desk == nil {
		return "", nil, fmt.Errorf("%s: no desk is configured, which would answer", f.file)
	}
	address, _, client, err = deskAt(*cfg.Desk)
	return address, client, err
}

// deskAt returns where a desk is found from this computer, by which name it answers ("": that
// of the address), and what asks it.
func deskAt(cfg pages.Config) (address, name string, client *http.Client, err error) {
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return "", "", nil, fmt.Errorf("desk.listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if len(cfg.Hosts) > 0 {
			name = net.JoinHostPort(cfg.Hosts[0], port)
		}
	}
	at := net.JoinHostPort(host, port) + strings.TrimRight(cfg.Path, "/")
	if cfg.TLS.Cert == "" {
		return "http://" + at, name, &http.Client{}, nil
	}
	text, err := os.ReadFile(cfg.TLS.Cert)
	if err != nil {
		return "", "", nil, fmt.Errorf("read the desk's certificate: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", "", nil, fmt.Errorf("%s holds no certificate", cfg.TLS.Cert)
	}
	client = &http.Client{Transport: &http.Transport{TLSClientConfig: only(block.Bytes)}}
	return "https://" + at, name, client, nil
}

// only returns a configuration that takes one certificate, whatever names are in it.
func only(der []byte) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, //nolint:gosec // the certificate itself is compared
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, der) {
				return errors.New("what answers has another certificate than the desk's: is it another program, " +
					"or was the certificate renewed and the collector not restarted?")
			}
			return nil
		}}
}
