package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/testkit/loopback"
)

// shortReader is a pipe whose reader ends after a few lines, as head does.
type shortReader struct{ lines int }

func (p *shortReader) Write(b []byte) (int, error) {
	if p.lines--; p.lines < 0 {
		return 0, syscall.EPIPE
	}
	return len(b), nil
}

func TestADemoWhoseReaderHasEndedEnds(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "gatehouse")
	if out, err := exec.Command("go", "build", "-o", program, "gatehouse/gateway").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	args := []string{"demo", "--gates", "1", "--gatehouse", program, "--dir", filepath.Join(dir, "demo")}
	for _, flag := range []string{"--listen", "--desk", "--kiosk", "--stage"} {
		address, err := loopback.Free(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, flag, address)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var errOut bytes.Buffer
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(&shortReader{lines: 3})
	root.SetErr(&errOut)
	cli.Execute(ctx, root, &errOut)
	if ctx.Err() != nil || !bytes.Contains(errOut.Bytes(), []byte("broken pipe")) {
		t.Errorf("the demo went on without its reader: %s", &errOut)
	}
}
