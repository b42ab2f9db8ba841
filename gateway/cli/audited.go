package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
)

// audited writes into the audit of the county in dir what a command is about to do or to
// show, in that order: when it returns an error, the command must not go on.
func audited(ctx context.Context, dir string, act audit.Act) (err error) {
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("%w: %w", audit.ErrUnwritten, err) // a wrong --dir makes no folder
	}
	file, err := desk.OpenFile(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		return fmt.Errorf("%w: %w", audit.ErrUnwritten, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return audit.New(file, time.Now).Write(ctx, audit.AtTerminal(), act)
}

// failed writes that what audited has announced was not done, and returns err with what
// went wrong with that.
func failed(ctx context.Context, dir string, act audit.Act, err error) error {
	if err == nil {
		return nil
	}
	not := audit.Act{Action: audit.NotDone, Object: act.Object, Detail: string(act.Action)}
	return errors.Join(err, audited(context.WithoutCancel(ctx), dir, not))
}

// hasCounty reports whether a county's desk has its file in dir.
func hasCounty(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, centre.DeskFile))
	return !errors.Is(err, fs.ErrNotExist)
}
