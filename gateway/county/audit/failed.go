package audit

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

const (
	failedFor  = time.Minute // in which the failed log-ins under one name are counted together
	mostFailed = 1000        // names that are counted at one time; further ones are counted as one
)

// failures count failed log-ins by the name of the user; "" is for names that no user has,
// which may be passwords in the wrong field and are kept nowhere. So whoever guesses fills
// at most two entries for each user, and two for all other names, a minute.
type failures map[string]*failure

// failure are the failed log-ins under one name within a minute.
type failure struct {
	by    By
	began time.Time
	first bool // the first one was written
	more  int  // others that were not written yet
}

// add counts a failed log-in.
func (f failures) add(now time.Time, by By) {
	if _, open := f[by.Actor]; !open && len(f) >= mostFailed {
		by.Actor = ""
	}
	x, open := f[by.Actor]
	if !open {
		f[by.Actor] = &failure{by: by, began: now}
		return
	}
	x.more++
}

// due returns what is to be written at now, the oldest first; all: also of the minute that
// is not over.
func (f failures) due(now time.Time, all bool) (out []failure) {
	for name, x := range f {
		over := all || now.Sub(x.began) >= failedFor || now.Before(x.began)
		if !x.first || over && x.more > 0 {
			due := *x
			if !over {
				due.more = 0
			}
			out = append(out, due)
		}
		if over {
			delete(f, name)
		} else {
			x.first = true
		}
	}
	slices.SortFunc(out, func(a, b failure) int { return a.began.Compare(b.began) })
	return out
}

// detail says how often it failed.
func (x failure) detail() string {
	n := x.more
	if !x.first {
		n++
	}
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times within a minute", n)
}

// Failed counts a failed log-in; by.Actor is empty if there is no such user. It does not
// write, so that an answer does not show by its time whether there is one: Flush does.
func (l *Log) Failed(now time.Time, by By) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed.add(now, by)
}

// Flush writes the failed log-ins that are due: the first under a name at once, others as
// one entry when their minute is over. With all, those of this minute, too: at the end.
func (l *Log) Flush(ctx context.Context, now time.Time, all bool) error {
	l.mu.Lock()
	due := l.failed.due(now, all)
	l.mu.Unlock()
	if len(due) == 0 {
		return nil
	}
	return l.file.Write(ctx, func(tx *sql.Tx) error {
		for _, x := range due {
			if err := Append(ctx, tx, now, x.by, Act{LogInFailed, "", x.detail()}); err != nil {
				return err
			}
		}
		return nil
	})
}
