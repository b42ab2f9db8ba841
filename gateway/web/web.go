// Package web embeds both screens, which make ui builds from TypeScript, and
// serves them with the protections that browsers offer.
package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"path"
	"strings"
	"time"
)

// dist has only a placeholder in a fresh clone, so that the program compiles.
//
//go:embed all:dist
var dist embed.FS

// ErrNotBuilt means that the program was built without its screens.
var ErrNotBuilt = errors.New("the screens are not built: run make ui, then make build")

// Page serves one built page ("kiosk", "desk") under every path, and its assets
// under /assets/.
type Page struct {
	html   file
	assets map[string]file
	err    error
}

type file struct {
	kind          string
	plain, packed []byte
}

// Load reads a page. A page that was not built serves how to build it.
func Load(name string) *Page {
	p := &Page{assets: map[string]file{}}
	if p.html, p.err = read(name + ".html"); p.err != nil {
		p.err = ErrNotBuilt
		return p
	}
	for _, ext := range []string{".js", ".css"} {
		f, err := read(name + ext)
		if err != nil {
			p.err = ErrNotBuilt
			return p
		}
		p.assets[name+ext] = f
	}
	return p
}

func read(name string) (file, error) {
	b, err := fs.ReadFile(dist, path.Join("dist", name))
	if err != nil {
		return file{}, err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return file{}, err
	}
	if _, err := z.Write(b); err != nil {
		return file{}, err
	}
	if err := z.Close(); err != nil {
		return file{}, err
	}
	return file{kind: mime.TypeByExtension(path.Ext(name)), plain: b, packed: packed.Bytes()}, nil
}

// Err returns ErrNotBuilt or nil.
func (p *Page) Err() error { return p.err }

const notBuilt = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>gatehouse</title>
<body><h1>界面尚未构建</h1>
<p>The screens of this program are not built. Run <code>make ui</code>, then <code>make build</code>.</p></body></html>`

// ServeHTTP serves the page.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
		return
	}
	f := p.html
	if name, ok := strings.CutPrefix(r.URL.Path, "/assets/"); ok {
		if f, ok = p.assets[name]; !ok {
			http.NotFound(w, r)
			return
		}
	} else if p.err != nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(notBuilt)) // the browser may have gone
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Vary", "Accept-Encoding")
	body := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body = f.packed
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// Guard passes on only requests whose host is one of hosts (with any port), so
// that no other name can be pointed at this server. Requests that change something
// must come from pages of this server. Pages may load nothing from elsewhere.
func Guard(hosts []string, next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	guarded := origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
			"img-src 'self' data:; connect-src 'self'; font-src 'self'; "+
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !known(hosts, r.Host) {
			text := fmt.Sprintf("this server does not answer to the name %q; "+
				"add it to hosts in the configuration", r.Host)
			http.Error(w, text, http.StatusMisdirectedRequest)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func known(hosts []string, host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	for _, h := range hosts {
		if strings.EqualFold(strings.Trim(host, "[]"), h) {
			return true
		}
	}
	return false
}

// Hosts returns the names of a server that listens on this address, and more.
func Hosts(listen string, more ...string) []string {
	out := append([]string{}, more...)
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return out
	}
	if Loopback(listen) {
		return append(out, "localhost", "127.0.0.1", "::1")
	}
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() || ip == nil && host != "" {
		out = append(out, host)
	}
	return out
}

// Loopback reports whether an address can be reached from this computer only.
func Loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
