// Package web embeds both screens, which make ui builds from TypeScript, and
// serves them with the protections that browsers offer.
package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"gatehouse/gateway/peer"
)

// dist has only a placeholder in a fresh clone, so that the program compiles.
//
//go:embed all:dist
var dist embed.FS

// ErrNotBuilt means that the program was built without its screens.
var ErrNotBuilt = errors.New("the screens are not built: run make ui, then make build")

// Page serves one built page ("kiosk", "desk") under every path, and its assets
// under /assets/. Its addresses are relative, so that it may be anywhere below
// another path.
type Page struct {
	html   map[string]file // by the way up to the root
	assets map[string]file
	err    error
}

type file struct {
	kind          string
	plain, packed []byte
}

// Load reads a page. A page that was not built serves how to build it.
func Load(name string) *Page {
	p := &Page{html: map[string]file{}, assets: map[string]file{}}
	for depth := range deepest {
		up := strings.Repeat("../", depth)
		if depth == 0 {
			up = "./"
		}
		if p.html[up], p.err = read(name+".html", "./assets/", up+"assets/"); p.err != nil {
			p.err = ErrNotBuilt
			return p
		}
	}
	for _, ext := range []string{".js", ".css"} {
		f, err := read(name+ext, "", "")
		if err != nil {
			p.err = ErrNotBuilt
			return p
		}
		p.assets[name+ext] = f
	}
	return p
}

// deepest bounds how many directories below the root a page is.
const deepest = 4

// read reads a built file, and replaces one text by another unless it is empty.
func read(name, old, by string) (file, error) {
	b, err := fs.ReadFile(dist, path.Join("dist", name))
	if err != nil {
		return file{}, err
	}
	if old != "" {
		b = bytes.ReplaceAll(b, []byte(old), []byte(by))
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
	name, asset := strings.CutPrefix(r.URL.Path, "/assets/")
	f, ok := p.assets[name]
	if !asset {
		f, ok = p.html[root(r.URL)]
	}
	if !asset && p.err != nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(notBuilt)) // the browser may have gone
		return
	}
	if !ok {
		http.NotFound(w, r)
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

// Hosts returns the names of a server that listens on this address, and more. Programs of this
// computer reach one that listens on all addresses by the computer's names for itself; no name
// of somebody else is one of them.
func Hosts(listen string, more ...string) []string {
	out := append([]string{}, more...)
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return out
	}
	ip := net.ParseIP(host)
	if Loopback(listen) || host == "" || ip != nil && ip.IsUnspecified() {
		return append(out, "localhost", "127.0.0.1", "::1")
	}
	return append(out, host)
}

// Loopback reports whether an address can be reached from this computer only.
func Loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return err == nil && peer.Local(host)
}
