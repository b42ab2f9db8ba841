package mapped

import (
	"slices"
	"strings"
	"testing"
)

const smaps = `00400000-01627000 r-xp 00000000 fe:00 12 /usr/bin/gate house
Size:              18364 kB
Rss:               12044 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
01627000-028e7000 r--p 01227000 fe:00 12 /usr/bin/gate house
Rss:               12888 kB
Anonymous:             0 kB
028e7000-028f7000 r--p 024e7000 fe:00 12 /usr/bin/gate house
Rss:                  64 kB
Anonymous:            64 kB
028f7000-029fc000 rw-p 024f7000 fe:00 12 /usr/bin/gate house
Rss:                 672 kB
Anonymous:             0 kB
c000000000-c000800000 rw-p 00000000 00:00 0
Rss:                4096 kB
Anonymous:          4096 kB
7f0000000000-7f0000001000 r--p 00000000 fe:00 13 /usr/lib/libc.so.6
Rss:                   4 kB
Anonymous:             0 kB
`

func TestOnlyMappingsThatNobodyWroteToAreReleased(t *testing.T) {
	got, err := clean(strings.NewReader(smaps), "/usr/bin/gate house")
	want := []span{{0x400000, 0x1627000, 12044 << 10}, {0x1627000, 0x28e7000, 12888 << 10}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %x, %v", got, err)
	}
	if got, err := clean(strings.NewReader(smaps), "/usr/bin/other"); len(got) != 0 || err != nil {
		t.Errorf("of another program: %x, %v", got, err)
	}
}

func TestWhatIsNoListOfMappingsIsAnError(t *testing.T) {
	for _, text := range []string{
		"x r-xp 0 fe:00 12 /p\n", "2-1 r-xp 0 fe:00 12 /p\n", "1 r-xp 0 fe:00 12 /p\n",
		"1-2 r-xp 0 fe:00 12 /p\nRss: many kB\n",
	} {
		if got, err := clean(strings.NewReader(text), "/p"); err == nil {
			t.Errorf("%q: %x", text, got)
		}
	}
}

// The test's own program goes on after its pages were given back.
func TestTheProgramGoesOn(t *testing.T) {
	released, err := Release()
	if err != nil || released < 100<<10 {
		t.Fatalf("%d bytes, %v", released, err)
	}
	if !slices.IsSorted(strings.Fields("a b c")) {
		t.Error("it does not")
	}
}
