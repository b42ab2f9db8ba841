package parquet

import "encoding/binary"

// thrift writes structures in Thrift's compact protocol, in which Parquet's headers are.
// A structure's fields are written in the order of their numbers, which rise.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
type thrift struct {
	out  []byte
	last int // the number of the last field of this structure
}

// The protocol's kinds of values.
const (
	kindTrue, kindFalse, kindInt32, kindInt64, kindBinary, kindList, kindStruct = 1, 2, 5, 6, 8, 9, 12
)

// field begins a field; the numbers of the format are at most 15 apart.
func (t *thrift) field(number int, kind byte) {
	t.out = append(t.out, byte(number-t.last)<<4|kind)
	t.last = number
}

// varint appends a number without a field, as an element of a list.
func (t *thrift) varint(v int64) { t.out = binary.AppendVarint(t.out, v) }

// bytes appends a text without a field, as an element of a list.
func (t *thrift) bytes(s string) {
	t.out = append(binary.AppendUvarint(t.out, uint64(len(s))), s...)
}

func (t *thrift) int32(number, v int) {
	t.field(number, kindInt32)
	t.varint(int64(v))
}

func (t *thrift) int64(number int, v int64) {
	t.field(number, kindInt64)
	t.varint(v)
}

func (t *thrift) bool(number int, v bool) {
	if v {
		t.field(number, kindTrue)
	} else {
		t.field(number, kindFalse)
	}
}

func (t *thrift) text(number int, s string) {
	t.field(number, kindBinary)
	t.bytes(s)
}

// list begins a list of so many elements of a kind, which follow.
func (t *thrift) list(number int, kind byte, n int) {
	t.field(number, kindList)
	if n < 15 {
		t.out = append(t.out, byte(n)<<4|kind)
		return
	}
	t.out = binary.AppendUvarint(append(t.out, 0xf0|kind), uint64(n))
}

// structure writes a field that is a structure, whose fields write writes.
func (t *thrift) structure(number int, write func()) {
	t.field(number, kindStruct)
	t.within(write)
}

// within writes a structure without a field, as an element of a list.
func (t *thrift) within(write func()) {
	outer := t.last
	t.last = 0
	write()
	t.end()
	t.last = outer
}

// end ends a structure.
func (t *thrift) end() { t.out = append(t.out, 0) }
