package term

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// mostSecret bounds what somebody types for Secret, in bytes.
const mostSecret = 4096

// Secret asks on out, and returns the line that is typed on in, without showing it if in is
// a terminal. It reads no byte behind the line.
func Secret(in io.Reader, out io.Writer, question string) (string, error) {
	if _, err := fmt.Fprint(out, question+": "); err != nil {
		return "", err
	}
	if f, ok := in.(*os.File); ok && Typed(in) {
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(out)
		return strings.TrimSpace(string(b)), err
	}
	return readLine(in, question)
}

// Answer asks on out, and returns the line that is typed on in. It reads no byte behind the
// line.
func Answer(in io.Reader, out io.Writer, question string) (string, error) {
	if _, err := fmt.Fprint(out, question+": "); err != nil {
		return "", err
	}
	return readLine(in, question)
}

// Typed reports whether in is a terminal, where somebody can be asked.
func Typed(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// readLine reads a line, the answer to a question, byte by byte.
func readLine(in io.Reader, question string) (string, error) {
	var line []byte
	var b [1]byte
	for {
		n, err := in.Read(b[:])
		switch {
		case n == 1 && b[0] == '\n', errors.Is(err, io.EOF) && len(line) > 0:
			return strings.TrimSpace(string(line)), nil
		case n == 1:
			line = append(line, b[0])
		case err != nil:
			return "", fmt.Errorf("%s: %w", question, err)
		}
		if len(line) > mostSecret {
			return "", fmt.Errorf("%s: the line has more than %d bytes", question, mostSecret)
		}
	}
}
