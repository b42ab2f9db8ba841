package leak

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"

	"github.com/klauspost/compress/zstd"
)

// mostUnpacked bounds what is unpacked of one piece, in bytes.
const mostUnpacked = 64 << 20

// packed is what was packed in data.
type packed struct {
	kind string
	at   int
	data []byte
}

// unpack returns what is packed in data, wherever it begins. Of what is damaged it returns
// the part that can be read.
func unpack(data []byte) (out []packed) {
	add := func(kind string, at int, r io.Reader) {
		b, _ := io.ReadAll(io.LimitReader(r, mostUnpacked)) // what comes before the damage counts
		if len(b) > 0 {
			out = append(out, packed{kind, at, b})
		}
	}
	each(data, "\x1f\x8b\x08", func(at int) {
		if r, err := gzip.NewReader(bytes.NewReader(data[at:])); err == nil {
			r.Multistream(false)
			add("gzip", at, r)
		}
	})
	each(data, "\x28\xb5\x2f\xfd", func(at int) {
		r, err := zstd.NewReader(bytes.NewReader(data[at:]), zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxMemory(mostUnpacked))
		if err == nil {
			add("zstd", at, r)
			r.Close()
		}
	})
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return out
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return out
	}
	for _, f := range z.File {
		if r, err := f.Open(); err == nil {
			add("zip, "+f.Name, 0, r)
			r.Close()
		}
	}
	return out
}

// each calls do with each place of a mark.
func each(data []byte, mark string, do func(at int)) {
	for from := 0; ; {
		i := bytes.Index(data[from:], []byte(mark))
		if i < 0 {
			return
		}
		do(from + i)
		from += i + len(mark)
	}
}
