package term

import (
	"strings"
	"testing"
)

func TestColumnsAreAlignedWithChineseText(t *testing.T) {
	var b strings.Builder
	err := New(&b).Table([]string{"小区", "STATE"}, [][]string{{"丽景苑", "ok"}, {"x", "gone"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "小区    STATE\n丽景苑  ok\nx       gone\n"
	if b.String() != want {
		t.Fatalf("got\n%swant\n%s", b.String(), want)
	}
}

func TestNoColourWithoutATerminal(t *testing.T) {
	if got := New(&strings.Builder{}).Paint(Danger, "x"); got != "x" {
		t.Fatalf("got %q", got)
	}
}

func TestCleanReplacesControlCharacters(t *testing.T) {
	if got := Clean("a\x1b]0;x\x07\u009bb\n丽"); got != "a?]0;x??b?丽" {
		t.Fatalf("got %q", got)
	}
}
