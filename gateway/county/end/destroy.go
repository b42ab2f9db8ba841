package end

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/identity"
)

// Task is a step of what the county destroys. Done again it does no harm.
type Task struct {
	Name string
	// Do returns what was done, for people.
	Do func(ctx context.Context) (string, error)
}

// Destroy does the tasks that were not done yet, in their order, and notes each: wherever
// it is interrupted, it goes on. tell is called before each.
func (e *Ends) Destroy(ctx context.Context, by audit.By, tasks []Task, tell func(name string)) error {
	for _, t := range tasks {
		n, _, err := db.One(ctx, e.opts.File.Reader(), db.Value[int], "SELECT count(*) FROM end_steps WHERE name = ?",
			t.Name)
		if err != nil {
			return fmt.Errorf("read how far the end is: %w", err)
		}
		if n > 0 {
			continue
		}
		tell(t.Name)
		detail, err := t.Do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		now := e.opts.Now()
		err = e.opts.File.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO end_steps (name, done, detail) VALUES (?, ?, ?)", t.Name,
				now.UnixNano(), detail)
			return errors.Join(err, audit.Append(ctx, tx, now, by, audit.Act{Action: audit.EndDestroy, Object: t.Name,
				Detail: detail}))
		})
		if err != nil {
			return fmt.Errorf("note that %s is done: %w", t.Name, err)
		}
	}
	return nil
}

// Agreed notes that the data at the county may be destroyed; use is as in Begin.
func (e *Ends) Agreed(ctx context.Context, by audit.By, use func(*sql.Tx) (string, error)) error {
	now := e.opts.Now()
	err := e.opts.File.Write(ctx, func(tx *sql.Tx) error {
		who, err := use(tx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO end_steps (name, done, detail) VALUES ('decision', ?, ?)",
			now.UnixNano(), who)
		return errors.Join(err, audit.Append(ctx, tx, now, by, audit.Act{Action: audit.EndDestroy, Object: "decision",
			Detail: who}))
	})
	if err != nil {
		return fmt.Errorf("decide that the data are destroyed: %w", err)
	}
	return nil
}

// Finish notes that all is done. missing is how many gates have not answered.
func (e *Ends) Finish(ctx context.Context, by audit.By, missing int) error {
	now := e.opts.Now()
	err := e.opts.File.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE ends SET finished = ?, missing = ? WHERE finished = 0", now.UnixNano(),
			missing)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNotBegun, err)
		}
		return audit.Append(ctx, tx, now, by, audit.Act{Action: audit.EndFinish, Object: "county " + e.opts.County,
			Detail: fmt.Sprintf("%d gates have not answered", missing)})
	})
	if err != nil {
		return fmt.Errorf("finish the end: %w", err)
	}
	return nil
}

// Remove removes files and folders, durably, and says how many there were.
func Remove(paths ...string) (n int, err error) {
	for _, path := range paths {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return n, fmt.Errorf("destroy %s: %w", path, err)
		}
		if err := identity.SyncFolder(filepath.Dir(path)); err != nil {
			return n, fmt.Errorf("destroy %s: %w", path, err)
		}
		n++
	}
	return n, nil
}

// Empty removes the rows of tables, those that a file has.
func Empty(ctx context.Context, file *db.File, tables map[string]string) (rows int64, err error) {
	err = file.Write(ctx, func(tx *sql.Tx) error {
		for table, where := range tables {
			n, _, err := db.One(ctx, tx, db.Value[int],
				"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", table)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			query := "DELETE FROM " + table + " WHERE " + where //nolint:gosec // both are this program's
			res, err := tx.ExecContext(ctx, query)
			if err != nil {
				return err
			}
			n64, err := res.RowsAffected()
			if err != nil {
				return err
			}
			rows += n64
		}
		return nil
	})
	if err != nil {
		return rows, fmt.Errorf("remove rows of %s: %w", file.Path(), err)
	}
	return rows, nil
}

// pseudonym is the form of what replaces a card: the key's id and 128 bits. See
// identity.SiteKey.
var pseudonym = regexp.MustCompile(`[a-z2-7]{8}-[a-z2-7]{26}`)

// ErrLeft says that a scan has found pseudonyms.
var ErrLeft = errors.New("pseudonyms of people are left")

// Scan reads all files below dir and returns how many bytes it has read; the error wraps
// ErrLeft when one of them holds a pseudonym of a person.
func Scan(dir string) (read int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path) //nolint:gosec // the county's own folder, which only its user may change
		if err != nil {
			return err
		}
		defer f.Close()
		in := &counter{r: bufio.NewReaderSize(f, 1<<16)}
		at := pseudonym.FindReaderIndex(in)
		read += in.n
		if at != nil {
			return fmt.Errorf("%w: %s has one at byte %d", ErrLeft, path, at[0])
		}
		return nil
	})
	if err != nil {
		return read, fmt.Errorf("look for what is left: %w", err)
	}
	return read, nil
}

// counter reads single bytes, so that what is no text is matched, too.
type counter struct {
	r io.ByteReader
	n int64
}

// ReadRune implements io.RuneReader.
func (c *counter) ReadRune() (rune, int, error) {
	b, err := c.r.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	c.n++
	return rune(b), 1, nil
}
