package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"modernc.org/sqlite"
)

// Snapshot is the state of several files at one moment, each as it was when Hold came to
// it. While it is held, SQLite keeps in the files' WALs what is committed meanwhile.
// It is for one goroutine.
type Snapshot struct {
	paths []string
	pools []*sql.DB
	conns []*sql.Conn
}

// Hold begins to read the files in the order given, which other processes may write to
// meanwhile and afterwards: a later file is as new as those before it, or newer by the
// milliseconds in between. Close it soon.
func Hold(ctx context.Context, paths ...string) (s *Snapshot, err error) {
	s = &Snapshot{paths: paths}
	for _, path := range paths {
		if err := s.hold(ctx, path); err != nil {
			return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), s.Close())
		}
	}
	return s, nil
}

func (s *Snapshot) hold(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	pool, err := connect(path, "ro", 1, nil)
	if err != nil {
		return err
	}
	s.pools = append(s.pools, pool)
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	s.conns = append(s.conns, conn)
	if _, err := conn.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return err
	}
	// The transaction begins to read with its first query.
	_, _, err = One(ctx, conn, Value[int], "SELECT count(*) FROM sqlite_schema")
	return err
}

// pagesAtOnce is how many pages are copied between two looks at the context: some MiB.
const pagesAtOnce = 1024

// Copy writes the i-th file as it was to a new file at path, which only its owner may read,
// durably. It calls tell with the bytes copied and those of the file. What was written
// stays when it fails. A full disk is an error that wraps ErrFull.
func (s *Snapshot) Copy(ctx context.Context, i int, path string, tell func(done, all int64)) error {
	if err := create(path); err != nil {
		return err
	}
	size, _, err := One(ctx, s.conns[i], Value[int64], "PRAGMA page_size")
	if err != nil {
		return err
	}
	err = s.conns[i].Raw(func(c any) error {
		from, ok := c.(interface {
			NewBackup(to string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("the driver of SQLite makes no copies")
		}
		b, err := from.NewBackup("file:" + url.PathEscape(path))
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = b.Step(pagesAtOnce)
				tell(size*int64(b.PageCount()-b.Remaining()), size*int64(b.PageCount()))
			}
		}
		return errors.Join(err, b.Finish())
	})
	if err == nil {
		err = flush(path)
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", s.paths[i], full(err))
	}
	return nil
}

// ErrFull is wrapped by errors of a disk that has no room.
var ErrFull = errors.New("the disk is full")

// fullCode is SQLITE_FULL (sqlite.org/rescode.html).
const fullCode = 13

func full(err error) error {
	var of *sqlite.Error
	if errors.As(err, &of) && of.Code()&0xff == fullCode {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// flush makes a file durable.
func flush(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close lets the files go.
func (s *Snapshot) Close() error {
	var errs []error
	for _, c := range s.conns {
		_, err := c.ExecContext(context.Background(), "ROLLBACK")
		errs = append(errs, err, c.Close())
	}
	for _, p := range s.pools {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}
