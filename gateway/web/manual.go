package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// HelpPath is where servers offer the manual.
const HelpPath = "/help/"

// Help serves the manual below HelpPath, in Chinese and English: pages, pictures and
// what finds words in them. It reads each file when it is asked for, so that an agent
// holds none of them. Who may reach the server may read it.
func Help() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, in := strings.CutPrefix(r.URL.Path, HelpPath)
		if !in || name == "" { // relative: a proxy may offer the server below a path
			to := "zh/"
			if r.URL.Query().Get("lang") == "en" {
				to = "en/"
			}
			if !in {
				to = "help/" + to
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		if strings.HasSuffix(name, "/") {
			name += "index.html"
		}
		kind := mime.TypeByExtension(path.Ext(name))
		b, packed, err := helpFile(name)
		if err != nil || kind == "" {
			helpMissing(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Vary", "Accept-Encoding")
		if packed && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
		} else if packed {
			if b, err = unpack(b); err != nil {
				http.Error(w, "the manual can't be read: "+err.Error(), http.StatusInternalServerError)
				return
			}
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	})
}

// helpFile returns a file of the manual, and whether it is packed by gzip.
func helpFile(name string) (b []byte, packed bool, err error) {
	if !fs.ValidPath(name) || path.Ext(name) == ".gz" { // files have one name each
		return nil, false, fs.ErrNotExist
	}
	switch name {
	case "help.css", "help.js":
		b, err = fs.ReadFile(dist, "dist/"+name)
		return b, false, err
	}
	b, err = fs.ReadFile(dist, path.Join("dist/help", name)+".gz")
	if !errors.Is(err, fs.ErrNotExist) {
		return b, true, err
	}
	b, err = fs.ReadFile(dist, path.Join("dist/help", name))
	return b, false, err
}

func unpack(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

const noHelp = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>404</title>
<body><h1>404</h1><p>手册里没有这一页。<a href="./">手册目录</a></p>
<p lang="en">The manual has no such page. <a href="./">Contents</a></p></body></html>`

// helpMissing answers a request for what the manual does not have.
func helpMissing(w http.ResponseWriter, r *http.Request) {
	if _, _, err := helpFile("zh/index.html"); err != nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(notBuilt)) // the browser may have gone
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(noHelp)) // the same
	}
}
