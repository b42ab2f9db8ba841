package pages

import "testing"

func TestThePathAndProxiesAreChecked(t *testing.T) {
	for path, ok := range map[string]bool{
		"": true, "/": true, "/gatehouse": true, "/gatehouse/": true, "/a/b-c_d.e~": true,
		"gatehouse": false, "/api": false, "/api/": false, "/gates/x": false, "/a//b": false, "/..": false,
		"/a/../b": false, "/a b": false, "/a%20b": false, "/县": false, "https://x/a": false,
	} {
		if err := (Config{Listen: "127.0.0.1:1", Path: path}).Check(); (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, c := range []Config{{Proxies: []string{"nginx"}}, {Proxies: []string{"0.0.0.0/0"}},
		{Hosts: []string{"https://desk.county"}}, {Hosts: []string{""}}} {
		c.Listen = "127.0.0.1:1"
		if c.Check() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func TestTheLinkCanBeOpened(t *testing.T) {
	s := Server{cfg: Config{Hosts: []string{"desk.county"}}}
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1:8080", "[::]:8443": "desk.county:8443", "0.0.0.0:443": "desk.county:443",
	} {
		if got := s.callable(addr); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
	if got := (&Server{}).callable("[::]:8443"); got != "[::]:8443" {
		t.Error(got)
	}
}
