package threats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// tab is a page of Chromium, which is told what to do by its debugging protocol. One
// goroutine uses it.
type tab struct {
	ws    *websocket.Conn
	calls int
	close func()
}

// watching notes in a page what a content security policy has kept from it.
const watching = `window.kept = []; addEventListener("securitypolicyviolation",
	e => window.kept.push(e.violatedDirective + " " + e.blockedURI + " " + e.sample))`

// chromium starts Chromium, with the cookies of somebody at the desk.
func (c *county) chromium(ctx context.Context, as *browser) (t *tab, err error) {
	dir := c.path("chromium")
	cmd := exec.CommandContext(ctx, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
		"--ignore-certificate-errors", "--disable-dev-shm-usage", "--user-data-dir="+dir, "--remote-debugging-port=0",
		"about:blank")
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start Chromium (make tools installs it): %w", err)
	}
	end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait(); _ = os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			end()
		}
	}()
	var at []byte
	if ok := await(ctx, 30*time.Second, func() bool {
		at, _ = os.ReadFile(filepath.Join(dir, "DevToolsActivePort"))
		return strings.Count(string(at), "\n") > 0
	}); !ok {
		return nil, errors.New("chromium does not start")
	}
	port, _, _ := strings.Cut(string(at), "\n")
	b := &browser{url: "http://127.0.0.1:" + port, client: http.DefaultClient}
	var pages []struct{ Type, WebSocketDebuggerURL string }
	if err := b.get(ctx, "/json/list", &pages); err != nil || len(pages) == 0 {
		return nil, errors.Join(err, errors.New("chromium has no page"))
	}
	ws, _, err := websocket.Dial(ctx, pages[0].WebSocketDebuggerURL, nil) //nolint:bodyclose // ws has the body
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(32 << 20)
	t = &tab{ws: ws, close: func() { _ = ws.CloseNow(); end() }}
	for _, method := range []string{"Page.enable", "Network.enable"} {
		if _, err := t.call(ctx, method, map[string]string{}); err != nil {
			return nil, err
		}
	}
	script := map[string]string{"source": watching}
	if _, err := t.call(ctx, "Page.addScriptToEvaluateOnNewDocument", script); err != nil {
		return nil, err
	}
	u, err := url.Parse(c.url)
	if err != nil {
		return nil, err
	}
	for _, k := range as.jar.Cookies(u) {
		cookie := struct {
			Name     string `json:"name"`
			Value    string `json:"value"`
			URL      string `json:"url"`
			Path     string `json:"path"`
			Secure   bool   `json:"secure"`
			HTTPOnly bool   `json:"httpOnly"`
		}{k.Name, k.Value, c.url, "/", true, true}
		if _, err := t.call(ctx, "Network.setCookie", cookie); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// call calls a method of the protocol with parameters, and returns its result.
func (t *tab) call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	t.calls++
	b, err := json.Marshal(struct {
		ID     int    `json:"id"`
		Method string `json:"method"`
		Params any    `json:"params"`
	}{t.calls, method, params})
	if err == nil {
		err = t.ws.Write(ctx, websocket.MessageText, b)
	}
	for err == nil {
		var a struct {
			ID     int
			Result json.RawMessage
			Error  struct{ Message string }
		}
		if _, b, err = t.ws.Read(ctx); err != nil || json.Unmarshal(b, &a) != nil || a.ID != t.calls {
			continue // an event
		}
		if a.Error.Message != "" {
			err = errors.New(a.Error.Message)
		}
		return a.Result, err
	}
	return nil, fmt.Errorf("%s: %w", method, err)
}

// evaluate evaluates an expression in the page, and reads its value into to.
func (t *tab) evaluate(ctx context.Context, expression string, to any) error {
	params := struct {
		Expression    string `json:"expression"`
		ReturnByValue bool   `json:"returnByValue"`
	}{expression, true}
	b, err := t.call(ctx, "Runtime.evaluate", params)
	if err != nil {
		return err
	}
	var a struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails struct{ Text string }
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return err
	}
	if a.ExceptionDetails.Text != "" {
		return fmt.Errorf("evaluate in the page: %s", b)
	}
	return json.Unmarshal(a.Result.Value, to)
}

// goes opens an address, and returns when the page says something and has said nothing new
// for a while.
func (t *tab) goes(ctx context.Context, to string) error {
	if _, err := t.call(ctx, "Page.navigate", map[string]string{"url": to}); err != nil {
		return err
	}
	var text, before string
	since := time.Now()
	if ok := await(ctx, 30*time.Second, func() bool {
		if t.evaluate(ctx, `document.readyState == "complete" && location.href != "about:blank" && document.body ? `+
			`document.body.innerHTML.length + " " + document.body.innerText.trim().length : "0 0"`, &text) != nil {
			return false
		}
		if text != before || strings.HasSuffix(text, " 0") {
			before, since = text, time.Now()
		}
		return time.Since(since) > 400*time.Millisecond
	}); !ok {
		return fmt.Errorf("%s is never drawn: %s", to, text)
	}
	return nil
}
