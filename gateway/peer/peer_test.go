package peer

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func proxies(t interface{ Fatal(args ...any) }, list ...string) Proxies {
	p, err := Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// request returns one with "Name: value" lines as its headers.
func request(from, host string, lines ...string) *http.Request {
	r := &http.Request{
		RemoteAddr: from,
		Host:       host,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     http.Header{},
	}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestWhoSentARequestThroughProxies(t *testing.T) {
	p := proxies(t, "127.0.0.1", "::1", "10.1.0.0/16", "2001:db8:f::/48")
	const local, client, xff = "127.0.0.1:50000", "203.0.113.7", "X-Forwarded-For: "
	for name, c := range map[string]struct {
		from  string
		lines []string
		want  string
	}{
		"no proxy":                {"203.0.113.7:1", nil, client},
		"nobody's header":         {"203.0.113.7:1", []string{xff + "1.2.3.4"}, client},
		"one hop":                 {local, []string{xff + client}, client},
		"the client's own claim":  {local, []string{xff + "1.2.3.4, 203.0.113.7"}, client},
		"the claim of our office": {local, []string{xff + "127.0.0.1, 203.0.113.7"}, client},
		"two hops":                {local, []string{xff + "203.0.113.7, 10.1.2.3"}, client},
		"two headers":             {local, []string{xff + "203.0.113.7", xff + "10.1.2.3"}, client},
		"all are proxies":         {local, []string{xff + "10.1.9.9, 10.1.2.3"}, "10.1.9.9"},
		"with ports":              {local, []string{xff + "203.0.113.7:4711, 10.1.2.3:80"}, client},
		"IPv6":                    {"[::1]:1", []string{xff + "2001:db8::7"}, "2001:db8::7"},
		"IPv6 with a port":        {local, []string{xff + "[2001:db8::7]:4711, [2001:db8:f::1]"}, "2001:db8::7"},
		"IPv6 with a zone":        {local, []string{xff + "fe80::1%eth0"}, "fe80::1"},
		"IPv4 in IPv6":            {"[::ffff:127.0.0.1]:1", []string{xff + "::ffff:203.0.113.7"}, client},
		"in quotes":               {local, []string{xff + `"[2001:db8::7]:4711"`}, "2001:db8::7"},
		"junk":                    {local, []string{xff + "<script>"}, "127.0.0.1"},
		"junk behind a hop":       {local, []string{xff + "1.2.3.4, junk, 10.1.2.3"}, "10.1.2.3"},
		"unknown":                 {local, []string{xff + "unknown"}, "127.0.0.1"},
		"nothing":                 {local, []string{xff + ""}, "127.0.0.1"},
		"a comma too many":        {local, []string{xff + "203.0.113.7,"}, "127.0.0.1"},
		"0.0.0.0":                 {local, []string{xff + "0.0.0.0"}, "127.0.0.1"},
		"nginx without the list":  {local, []string{"X-Real-IP: 203.0.113.7"}, client},
		"the client's X-Real-IP":  {local, []string{"X-Real-IP: 1.2.3.4", xff + client}, client},
		"two of X-Real-IP":        {local, []string{"X-Real-IP: 1.2.3.4", "X-Real-IP: 203.0.113.7"}, "127.0.0.1"},
		"RFC 7239":                {local, []string{"Forwarded: for=203.0.113.7;proto=https;by=10.1.2.3"}, client},
		"RFC 7239, two":           {local, []string{`Forwarded: for=203.0.113.7, for="[2001:db8:f::1]:80"`}, client},
		"RFC 7239, two lines":     {local, []string{"Forwarded: For=203.0.113.7", "Forwarded: for=10.1.2.3"}, client},
		"RFC 7239, quoted":        {local, []string{`Forwarded: for="[2001:db8::7]:4711" ; host="a,;"`}, "2001:db8::7"},
		"RFC 7239, hidden":        {local, []string{"Forwarded: for=_secret"}, "127.0.0.1"},
		"RFC 7239, broken":        {local, []string{`Forwarded: for="203.0.113.7`}, "127.0.0.1"},
		"RFC 7239, said twice":    {local, []string{"Forwarded: for=1.2.3.4;for=203.0.113.7"}, "127.0.0.1"},
		"a claim in the other header": {
			local, []string{"Forwarded: for=1.2.3.4", xff + client}, "127.0.0.1",
		},
		"both say the same": {
			local, []string{"Forwarded: for=203.0.113.7", xff + client}, "203.0.113.7",
		},
		"a connection without an address": {"@", []string{xff + client}, "invalid IP"},
	} {
		if got := p.Of(request(c.from, "desk.county", c.lines...)).Addr.String(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestWhoIsANeighbour(t *testing.T) {
	all := proxies(t, "127.0.0.0/8", "::1")
	for name, c := range map[string]struct {
		from, host, line string
		want             bool
	}{
		"this computer":                {"127.0.0.1:1", "127.0.0.1:8080", "", true},
		"by its name":                  {"127.0.0.1:1", "localhost:8080", "", true},
		"by IPv6":                      {"[::1]:1", "[::1]:8080", "", true},
		"another loopback address":     {"127.0.0.2:1", "127.8.8.8", "", true},
		"with a browser's headers":     {"127.0.0.1:1", "LOCALHOST", "Sec-Fetch-Site: none", true},
		"another computer":             {"10.0.0.9:1", "127.0.0.1:8080", "", false},
		"under another name":           {"127.0.0.1:1", "desk.county", "", false},
		"a name like ours":             {"127.0.0.1:1", "127.0.0.1.evil.example", "", false},
		"no name":                      {"127.0.0.1:1", "", "", false},
		"no address":                   {"@", "localhost", "", false},
		"X-Forwarded-For":              {"127.0.0.1:1", "localhost", "X-Forwarded-For: 127.0.0.1", false},
		"an empty X-Forwarded-For":     {"127.0.0.1:1", "localhost", "X-Forwarded-For: ", false},
		"X-Forwarded-Anything":         {"127.0.0.1:1", "localhost", "x-forwarded-prefix: /a", false},
		"Forwarded":                    {"127.0.0.1:1", "localhost", "Forwarded: for=127.0.0.1", false},
		"Via":                          {"127.0.0.1:1", "localhost", "Via: 1.1 squid", false},
		"X-Real-IP":                    {"127.0.0.1:1", "localhost", "X-Real-IP: 127.0.0.1", false},
		"a content network of Aliyun":  {"127.0.0.1:1", "localhost", "Ali-CDN-Real-IP: 127.0.0.1", false},
		"a content network":            {"127.0.0.1:1", "localhost", "CDN-Loop: x", false},
		"the balancer of a cloud":      {"127.0.0.1:1", "localhost", "X-Amzn-Trace-Id: x", false},
		"an upgrade to nothing":        {"127.0.0.1:1", "localhost", "Connection: upgrade", false},
		"closed after it":              {"127.0.0.1:1", "localhost", "Connection: close", true},
		"a WebLogic in front":          {"127.0.0.1:1", "localhost", "WL-Proxy-Client-IP: 1.2.3.4", false},
		"through a proxy of this list": {"127.0.0.1:1", "localhost", "X-Forwarded-For: 127.0.0.1, 127.0.0.1", false},
	} {
		var lines []string
		if c.line != "" {
			lines = []string{c.line}
		}
		for _, p := range []Proxies{{}, all} {
			if got := p.Of(request(c.from, c.host, lines...)); got.Near != c.want {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
	old := request("127.0.0.1:1", "127.0.0.1:8080") // nginx without a line of configuration
	old.Proto, old.ProtoMinor = "HTTP/1.0", 0
	if (Proxies{}).Of(old).Near {
		t.Error("HTTP/1.0 is a neighbour's")
	}
}

func TestWhetherTheSenderUsesTLSAndWhichName(t *testing.T) {
	p := proxies(t, "127.0.0.1", "10.1.0.0/16")
	for name, c := range map[string]struct {
		lines []string
		tls   bool
		host  string // empty: not vouched for
	}{
		"none":        {nil, false, ""},
		"https":       {[]string{"X-Forwarded-Proto: https", "X-Forwarded-Host: desk:84"}, true, "desk:84"},
		"upper case":  {[]string{"X-Forwarded-Proto: HTTPS"}, true, ""},
		"wss":         {[]string{"X-Forwarded-Proto: wss"}, true, ""},
		"http":        {[]string{"X-Forwarded-Proto: http"}, false, ""},
		"a claim":     {[]string{"X-Forwarded-For: 1.1.1.1, 203.0.113.7", "X-Forwarded-Proto: https, http"}, false, ""},
		"two hops":    {[]string{"X-Forwarded-For: 1.1.1.1, 10.1.0.1", "X-Forwarded-Proto: https, http"}, true, ""},
		"two names":   {[]string{"X-Forwarded-For: 203.0.113.7", "X-Forwarded-Host: evil, desk"}, false, "desk"},
		"RFC 7239":    {[]string{`Forwarded: for=203.0.113.7;proto=https;host="desk.county:1"`}, true, "desk.county:1"},
		"mixed":       {[]string{"Forwarded: for=203.0.113.7", "X-Forwarded-Proto: https"}, true, ""},
		"no name":     {[]string{"X-Forwarded-Host: <b>"}, false, ""},
		"a long name": {[]string{"X-Forwarded-Host: " + strings.Repeat("a", 300)}, false, ""},
		"contradicts": {[]string{"Forwarded: for=::1", "X-Forwarded-For: ::2", "X-Forwarded-Proto: https"}, false, ""},
	} {
		got := p.Of(request("127.0.0.1:1", "inner", c.lines...))
		want := c.host
		if want == "" {
			want = "inner"
		}
		if got.TLS != c.tls || got.Host != want || got.Vouched != (c.host != "") {
			t.Errorf("%s: %+v", name, got)
		}
		if got := p.Of(request("10.2.0.1:1", "inner", c.lines...)); got.TLS || got.Host != "inner" || got.Vouched {
			t.Errorf("%s, from one that is not listed: %+v", name, got)
		}
	}
	r := request("10.2.0.1:1", "desk")
	r.TLS = &tls.ConnectionState{}
	if !p.Of(r).TLS {
		t.Error("our own TLS is none")
	}
}

func TestTheListOfProxies(t *testing.T) {
	for text, ok := range map[string]bool{
		"127.0.0.1": true, "::1": true, "10.0.0.0/8": true, "10.1.2.3/8": true, "fd00::/8": true, " 127.0.0.1 ": true,
		"::ffff:127.0.0.1": true,
		"":                 false, "localhost": false, "0.0.0.0/0": false, "::/0": false, "10.0.0.0/33": false,
		"::ffff:10.0.0.0/104": false, "fe80::1%eth0": false, "127.0.0.1:80": false, "*": false,
	} {
		if _, err := Parse([]string{text}); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever a client writes itself, before the entry that its proxy appends: its
// address is the one that the proxy saw, or, when the client sent nonsense in
// another header, the proxy's.
func TestNobodyChoosesTheirAddress(t *testing.T) {
	p := proxies(t, "127.0.0.1", "10.1.0.0/16")
	saw := netip.MustParseAddr("203.0.113.7")
	piece := rapid.SampledFrom(
		[]string{"1.2.3.4", "10.1.2.3", "127.0.0.1", "for=", `"`, ",", ";", "junk", "[::1]:4", " ",
			"unknown", "\\", "proto=https", "="},
	)
	rapid.Check(t, func(t *rapid.T) {
		claim := strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "claim"), "")
		r := request("127.0.0.1:1", "desk", "X-Forwarded-For: "+claim, "X-Forwarded-For: 203.0.113.7")
		if rapid.Bool().Draw(t, "more") {
			r.Header["Forwarded"] = []string{strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "other"), "")}
		}
		if got := p.Of(r); got.Addr != saw && (got.Addr.String() != "127.0.0.1" || r.Header["Forwarded"] == nil) {
			t.Fatalf("%v: %+v", r.Header, got)
		}
	})
}

func FuzzOf(f *testing.F) {
	f.Add(`for="[2001:db8::7]:4711";proto=https, for=10.1.2.3`, "1.2.3.4, 10.1.2.3", "https", "desk:1")
	f.Fuzz(func(t *testing.T, forwarded, list, proto, host string) {
		p := proxies(t, "127.0.0.1")
		r := request("127.0.0.1:1", "desk")
		r.Header = http.Header{"Forwarded": {forwarded}, "X-Forwarded-For": {list}, "X-Forwarded-Proto": {proto},
			"X-Forwarded-Host": {host}}
		if forwarded == "" {
			delete(r.Header, "Forwarded")
		}
		got := p.Of(r)
		if got.Near || !got.Addr.IsValid() || got.Vouched && !validHost(got.Host) || got.Addr.Is4In6() {
			t.Errorf("%v: %+v", r.Header, got)
		}
	})
}
