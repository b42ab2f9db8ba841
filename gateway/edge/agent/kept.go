package agent

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
)

// errOtherBytes ends the comparison with a file.
var errOtherBytes = errors.New("the file is another one")

// save writes the texts to a file, at once or not at all, with pseudonyms in place of all
// numbers of cards and households, by each of the gate's keys. It makes no copy of them:
// a roster can be large, and the memory of a gate's computer is small.
func (t texts) save(path string, names identity.Named) error {
	if t.isIn(path, names) {
		return nil
	}
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(file)
	err = errors.Join(t.write(b, names), b.Flush())
	if info, err2 := file.Stat(); err == nil && err2 == nil && info.Size() > mostKept {
		err = fmt.Errorf("it would be larger than %d MiB, and not be read again", mostKept>>20)
	}
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return os.Rename(path+".new", path)
}

// write writes the texts as JSON, piece by piece, with pseudonyms in place of numbers.
func (t texts) write(w io.Writer, names identity.Named) error {
	guards := t.Guards
	if len(guards) > 0 {
		var err error
		if guards, err = policy.NameGuards(guards, names); err != nil {
			return fmt.Errorf("guards: %w", err)
		}
	}
	plain := func(text []byte) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		}
	}
	parts := []struct {
		before string
		write  func(io.Writer) error
	}{
		{`{"policy":"`, plain(t.Policy)},
		{`","roster":"`, func(w io.Writer) error { return policy.NameRoster(w, t.Roster, names) }},
		{`","guards":"`, plain(guards)},
	}
	if len(guards) == 0 {
		parts = parts[:2]
	}
	for _, part := range parts {
		if _, err := io.WriteString(w, part.before); err != nil {
			return err
		}
		enc := base64.NewEncoder(base64.StdEncoding, w)
		if err := errors.Join(part.write(enc), enc.Close()); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, `"}`)
	return err
}

// isIn reports whether a file holds what save would write.
func (t texts) isIn(path string, names identity.Named) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	is := &comparer{r: bufio.NewReader(f)}
	return t.write(is, names) == nil && is.ended()
}

// comparer compares what is written to it with what is read from r.
type comparer struct {
	r   *bufio.Reader
	buf []byte
}

// Write returns an error when r does not go on with b.
func (c *comparer) Write(b []byte) (int, error) {
	c.buf = append(c.buf[:0], b...)
	if _, err := io.ReadFull(c.r, c.buf); err != nil {
		return 0, err
	}
	if !bytes.Equal(c.buf, b) {
		return 0, errOtherBytes
	}
	return len(b), nil
}

// ended reports whether nothing follows in r.
func (c *comparer) ended() bool {
	_, err := c.r.ReadByte()
	return errors.Is(err, io.EOF)
}
