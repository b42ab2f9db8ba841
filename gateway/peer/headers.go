package peer

import (
	"net/http"
	"slices"
	"strings"
)

// Headers that proxies, load balancers and content networks add. Their names in
// the form of http.Header; those that begin with X-Forwarded are found without.
func marks() []string {
	return []string{
		"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Forwarded-For",
		"X-Original-Host", "X-Original-Url", "X-Proxyuser-Ip", "X-Remote-Addr", "X-Remote-Ip", "X-Originating-Ip",
		"X-Scheme", "X-Url-Scheme", "X-Host", "X-Envoy-External-Address", "X-Azure-Clientip", "X-Appengine-User-Ip",
		"X-Amzn-Trace-Id", "X-Proxy-Id", "True-Client-Ip", "Cf-Connecting-Ip", "Cf-Ray", "Cdn-Loop",
		"Fastly-Client-Ip", "Fly-Client-Ip", "Ali-Cdn-Real-Ip", "Client-Ip", "Proxy-Client-Ip", "Wl-Proxy-Client-Ip",
		"Front-End-Https", "Max-Forwards", "Proxy-Connection",
	}
}

// forwarded reports whether something passed a request on. One of HTTP/1.0
// counts: nginx speaks it to what is behind it unless told otherwise, and adds
// no header then; today's browsers and scrapers do not speak it. So does one
// with "Connection: upgrade" to nothing, as proxies send that are set up for
// WebSockets, and one from this computer that calls it by another name.
func forwarded(r *http.Request) bool {
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded") || slices.Contains(marks(), name) {
			return true
		}
	}
	if strings.EqualFold(r.Header.Get("Connection"), "upgrade") && r.Header.Get("Upgrade") == "" {
		return true
	}
	return !r.ProtoAtLeast(1, 1) || Remote(r.RemoteAddr).IsLoopback() && !Local(r.Host)
}

// told is what the headers of a request say about its way, the nearest proxy's
// entry last.
type told struct{ addrs, protos, hosts []string }

// tell reads the headers. ok is false when they contradict each other: a proxy
// adds to one kind of them, and passes on whatever the sender wrote in another.
func tell(h http.Header) (t told, ok bool) {
	t = told{
		addrs:  list(h.Values("X-Forwarded-For")),
		protos: list(h.Values("X-Forwarded-Proto")),
		hosts:  list(h.Values("X-Forwarded-Host")),
	}
	lines := h.Values("Forwarded")
	if len(lines) == 0 {
		if len(t.addrs) == 0 {
			t.addrs = single(h.Values("X-Real-Ip"))
		}
		return t, true
	}
	standard, ok := parseForwarded(lines)
	if !ok || len(t.addrs) > 0 && !agree(t.addrs, standard.addrs) {
		return told{}, false
	}
	t.addrs = standard.addrs
	if len(t.protos) == 0 {
		t.protos = standard.protos
	}
	if len(t.hosts) == 0 {
		t.hosts = standard.hosts
	}
	return t, true
}

// agree reports whether two lists are equally long and end with the same address.
func agree(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	x, ok := address(a[len(a)-1])
	y, also := address(b[len(b)-1])
	return ok && also && x == y
}

// list splits header lines at their commas.
func list(lines []string) (out []string) {
	for _, line := range lines {
		for s := range strings.SplitSeq(line, ",") {
			s = strings.TrimSpace(s)
			if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
				s = s[1 : len(s)-1]
			}
			out = append(out, s)
		}
	}
	return out
}

// single returns the only line of a header that has one value.
func single(lines []string) []string {
	if len(lines) != 1 {
		return nil
	}
	return list(lines)
}

// parseForwarded reads the lines of Forwarded headers (RFC 7239, section 4). ok
// is false when one of them does not follow its grammar.
func parseForwarded(lines []string) (t told, ok bool) {
	for _, line := range lines {
		for more := true; more; {
			var e element
			if e, line, more, ok = parseElement(line); !ok {
				return told{}, false
			}
			t.addrs = append(t.addrs, e["for"])
			t.protos = append(t.protos, e["proto"])
			t.hosts = append(t.hosts, e["host"])
		}
	}
	return t, true
}

// element is what one proxy says, by the parameter's name in lower case.
type element map[string]string

// parseElement reads up to the next comma that is not quoted. more means that
// another element follows in rest.
func parseElement(line string) (e element, rest string, more, ok bool) {
	e = element{}
	for rest = strings.TrimLeft(line, " \t"); ; {
		var name, value string
		if name, rest, ok = strings.Cut(rest, "="); !ok || !token(name) {
			return nil, "", false, false
		}
		if value, rest, ok = parseValue(rest); !ok {
			return nil, "", false, false
		}
		name = strings.ToLower(name)
		if _, twice := e[name]; twice {
			return nil, "", false, false
		}
		e[name] = value
		rest = strings.TrimLeft(rest, " \t")
		switch {
		case rest == "":
			return e, "", false, true
		case rest[0] == ',':
			return e, rest[1:], true, true
		case rest[0] != ';':
			return nil, "", false, false
		}
		rest = strings.TrimLeft(rest[1:], " \t")
	}
}

// parseValue reads a token or a quoted string.
func parseValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ",; \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], end > 0 && !strings.Contains(s[:end], `"`)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

func token(s string) bool {
	return s != "" && strings.Trim(s, alphanumeric+"-_") == ""
}
