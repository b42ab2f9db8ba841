package influx

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"gatehouse/gateway/proxied"
)

// A variable of the environment does not turn away what must be stored; what the
// configuration names does.
func TestAProxyIsUsedOnlyWhereTheConfigurationSaysSo(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Host)
		w.Header().Set(headerVersion, "1.8.10")
		w.WriteHeader(http.StatusNoContent)
	}))
	defer proxy.Close()
	for _, name := range []string{"http_proxy", "HTTP_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	for _, c := range []struct {
		through string
		asks    int
	}{{"", 0}, {proxied.FromEnvironment, 1}, {proxy.URL, 1}} {
		asked = nil
		client := newHTTPClient(proxied.Of(c.through))
		const far = "http://influx.invalid:8086/api/v2/write"
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, far, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		if (err == nil) != (c.asks == 1) || len(asked) != c.asks {
			t.Errorf("proxy %q: asked %v, %v", c.through, asked, err)
		}
	}
}
