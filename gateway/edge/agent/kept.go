package agent

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"os"
)

// save writes the texts to a file, at once or not at all. It makes no copy of them:
// a roster can be large, and the memory of a gate's computer is small.
func (t texts) save(path string) error {
	sum := sha256.New()
	if err := t.write(sum); err != nil {
		return err
	}
	if holds(path, sum) {
		return nil
	}
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(file)
	err = errors.Join(t.write(b), b.Flush(), file.Sync(), file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return os.Rename(path+".new", path)
}

// write writes the texts as JSON, piece by piece.
func (t texts) write(w io.Writer) error {
	type part struct {
		before string
		text   []byte
	}
	parts := []part{{`{"policy":"`, t.Policy}, {`","roster":"`, t.Roster}}
	if len(t.Guards) > 0 {
		parts = append(parts, part{`","guards":"`, t.Guards})
	}
	for _, part := range parts {
		if _, err := io.WriteString(w, part.before); err != nil {
			return err
		}
		enc := base64.NewEncoder(base64.StdEncoding, w)
		if _, err := enc.Write(part.text); err != nil {
			return err
		}
		if err := enc.Close(); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, `"}`)
	return err
}

// holds reports whether the bytes of a file have this sum.
func holds(path string, sum hash.Hash) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	now := sha256.New()
	if _, err := io.Copy(now, f); err != nil {
		return false
	}
	return string(now.Sum(nil)) == string(sum.Sum(nil))
}
