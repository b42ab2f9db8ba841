package web

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Under serves next below path, which is like /gatehouse, or empty for the root.
// Requests without the path reach next, too: a proxy may have stripped it.
// Doubled slashes, which some proxies make, count as one.
func Under(base string, next http.Handler) http.Handler {
	stripped := http.StripPrefix(base, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if clean(r.URL.Path) != r.URL.Path {
			r = cleaned(r)
		}
		switch {
		case base == "" || r.URL.Path != base && !strings.HasPrefix(r.URL.Path, base+"/"):
			next.ServeHTTP(w, r)
		case r.URL.Path == base: // relative: something in front may have stripped more
			to := path.Base(base) + "/"
			if r.URL.RawQuery != "" {
				to += "?" + r.URL.RawQuery
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusPermanentRedirect)
		default:
			stripped.ServeHTTP(w, r)
		}
	})
}

// clean returns a path without doubled slashes and dots. http.ServeMux would redirect
// to it, and would not know what stands before.
func clean(at string) string {
	out := path.Clean("/" + at)
	if strings.HasSuffix(at, "/") && out != "/" {
		out += "/"
	}
	return out
}

// cleaned returns r with a clean path.
func cleaned(r *http.Request) *http.Request {
	out, u := *r, *r.URL
	u.Path = clean(u.Path)
	if u.RawPath != "" {
		u.RawPath = clean(u.RawPath)
	}
	out.URL = &u
	return &out
}

// root returns the way from a page's path up to the root of the site, as the
// browser resolves it: "./", "../" or "../../".
func root(u *url.URL) string {
	if n := strings.Count(u.EscapedPath(), "/"); n > 1 {
		return strings.Repeat("../", n-1)
	}
	return "./"
}

const notHere = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>404</title>
<body><h1>404</h1>
<p>此处没有页面：<code>%[1]s</code>。如果代理把工作台放在此路径下，请在 collect.yaml 中设置
<code>desk.path: %[2]s</code>，或让代理去掉这一前缀（见 deploy/PROXY.md）。</p>
<p lang="en">There is no page at <code>%[1]s</code>. If a proxy offers the desk below this path, set
<code>desk.path: %[2]s</code> in collect.yaml, or let the proxy strip the path (see deploy/PROXY.md).</p>
</body></html>`

// NotFound answers requests that nothing else answers. A page's path with a slash
// at the end leads to the page, and one that is only read says so. It tells a person who
// came through a proxy what to set when pages, the paths that the server has
// pages at, are found below another path.
func NotFound(pages []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, reads := strings.TrimRight(r.URL.Path, "/"), r.Method == http.MethodGet || r.Method == http.MethodHead
		switch own := at == "" || slices.ContainsFunc(pages, func(p string) bool {
			return at == p || strings.HasPrefix(at, p+"/")
		}); {
		case own && !reads:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, fmt.Sprintf("%s is not possible at %s", r.Method, r.URL.Path), http.StatusMethodNotAllowed)
			return
		case own && at != r.URL.Path: // a slash too many at the end; relative, as in Under
			w.Header().Set("Location", "../"+path.Base(at))
			w.WriteHeader(http.StatusPermanentRedirect)
			return
		}
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			http.Error(w, fmt.Sprintf("there is nothing at %s; if a proxy offers this server below a path, "+
				"set desk.path in collect.yaml, or let the proxy strip it", r.URL.Path), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		if r.Method != http.MethodHead {
			_, _ = fmt.Fprintf(w, notHere, html.EscapeString(r.URL.Path), html.EscapeString(prefix(r.URL.Path, pages)))
		}
	})
}

// prefix returns what stands before the path of a page.
func prefix(at string, pages []string) string {
	for i := 1; i < len(at); i++ {
		if at[i] != '/' {
			continue
		}
		for _, p := range pages {
			if rest := at[i:]; p != "/" && (rest == p || strings.HasPrefix(rest, p+"/")) {
				return at[:i]
			}
		}
	}
	return strings.TrimRight(at, "/")
}
