package welcome

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"gatehouse/gateway/openfiles"
	"gatehouse/gateway/peer"
	"gatehouse/gateway/web"
)

// lookFor is how long the page is served after this computer has become a gate, so that it
// learns of it.
const lookFor = 5 * time.Second

// Serve serves the page on l until this computer is a gate: then it returns nil, and l is
// closed. It returns ctx's error when that ends before.
func (w *Welcome) Serve(ctx context.Context, l net.Listener) error {
	s := web.NewServer(w.handler(l.Addr().String()), w.opts.Log)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() {
		bound := web.Strange(web.Bound(l, openfiles.Pages(), peer.Proxies{}, w.opts.Log), false, w.opts.Log)
		if err := s.Serve(bound); !errors.Is(err, http.ErrServerClosed) {
			cancel(fmt.Errorf("serve the first page on %s: %w", l.Addr(), err))
		}
	})
	defer s.Close()
	if err := w.run(ctx); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	select {
	case <-w.told:
	case <-ctx.Done():
	case <-time.After(lookFor):
	}
	stop, end := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer end()
	_ = s.Shutdown(stop) // lets the answer out; what is left is closed
	return nil
}

func (w *Welcome) handler(addr string) http.Handler {
	mux := http.NewServeMux()
	page := web.Load("first")
	mux.Handle("GET /{$}", page)
	mux.Handle("GET /assets/", page)
	mux.Handle("GET /help", web.Help())
	mux.Handle("GET "+web.HelpPath, web.Help())
	mux.HandleFunc("GET /state", w.state)
	mux.HandleFunc("POST /code", w.code)
	mux.HandleFunc("POST /again", func(rw http.ResponseWriter, _ *http.Request) {
		if step := w.View().Step; step != Code && step != Done {
			select {
			case w.again <- struct{}{}:
			default: // somebody has pressed it just now
			}
		}
		rw.WriteHeader(http.StatusNoContent)
	})
	return web.Guard(web.Site{Listen: addr, Log: w.opts.Log}, web.Near(mux))
}

// state answers what the page shows.
func (w *Welcome) state(rw http.ResponseWriter, _ *http.Request) {
	v := w.View()
	rw.Header().Set("Content-Type", "application/json")
	if json.NewEncoder(rw).Encode(v) == nil && v.Step == Done {
		w.mu.Lock()
		defer w.mu.Unlock()
		select {
		case <-w.told:
		default:
			close(w.told)
		}
	}
}

// code takes a code that somebody has typed or scanned: 204, 400 for a request that is
// none, 409 while another one is on its way, 422 for a code that is none.
func (w *Welcome) code(rw http.ResponseWriter, r *http.Request) {
	var m struct {
		Code string `json:"code"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, mostCode)).Decode(&m); err != nil {
		http.Error(rw, "not understood: "+err.Error(), http.StatusBadRequest)
		return
	}
	wrong, taken := w.take(m.Code)
	switch {
	case wrong != nil:
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusUnprocessableEntity)
		_ = json.NewEncoder(rw).Encode(wrong) // the page may have gone
	case !taken:
		http.Error(rw, "another code is on its way", http.StatusConflict)
	default:
		rw.WriteHeader(http.StatusNoContent)
	}
}
