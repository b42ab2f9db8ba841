package registry

import "testing"

func TestACodeThatNobodyHasUsedIsWithdrawn(t *testing.T) {
	b := newBench(t)
	g := b.gate("gate-001")
	if err := b.Withdraw(t.Context(), "gate-001", li); err != nil {
		t.Fatal(err)
	}
	_, err := b.ask(g)
	is(t, "a withdrawn code", err, ErrUnknown)
	is(t, "again", b.Withdraw(t.Context(), "gate-001", li), ErrDecided)
	g = b.gate("gate-001")
	if _, err := b.ask(g); err != nil {
		t.Fatal(err)
	}
	is(t, "a used code", b.Withdraw(t.Context(), "gate-001", li), ErrDecided)
}
