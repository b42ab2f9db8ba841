package modbus

import (
	"slices"
	"testing"

	"gatehouse/gateway/fact"
)

func TestBitsAndRegistersAreStored(t *testing.T) {
	m := memory{}
	m.store(block{place: place{tableCoil, 5}, count: 10}, []byte{0x81, 0x02})
	bits, ok := m.read(place{tableCoil, 5}, 10)
	if want := []uint16{1, 0, 0, 0, 0, 0, 0, 1, 0, 1}; !ok || !slices.Equal(bits, want) {
		t.Errorf("%v %v", ok, bits)
	}
	m.store(block{place: place{tableInput, 7}, count: 2}, []byte{1, 2, 3, 4})
	regs, ok := m.read(place{tableInput, 7}, 2)
	if want := []uint16{0x0102, 0x0304}; !ok || !slices.Equal(regs, want) {
		t.Errorf("%v %v", ok, regs)
	}
	if _, ok := m.read(place{tableInput, 7}, 3); ok {
		t.Error("a register that was not read is known")
	}
}

func TestARequestHoldsAsMuchAsItMay(t *testing.T) {
	at := func(address uint16) Value {
		return Value{Table: tableHolding, Address: address, Type: "uint32", Means: fact.FieldFault}
	}
	for limit, want := range map[uint16]int{2: 3, 3: 3, 4: 2, 5: 2, 6: 1} {
		m := &Map{MaxRegisters: limit, Values: []Value{at(10), at(12), at(14)}}
		if got := blocks(m); len(got) != want {
			t.Errorf("at most %d: %d requests, want %d", limit, len(got), want)
		}
	}
}
