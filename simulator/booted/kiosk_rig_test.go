//go:build cleanroot

package booted

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// packaged puts the files of the package gatehouse-kiosk where they belong, over the computer's
// own and for this program alone, and runs the rest of its arguments as nobody.
const packaged = `set -e
layers=$2/layers
mkdir "$layers"
mount -t tmpfs layers "$layers"
for dir in etc usr; do
	mkdir -p "$layers/$dir" "$layers/$dir-work"
	mount -t overlay "$dir" -o "lowerdir=/$dir,upperdir=$layers/$dir,workdir=$layers/$dir-work" "/$dir"
done
install -D "$1/kiosk/gatehouse-kiosk" /usr/libexec/gatehouse/gatehouse-kiosk
install -D -m644 "$1/kiosk/waiting.html" /usr/share/gatehouse/kiosk/waiting.html
cp -r "$1/kiosk/xkb" /usr/share/gatehouse/kiosk/xkb
install -D -m644 "$1/kiosk/policy.json" /etc/chromium/policies/managed/gatehouse.json
sed -i "s|http://127.0.0.1:8090|$CONFIG|" /etc/chromium/policies/managed/gatehouse.json # another port
if [ -d "$2/sys" ]; then mount --bind "$2/sys" /sys; fi
shift 2
setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
`

// kiosk is the guard's screen as the package brings it.
type kiosk struct {
	t     *testing.T
	run   string // its runtime directory
	said  words
	ended chan struct{}
}

// newKiosk returns a kiosk that has not been started.
func newKiosk(t *testing.T) *kiosk {
	t.Helper()
	return &kiosk{t: t, run: ours(t, "kiosk-"), ended: make(chan struct{})}
}

// start starts it for an address, with further variables. It ends with the test.
func (k *kiosk) start(page string, env ...string) {
	k.t.Helper()
	files, err := filepath.Abs(deploy)
	if err != nil {
		k.t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
		"--mount-proc", "sh", "-c", packaged, "sh", files, k.run, "/usr/libexec/gatehouse/gatehouse-kiosk")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "CONFIG=" + page, "RUNTIME_DIRECTORY=" + k.run,
		"XDG_RUNTIME_DIR=" + k.run, "WLR_LIBINPUT_NO_DEVICES=1", "WLR_RENDERER=pixman",
		"GATEHOUSE_KIOSK_FLAGS=--no-sandbox --disable-gpu --disable-dev-shm-usage"}, env...)
	cmd.Stdout, cmd.Stderr = &k.said, &k.said
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	go func() { // ends with the process
		defer close(k.ended)
		_ = cmd.Wait()
	}()
	k.t.Cleanup(func() {
		_ = cmd.Process.Kill() // and with it all that it started
		<-k.ended
		k.await("that no browser is left", func() bool { return len(k.browsers("")) == 0 })
	})
}

// startOn starts it on a screen, which has a size.
func (k *kiosk) startOn(s *screen, w, h int, page string) {
	k.t.Helper()
	k.start(page, "WLR_BACKENDS=x11", s.env)
	s.resize(w, h)
	k.t.Cleanup(func() {
		if k.t.Failed() {
			s.keep(k.t.Name())
		}
	})
}

// log returns what it and the browser said.
func (k *kiosk) log() string {
	text, _ := os.ReadFile(k.run + "/browser.log") // there may be none
	return k.said.String() + string(text[max(0, len(text)-1000):])
}

// await waits until done returns true.
func (k *kiosk) await(what string, done func() bool) {
	k.t.Helper()
	await(k.t, what, k.log, done)
}

// browsers returns the processes of this kiosk's Chromium whose command line has a word.
func (k *kiosk) browsers(word string) (pids []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is valid
	for _, name := range dirs {
		b, err := os.ReadFile(name)
		line := string(b)
		if err != nil || !strings.Contains(line, "--user-data-dir="+k.run) || !strings.Contains(line, word) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// kill kills those of the browser's processes whose command line has a word, as the kernel does
// when memory is short.
func (k *kiosk) kill(word string) {
	k.t.Helper()
	pids := k.browsers(word)
	if len(pids) == 0 {
		k.t.Fatalf("no process %s", word)
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone by now
	}
}

// played is a page of one colour, with text in that colour, which reports what it may do. Its
// methods may be called from any goroutine.
type played struct {
	t    *testing.T
	port string
	mu   sync.Mutex // guards the fields below
	said map[string][]string
	gone bool // the page shows nothing, the agent would say
}

const page = `<!doctype html><html lang="fr"><meta charset="utf-8"><title>gate</title><style>* { cursor: none }</style>
<body style="margin:0;background:#128030;color:#128030">
<p>Cette page est écrite en français, pour que le navigateur propose de la traduire.
<a id="file" href="/file" download="list.csv" hidden></a>
<script>
  const say = (what, value) => fetch("/said?what=" + what, { method: "POST", body: JSON.stringify(value) });
  const other = "http://127.0.0.2:" + location.port;
  const size = () => say("size", [innerWidth, innerHeight, screen.width, screen.height].join());
  size();
  addEventListener("resize", size);
  addEventListener("keydown", (e) => { say("key", e.key); if (/^F[123]$/.test(e.key)) e.preventDefault(); });
  const sound = new AudioContext();
  setInterval(() => say("sound", sound.state), 500);
  setTimeout(() => {
    document.getElementById("file").click();
    document.body.append(Object.assign(document.createElement("iframe"), { src: other + "/frame", hidden: true }));
    fetch(other + "/fetched", { mode: "no-cors" });
    say("popup", window.open("/popup") === null);
  }, 500);
</script>`

// play serves the page on 127.0.0.1, and on 127.0.0.2 as another computer's.
func play(t *testing.T) *played {
	t.Helper()
	p := &played{t: t, said: map[string][]string{}}
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, p.port, _ = net.SplitHostPort(first.Addr().String()) // as the system writes it
	second, err := net.Listen("tcp", "127.0.0.2:"+p.port)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []net.Listener{first, second} {
		s := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
		go s.Serve(l) //nolint:errcheck // ends with Close
		t.Cleanup(func() { s.Close() })
	}
	return p
}

// ServeHTTP implements http.Handler.
func (p *played) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what, value := "asked", r.URL.Path
	switch r.URL.Path {
	case "/":
		fmt.Fprint(w, page)
	case "/file":
		w.Header().Set("Content-Disposition", "attachment")
		fmt.Fprint(w, "card\n")
	case "/said":
		what = r.URL.Query().Get("what")
		var v any
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			p.t.Errorf("the page says no JSON: %v", err)
		}
		value = fmt.Sprint(v)
	case "/readyz":
		if p.lost() {
			fmt.Fprint(w, `{"troubles":[{"kind":"no-page"}]}`)
		} else {
			fmt.Fprint(w, `{"ready":true}`)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said[what] = append(p.said[what], value)
}

// count returns how often a value was said.
func (p *played) count(what, value string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, v := range p.said[what] {
		if v == value {
			n++
		}
	}
	return n
}

// last returns what was said last; empty: nothing.
func (p *played) last(what string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if all := p.said[what]; len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

// lose sets whether the agent hears from no page.
func (p *played) lose(gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = gone
}

func (p *played) lost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}
