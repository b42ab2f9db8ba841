package mavlink

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/bluenviron/gomavlib/v3/pkg/frame"
	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"
)

// Noise before a frame delays it by at most the length that the noise claims.
func FuzzSieve(f *testing.F) {
	var one bytes.Buffer
	must(f, writer(f, &one, 1, streamwriter.V2, nil).Write(position()))
	whole := one.Bytes()
	for _, noise := range [][]byte{
		nil, {magicV1}, {magicV2, 255, 1}, whole[:len(whole)/2], bytes.Repeat([]byte{magicV1, 3}, 50), {0, 255, '\n'},
	} {
		f.Add(noise, false)
	}
	f.Fuzz(func(t *testing.T, noise []byte, slowly bool) {
		const longest = 12 + 255 + 13
		in := append(append(bytes.Clone(noise), whole...), make([]byte, longest)...)
		line := io.Reader(bytes.NewReader(in))
		if slowly {
			line = iotest.OneByteReader(line)
		}
		s, err := newSieve(line)
		if err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(s)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(out, whole) {
			t.Errorf("the frame behind % x is lost", noise)
		}
		for rest := out; len(rest) > 0; {
			n, enough := length(rest)
			if !enough || n == 0 || !s.valid(rest[:n]) {
				t.Fatalf("% x is no frame", rest)
			}
			rest = rest[n:]
		}
		if len(s.buf) >= longest {
			t.Errorf("%d bytes are held", len(s.buf))
		}
	})
}

// The position holds a magic byte in its speed of −400 cm/s.
func TestFramesAreFoundBehindNoise(t *testing.T) {
	var stream bytes.Buffer
	w := writer(t, &stream, 1, streamwriter.V1, nil)
	stream.WriteString("noise \xfd\xfe\xfd\xff")
	for i := range 50 {
		if i == 25 {
			w = writer(t, &stream, 1, streamwriter.V2, nil)
		}
		must(t, w.Write(position()))
		stream.WriteString("\xfe\x05")
	}
	stream.WriteString(strings.Repeat(" ", 300))
	s, err := newSieve(iotest.OneByteReader(&stream))
	must(t, err)
	r := &frame.Reader{BufByteReader: bufio.NewReader(&waiting{s}), DialectRW: s.dialect}
	must(t, r.Initialize())
	n := 0
	for {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		if f.GetMessage().GetID() == position().GetID() {
			n++
		}
	}
	if n != 50 {
		t.Errorf("%d of 50 frames", n)
	}
}

// waiting reads until there is something to return.
type waiting struct{ io.Reader }

func (w *waiting) Read(b []byte) (int, error) {
	for {
		if n, err := w.Reader.Read(b); n > 0 || err != nil {
			return n, err
		}
	}
}
