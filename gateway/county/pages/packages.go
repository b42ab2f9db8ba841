package pages

import (
	"errors"
	"net/http"
	"time"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/repository"
)

const (
	// downloadsMost is how many packages are sent at a time; who comes later tries again.
	downloadsMost = 16
	// stalledLimit ends a download of which nothing is taken for so long.
	stalledLimit = time.Minute
)

// packages serves the county's folder of packages.
type packages struct {
	folder *repository.Folder // nil: none
	slots  chan struct{}
}

func newPackages(folder *repository.Folder) *packages {
	return &packages{folder, make(chan struct{}, downloadsMost)}
}

// packageRoutes are asked by apt and by gates, which have no session: everything that is
// served is signed, and verified there.
func (s *Server) packageRoutes() []route {
	return []route{{"GET /packages/{file}", people.ActAnybody, func(w http.ResponseWriter, r *http.Request,
		_ people.Session,
	) {
		s.packages.serve(w, r)
	}}}
}

// serve sends a file of the index, or a package that it lists: nothing else of the folder.
func (p *packages) serve(w http.ResponseWriter, r *http.Request) {
	if p.folder == nil {
		http.Error(w, "this county serves no packages (packages: in the collector's file)", http.StatusNotFound)
		return
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many packages are being sent: try again in 10 s", http.StatusServiceUnavailable)
		return
	}
	name := r.PathValue("file")
	file, err := p.folder.Open(name)
	switch {
	case errors.Is(err, repository.ErrNotListed):
		http.Error(w, "the index of packages has no such file", http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, "the file can't be read at the county", http.StatusInternalServerError)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		http.Error(w, "the file can't be read at the county", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(steady{w, http.NewResponseController(w)}, r, name, info.ModTime(), file)
}

// steady is an answer that takes as long as something of it is taken.
type steady struct {
	http.ResponseWriter

	control *http.ResponseController
}

// Write implements http.ResponseWriter.
func (s steady) Write(b []byte) (int, error) {
	_ = s.control.SetWriteDeadline(time.Now().Add(stalledLimit)) // a server that can't has its own limit
	return s.ResponseWriter.Write(b)
}
