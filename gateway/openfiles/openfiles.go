// Package openfiles divides the open files that this process may have among its
// parts, so that none takes those of another: first the store and the journal,
// then the broker's clients, then browsers.
package openfiles

import "golang.org/x/sys/unix"

const (
	reserved = 128 // for the store, the journal, the broker's own files and connections to others
	forPages = 8   // of the rest, one in eight is for browsers
	perAgent = 3   // a client of the broker takes three: its connection, and both ends of the one to nats-server
	fewest   = 16
	most     = 16 << 10
	mostPage = 1 << 10
	unknown  = 1 << 10 // the usual limit, when the kernel does not return one
)

// Pages returns how many connections a server of pages may hold, 16 to 1,024.
func Pages() int { return share(limit()).pages }

// Clients returns how many clients the broker may hold, 16 to 16,384.
func Clients() int { return share(limit()).clients }

// Enough is how many open files a program has use for at the least.
const Enough = 256

// Few returns how many files this process may have open, and whether that is too few.
func Few() (n int, few bool) {
	n = limit()
	return n, n < Enough
}

type shares struct{ pages, clients int }

// share divides limit open files.
func share(limit int) shares {
	rest := max(0, limit-reserved)
	pages := min(max(rest/forPages, fewest), mostPage)
	return shares{pages, min(max((rest-pages)/perAgent, fewest), most)}
}

func limit() int {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return unknown
	}
	return int(min(lim.Cur, 1<<30))
}
