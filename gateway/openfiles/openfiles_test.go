package openfiles

import "testing"

func TestSharesAddUpToTheLimit(t *testing.T) {
	for limit, want := range map[int]shares{
		0: {16, 16}, 128: {16, 16}, 256: {16, 37}, 1024: {112, 261}, 4096: {496, 1157},
		65536: {1024, 16384}, 1 << 30: {1024, 16384},
	} {
		got := share(limit)
		if got != want {
			t.Errorf("of %d: %+v, want %+v", limit, got, want)
		}
		if limit >= 256 && got.pages+perAgent*got.clients+reserved > limit {
			t.Errorf("of %d: %+v add up to more", limit, got)
		}
	}
	if Pages() < fewest || Clients() < fewest {
		t.Error("no place for anybody")
	}
}

func TestTooFewOpenFilesAreKnown(t *testing.T) {
	if n, few := Few(); few != (n < Enough) || n != limit() {
		t.Errorf("%d, %v", n, few)
	}
}
