package mavlink

import (
	"bytes"
	"strings"
	"testing"

	"gatehouse/gateway/fact"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"
)

// longest is the length of the longest frame, signed.
const longest = 12 + 255 + 13

// Noise before a frame delays it by at most the length that the noise claims. Noise
// whose checksum is right by chance, 1 in 65,536, is a frame, and may hide it.
func FuzzSplitter(f *testing.F) {
	var one bytes.Buffer
	must(f, writer(f, &one, 1, streamwriter.V2, nil).Write(position()))
	whole := one.Bytes()
	for _, noise := range [][]byte{
		nil, {magicV1}, {magicV2, 255, 1}, whole[:len(whole)/2], bytes.Repeat([]byte{magicV1, 3}, 50), {0, 255, '\n'},
	} {
		f.Add(noise, uint8(1))
	}
	f.Fuzz(func(t *testing.T, noise []byte, step uint8) {
		in := append(append(bytes.Clone(noise), whole...), make([]byte, longest)...)
		s, err := newSplitter()
		must(t, err)
		n := 0
		for chunk := range chunks(in, 1+int(step)) {
			s.add(chunk, func(p packet) {
				n++
				if _, err := p.message(); err != nil && p.form == nil {
					t.Error(err)
				}
			})
			if len(s.rest) > longest {
				t.Fatalf("%d bytes are held", len(s.rest))
			}
		}
		if n < 1 {
			t.Errorf("the frame behind % x is lost", noise)
		}
	})
}

// chunks returns b in parts of n bytes.
func chunks(b []byte, n int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 && yield(b[:min(n, len(b))]) {
			b = b[min(n, len(b)):]
		}
	}
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
	for _, step := range []int{1, 7, 512, 1 << 20} {
		s, err := newSplitter()
		must(t, err)
		n := 0
		for chunk := range chunks(stream.Bytes(), step) {
			s.add(chunk, func(packet) { n++ })
		}
		if n != 50 {
			t.Errorf("in parts of %d: %d of 50 frames", step, n)
		}
	}
}

func TestFramesOfDatagrams(t *testing.T) {
	var all bytes.Buffer
	w := writer(t, &all, 1, streamwriter.V2, nil)
	for range 2000 {
		must(t, w.Write(position()))
	}
	stream := all.Bytes()
	one := len(stream) / 2000
	many := stream[:one*(datagram/one)]
	for name, c := range map[string]struct {
		datagrams [][]byte
		want      int
	}{
		"the longest":           {[][]byte{many}, datagram / one},
		"a frame over two":      {[][]byte{stream[:one+9], stream[one+9 : 2*one]}, 2},
		"a frame over three":    {[][]byte{stream[:9], stream[9:20], stream[20:one]}, 1},
		"a torn one before":     {[][]byte{stream[:one-5], stream[one : 2*one]}, 1},
		"a claim of 267 bytes":  {[][]byte{{magicV2, 255, 0}, stream[:one], stream[one : 2*one]}, 2},
		"garbage before frames": {[][]byte{append([]byte("AT+OK\r\n"), stream[:3*one]...)}, 3},
		"garbage between frames": {[][]byte{
			bytes.Join([][]byte{stream[:one], stream[one : 3*one]}, []byte{0, 0xFE}),
		}, 3},
		"nothing": {[][]byte{{}}, 0},
	} {
		s, err := newSplitter()
		must(t, err)
		n := 0
		for _, d := range c.datagrams {
			s.add(d, func(packet) { n++ })
		}
		if n != c.want {
			t.Errorf("%s: %d frames, want %d", name, n, c.want)
		}
	}
}

// A message of another dialect does not hide what follows it.
func TestUnknownMessagesAreSkipped(t *testing.T) {
	var stream bytes.Buffer
	w := writer(t, &stream, 1, streamwriter.V2, nil)
	must(t, w.Write(position()))
	unknown := bytes.Clone(stream.Bytes())
	unknown[7], unknown[8], unknown[9] = 0xF0, 0xF0, 0xF0
	must(t, w.Write(&common.MessageNamedValueFloat{Name: strings.ToUpper(fact.FieldFlow)}))
	s, err := newSplitter()
	must(t, err)
	n := 0
	s.add(append(append(bytes.Clone(unknown), stream.Bytes()...), unknown...), func(packet) { n++ })
	if n != 2 || len(s.rest) >= longest {
		t.Errorf("%d frames, %d bytes are held", n, len(s.rest))
	}
}
