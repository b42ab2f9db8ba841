package centre

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/testkit/loopback"
)

// slowDesk is the variable with the address of a desk: this program, run again,
// opens slow connections to it.
const slowDesk = "TEST_SLOW_DESK"

const slowConnections = 1500

func TestMain(m *testing.M) {
	if address := os.Getenv(slowDesk); address != "" {
		waste(address)
		return
	}
	os.Exit(m.Run())
}

// waste opens connections and begins a login on each, which it never ends. It
// prints how many it has opened, and holds them until its input ends.
func waste(address string) {
	open := 0
	for range slowConnections {
		c, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
		if err != nil {
			continue
		}
		open++
		_, _ = io.WriteString(c, // it may be closed
			"POST /api/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
	}
	_, _ = os.Stdout.WriteString(strconv.Itoa(open) + "\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

const oneGate = `county: qinghe
name: 清和县
crs: WGS-84
communities:
  - {id: c1, name: a, grids: [{id: g1, name: b, compounds: [{id: k1, name: c, gates: [gate-001]}]}]}
`

// connected reports whether the broker lets another client in.
func connected(t *testing.T, address string) bool {
	t.Helper()
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return false
	}
	t.Cleanup(func() { c.Close() }) // it stays
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	id := strconv.FormatInt(time.Now().UnixNano()%1e9+1e9, 10)
	if _, err := c.Write(append([]byte{0x10, 22, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 10}, id...)); err != nil {
		return false
	}
	answer := make([]byte, 4)
	_, err = io.ReadFull(c, answer)
	return err == nil && bytes.Equal(answer, []byte{0x20, 2, 0, 0})
}

func answers(url string) bool {
	c := http.Client{Timeout: 2 * time.Second}
	r, err := c.Get(url)
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}

func TestSlowBrowsersLeaveTheBrokerItsOpenFiles(t *testing.T) {
	var old unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1024, Max: old.Max}))
	t.Cleanup(func() { must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &old)) })
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "sites.yaml"), []byte(oneGate), 0o600))
	mqtt, err := loopback.Free(t.Context())
	must(t, err)
	desk, err := loopback.Free(t.Context())
	must(t, err)
	cfg := Config{County: "qinghe", Dir: filepath.Join(dir, "county"), Sites: filepath.Join(dir, "sites.yaml"),
		Broker: Broker{Embedded: &broker.Config{Listen: mqtt}}, Desk: &pages.Config{Listen: desk}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, cfg, "test", slog.New(slog.DiscardHandler)) }()
	defer func() { cancel(); must(t, <-ended) }()
	end := time.Now().Add(30 * time.Second)
	for ; !answers("http://" + desk + "/healthz"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the desk does not come up")
		}
	}
	self, err := os.Executable()
	must(t, err)
	slow := exec.CommandContext(ctx, self)
	slow.Env = append(os.Environ(), slowDesk+"="+desk)
	hold, err := slow.StdinPipe()
	must(t, err)
	said, err := slow.StdoutPipe()
	must(t, err)
	must(t, slow.Start())
	defer func() { hold.Close(); _ = slow.Wait() }()
	opened := make([]byte, 16)
	n, err := said.Read(opened)
	must(t, err)
	t.Logf("%s slow connections were opened", bytes.TrimSpace(opened[:n]))
	for i := range 100 {
		if !connected(t, mqtt) {
			t.Fatalf("client %d of the broker does not get in", i+1)
		}
	}
	begun := time.Now()
	for !answers("http://" + desk + "/healthz") {
		if time.Sleep(200 * time.Millisecond); time.Since(begun) > 30*time.Second {
			t.Fatal("the desk is not back after 30 s")
		}
	}
	t.Logf("the desk answers after %s", time.Since(begun))
}
