package modbus

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// place is one register or bit of a unit.
type place struct {
	table   string
	address uint16
}

// memory is what was read of a unit: registers with the high byte first, as the
// standard has it; a bit is 0 or 1.
type memory map[place]uint16

// read returns so many registers from a place on; ok is false when one is missing.
func (m memory) read(from place, count uint16) (out []uint16, ok bool) {
	for i := range count {
		r, has := m[place{from.table, from.address + i}]
		if !has {
			return nil, false
		}
		out = append(out, r)
	}
	return out, true
}

// of returns the registers of each part of a value; ok is false when some
// were not read.
func (m memory) of(v Value) (out [][]uint16, ok bool) {
	for _, p := range v.parts() {
		regs, has := m.read(place{v.Table, p.Address}, registers[p.Type])
		if !has {
			return nil, false
		}
		out = append(out, regs)
	}
	return out, true
}

// cell is the registers of one value, or of a part of one.
type cell struct {
	place
	count uint16
	value int // index of the value in the map
}

// block is a run of addresses that one request reads.
type block struct {
	place
	count uint16
	cells []cell
}

// request returns the request of a block.
func (b block) request(unit uint8) request {
	return request{unit: unit, function: functions[b.table], first: b.address, count: b.count}
}

// store stores the answer to a block's request.
func (m memory) store(b block, values []byte) {
	for i := range b.count {
		var r uint16
		if b.request(0).bits() {
			r = uint16(values[i/8] >> (i % 8) & 1)
		} else {
			r = binary.BigEndian.Uint16(values[2*i:])
		}
		m[place{b.table, b.address + i}] = r
	}
}

var functions = map[string]uint8{tableCoil: 1, tableDiscrete: 2, tableHolding: 3, tableInput: 4}

// most registers that one request reads by default; the standard allows 125.
const most = 100

// blocks groups a map's values into requests of adjacent addresses: a unit may
// refuse those in between. The parts of one value are read together, where one
// request can, so that they belong to one moment.
func blocks(m *Map) (out []block) {
	var cells []cell
	for i, v := range m.Values {
		for _, p := range v.parts() {
			cells = append(cells, cell{place{v.Table, p.Address}, registers[p.Type], i})
		}
	}
	slices.SortFunc(cells, func(x, y cell) int {
		return cmp.Or(cmp.Compare(functions[x.table], functions[y.table]), cmp.Compare(x.address, y.address))
	})
	limit := int(cmp.Or(m.MaxRegisters, most))
	for _, c := range cells {
		if last := len(out) - 1; last >= 0 && out[last].takes(c, limit) {
			out[last] = newBlock(append(out[last].cells, c))
			continue
		}
		out = append(out, newBlock([]cell{c}))
	}
	return out
}

// newBlock returns the block of cells in the order of their addresses.
func newBlock(cells []cell) block {
	end := 0
	for _, c := range cells {
		end = max(end, int(c.address)+int(c.count))
	}
	return block{place: cells[0].place, count: uint16(end - int(cells[0].address)), cells: cells}
}

// takes reports whether a cell behind the block belongs to it: it is adjacent, or
// another part of a value in it, and the request stays within the limit.
func (b block) takes(c cell, limit int) bool {
	end := int(b.address) + int(b.count)
	part := slices.ContainsFunc(b.cells, func(of cell) bool { return of.value == c.value })
	return b.table == c.table && (int(c.address) <= end || part) &&
		int(c.address)+int(c.count)-int(b.address) <= limit
}

// split returns the two halves of a block that a unit refuses; nil: it is one cell.
func (b block) split() []block {
	half := len(b.cells) / 2
	if half == 0 {
		return nil
	}
	return []block{newBlock(b.cells[:half]), newBlock(b.cells[half:])}
}
