package cli_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"gatehouse/gateway/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gatehouse": func() {
			os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

func TestTheCommandReferenceIsUpToDate(t *testing.T) {
	const committed = "../../deploy/commands"
	dir := t.TempDir()
	if code := cli.Run(t.Context(), []string{"docs", "--dir", dir}, nil, os.Stdout, os.Stderr); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	fresh, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if have, err := os.ReadDir(committed); err != nil || len(have) != len(fresh) || len(fresh) < 10 {
		t.Fatalf("%d pages, %d are committed (run make docs); %v", len(fresh), len(have), err)
	}
	for _, e := range fresh {
		want, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(committed, e.Name())); err != nil || string(got) != string(want) {
			t.Errorf("%s is out of date: run make docs; %v", e.Name(), err)
		}
	}
}

// TestCommandLines runs the scripts in testdata/script.
func TestCommandLines(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			l, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free
			if err != nil {
				return err
			}
			e.Setenv("ADDRESS", l.Addr().String())
			e.Setenv("HOME", e.WorkDir)
			return l.Close()
		}})
}
