package web

import (
	"net/http"

	"gatehouse/gateway/peer"
)

// Near passes on requests of this computer only: the screen has no password.
func Near(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !(peer.Proxies{}).Of(r).Near {
			http.Error(w, "the guard's screen has no password and is for this computer only; this request came "+
				"through a proxy. To look from elsewhere, log in at the county's desk, or make a tunnel: "+
				"ssh -L 8090:127.0.0.1:8090", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
