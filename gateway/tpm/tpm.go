// Package tpm keeps a private key in this computer's TPM 2.0. What is written to disk is the
// key as the TPM has encrypted it: no other TPM can use it, and this one not any more when
// it was cleared. Nothing is stored in the TPM.
package tpm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// Device is where Linux offers the TPM to several programs at a time.
const Device = "/dev/tpmrm0"

// answerWithin is how long a TPM behind a socket may take for one command.
const answerWithin = 30 * time.Second

// ErrUnusable is wrapped by the errors of a TPM that answers and can't use the key.
var ErrUnusable = errors.New("this computer's TPM can't use the key")

// open opens the TPM at path: a device, or a Unix socket as of swtpm.
func open(path string) (transport.TPMCloser, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch mode := info.Mode(); {
	case mode&os.ModeDevice != 0:
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		return transport.FromReadWriteCloser(f), nil
	case mode&os.ModeSocket != 0:
		return transport.FromReadWriteCloser(&socket{path: path}), nil
	}
	return nil, fmt.Errorf("%s is neither a device nor a socket", path)
}

// socket is a TPM at a Unix socket. It has one connection for each command, because such
// TPMs serve one at a time.
type socket struct {
	path string
	conn net.Conn // nil between commands
}

func (s *socket) Write(b []byte) (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin) // a crypto.Signer gets none
	defer cancel()
	if s.conn, err = new(net.Dialer).DialContext(ctx, "unix", s.path); err != nil {
		return 0, err
	}
	if err = s.conn.SetDeadline(time.Now().Add(answerWithin)); err == nil {
		n, err = s.conn.Write(b)
	}
	if err != nil {
		err = errors.Join(err, s.Close())
	}
	return n, err
}

func (s *socket) Read(b []byte) (int, error) {
	if s.conn == nil {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := s.conn.Read(b)
	return n, errors.Join(err, s.Close())
}

func (s *socket) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// explain adds to an error of the TPM at a path what to do.
func explain(path string, err error) error {
	advice := ""
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		advice = "this account may not use it: add the account to the group that " + path +
			" belongs to (usermod -aG tss USER), and start again"
	case errors.Is(err, syscall.EBUSY):
		advice = "another program has it to itself: name " + Device + ", which several can use"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV),
		errors.Is(err, syscall.ECONNREFUSED):
		advice = "there is none: is it switched off in the computer's firmware? " +
			"If it is gone for good, the key is, too: a new code, and gatehouse enrol --again"
	case errors.Is(err, tpm2.TPMRCObjectMemory), errors.Is(err, tpm2.TPMRCObjectHandles):
		advice = "other programs fill its memory: name " + Device + ", or restart this computer"
	case errors.Is(err, tpm2.TPMRCAuthFail), errors.Is(err, tpm2.TPMRCBadAuth):
		advice = "its owner has a password: take that away (tpm2_changeauth -c owner -p PASSWORD), " +
			"or keep the key in a file (--tpm off)"
	case errors.Is(err, tpm2.TPMRCInitialize):
		advice = "it was not started: restart this computer"
	case errors.Is(err, tpm2.TPMRCIntegrity):
		err = fmt.Errorf("%w: %w", ErrUnusable, err)
		advice = "it was made by another one, or this one was cleared since: " +
			"a new code, and gatehouse enrol --again"
	default:
		return fmt.Errorf("TPM %s: %w", path, err)
	}
	return fmt.Errorf("TPM %s: %s: %w", path, advice, err)
}

// Find returns the path of the TPM that a new key is to be made in, by what a person has
// chosen: "off", or nothing, is none; "auto" is Device, if there is one; other texts are paths.
// For auto, an error says why Device is there and can't be used; other paths are not tried.
func Find(choice string) (path string, err error) {
	switch choice {
	case "", "off":
		return "", nil
	case "auto":
	default:
		if !strings.Contains(choice, "/") {
			return "", fmt.Errorf("tpm %q: give auto, off, or the path of a TPM such as %s", choice, Device)
		}
		return choice, nil
	}
	t, err := open(Device)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", explain(Device, err)
	}
	return Device, t.Close()
}
