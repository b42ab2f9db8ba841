package unheard

import (
	"testing"
	"time"
)

const second = time.Second

func TestBytesThatAreNeverUnderstoodAreReported(t *testing.T) {
	var w Watch
	for i := range 10 {
		w.Bytes(time.Duration(i)*second, []byte("0123456789"))
		if r, ok := w.Check(time.Duration(i) * second); ok {
			t.Fatalf("after %d s: %+v", i, r)
		}
	}
	w.Bytes(10*second, []byte("abcdefghij"))
	r, ok := w.Check(10 * second)
	if want := (Report{10 * second, 110, "3435363738396162636465666768696a"}); !ok || r != want {
		t.Errorf("%v %+v, want %+v", ok, r, want)
	}
	w.Understood()
	if r, ok := w.Check(11 * second); ok {
		t.Errorf("after a message: %+v", r)
	}
}

func TestASilentLinkIsNotReported(t *testing.T) {
	var w Watch
	w.Bytes(0, nil)
	w.Bytes(0, []byte{1})
	if _, ok := w.Check(20 * second); ok {
		t.Error("one byte long ago is reported")
	}
	w.Bytes(20*second, []byte{1})
	if _, ok := w.Check(20 * second); ok {
		t.Error("a first byte after silence is reported")
	}
	for i := 21; i <= 30; i++ {
		w.Bytes(time.Duration(i)*second, []byte{2})
	}
	if r, ok := w.Check(35 * second); !ok || r.Bytes != 11 || r.For != 15*second {
		t.Errorf("%v %+v", ok, r)
	}
	if _, ok := w.Check(36 * second); ok {
		t.Error("a link that has fallen silent is reported")
	}
}

func TestAnErrorSaysWhatCameAndWhatToTry(t *testing.T) {
	err := &Error{Report{12*second + 1, 300, "ff00"}, "set baud: 57600"}
	want := "300 bytes in 12 s, and no message among them (the newest: ff00): set baud: 57600"
	if err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}
