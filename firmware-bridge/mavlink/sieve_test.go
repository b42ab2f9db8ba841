package mavlink

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"
)

// Whatever stands before a frame costs at most what it claims to be long.
func FuzzSieve(f *testing.F) {
	var one bytes.Buffer
	must(f, writer(f, &one, 1, streamwriter.V2, nil).Write(position()))
	whole := one.Bytes()
	for _, noise := range [][]byte{nil, {magicV1}, {magicV2, 255, 1}, whole[:len(whole)/2], bytes.Repeat([]byte{magicV1, 3}, 50), {0, 255, '\n'}} {
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
