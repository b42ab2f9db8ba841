package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A command that the account of the services runs in root's stead gets the flags and arguments
// that were given.
func TestACommandLineIsGivenOnAsItWas(t *testing.T) {
	var got []string
	var kind, out string
	var many []string
	var yes bool
	issue := &cobra.Command{Use: "issue NAME", RunE: func(c *cobra.Command, args []string) error {
		got = line(c, args)
		return nil
	}}
	issue.Flags().StringVarP(&kind, "kind", "k", "", "")
	issue.Flags().StringVar(&out, "out", "here", "")
	issue.Flags().StringArrayVar(&many, "recipient", nil, "")
	issue.Flags().BoolVar(&yes, "yes", false, "")
	root, identity := &cobra.Command{Use: "gatehouse"}, &cobra.Command{Use: "identity"}
	root.AddCommand(identity)
	identity.AddCommand(issue)
	root.SetArgs([]string{"identity", "issue", "-k", "reader", "--recipient", "a,b", "--recipient=c", "--yes",
		"--", "-x"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	want := []string{"identity", "issue", "--kind=reader", "--recipient=a,b", "--recipient=c", "--yes=true", "--", "-x"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Commands on files elsewhere than the services' run as who starts them.
func TestFilesElsewhereBelongToWhoStartsTheCommand(t *testing.T) {
	ran := false
	var file string
	c := serviceRuns(&cobra.Command{Use: "x", RunE: func(*cobra.Command, []string) error {
		ran = true
		return nil
	}}, "config")
	c.Flags().StringVar(&file, "config", filepath.Join(t.TempDir(), "collect.yaml"), "")
	c.SetArgs(nil)
	if err := c.ExecuteContext(t.Context()); err != nil || !ran {
		t.Errorf("%v, ran: %v", err, ran)
	}
}

// The link of an invitation leads to the desk that the configuration names.
func TestAnInvitationLeadsToTheDesk(t *testing.T) {
	dir := t.TempDir()
	all := "desk: {listen: '0.0.0.0:8443', tls: {cert: c, key: k}, hosts: [county.example]}\n"
	for text, want := range map[string]string{
		all + "enrol: {urls: ['https://10.0.0.1:8443/'], files: enrol}\n": "https://10.0.0.1:8443",
		all: "https://county.example:8443",
		"desk: {listen: '[::1]:8081', path: /gatehouse/}\n": "http://[::1]:8081/gatehouse",
		"": "http://127.0.0.1:8080",
	} {
		file := filepath.Join(dir, "collect.yaml")
		err := os.WriteFile(file, []byte("county: qinghe\ndir: county\nsites: sites.yaml\n"+text), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if got := deskURL(file, filepath.Join(dir, "county")); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if got := deskURL(file, filepath.Join(dir, "another")); got != "http://127.0.0.1:8080" {
			t.Errorf("another collector's folder: %s", got)
		}
	}
}

// ready asks a desk that listens on all addresses by a name that this computer has for itself:
// others are answered with a session only.
func TestReadyAsksByThisComputersName(t *testing.T) {
	var host string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { host = r.Host }))
	defer s.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	file := filepath.Join(t.TempDir(), "collect.yaml")
	text := "county: qinghe\ndir: county\nsites: sites.yaml\ndesk: {listen: '0.0.0.0:" + port +
		"', hosts: [county.example]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := asked(t, "--config", file); code != 0 || host != "127.0.0.1:"+port {
		t.Errorf("%d %s: asked as %q", code, said, host)
	}
}
