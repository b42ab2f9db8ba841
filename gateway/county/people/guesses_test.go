package people

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	office  = netip.MustParseAddr("10.0.0.1")
	outside = netip.MustParseAddr("203.0.113.9")
)

// far returns an address of another place for each n.
func far(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)}) }

func TestARightPasswordIsNotCounted(t *testing.T) {
	g := newGuesses()
	for n := range 3 * freePlace {
		a := attempt{name: fmt.Sprint("wang", n%2), from: office}
		if wait := g.try(a, t0); wait != 0 {
			t.Fatalf("log-in %d waits for %s", n+1, wait)
		}
		g.right(a, t0)
	}
}

// A thousand guesses cost a patient guesser a day, and nobody else their log-in.
func TestAThousandPatientGuessesTakeADay(t *testing.T) {
	now := t0
	g := newGuesses()
	for n := 0; n < 1000; {
		if wait := g.try(attempt{name: "wang", from: outside}, now); wait > 0 {
			now = now.Add(wait)
			continue
		}
		n++
		if wait := g.account(attempt{name: "wang", from: office}, now); wait > 0 {
			t.Fatalf("after %d guesses a guesser elsewhere locks the user out for %s", n, wait)
		}
	}
	if spent := now.Sub(t0); spent < 24*time.Hour {
		t.Errorf("a thousand guesses take %s", spent)
	}
}

// Guessers at many places use an account's attempts up. The office where somebody
// has logged in, and browsers that are known, do not notice.
func TestManyGuessersLockOnlyStrangersOut(t *testing.T) {
	g := newGuesses()
	g.right(attempt{name: "li", from: office}, t0)
	now, admitted := t0, 0
	for n := range 5000 {
		now = now.Add(time.Second)
		if g.try(attempt{name: "wang", from: far(n)}, now) == 0 {
			admitted++
		}
	}
	if most := accountBurst + int(now.Sub(t0)/accountEvery) + 1; admitted > most {
		t.Errorf("%d guesses were compared, more than %d", admitted, most)
	}
	if g.try(attempt{name: "wang", from: outside}, now) == 0 {
		t.Error("a stranger at a place that nobody knows is let in between them")
	}
	for _, a := range []attempt{
		{name: "wang", from: office}, {name: "wang", from: outside, browser: "b"}, {name: "li", from: outside},
	} {
		if wait := g.try(a, now); wait != 0 {
			t.Errorf("%+v waits for %s", a, wait)
		}
	}
}

// One customer has all addresses of an IPv6 network of 64 bits.
func TestAPlaceIsANetworkOfIPv6(t *testing.T) {
	g := newGuesses()
	admitted := 0
	for n := range 1000 {
		from := netip.MustParseAddr(fmt.Sprintf("2001:db8:1:2:%x::%x", n, n))
		if g.try(attempt{name: fmt.Sprint("wang", n), from: from}, t0) == 0 {
			admitted++
		}
	}
	if admitted != freePlace {
		t.Errorf("%d guesses from one network were compared", admitted)
	}
	if g.try(attempt{name: "wang", from: netip.MustParseAddr("2001:db8:1:3::1")}, t0) != 0 {
		t.Error("the neighbouring network waits, too")
	}
}

func TestAnAttemptThatWasNotCheckedCostsNothing(t *testing.T) {
	for _, a := range []attempt{{name: "wang", from: outside}, {name: "wang", from: outside, browser: "b"}} {
		g := newGuesses()
		for n := range 100 {
			if wait := g.try(a, t0); wait != 0 {
				t.Fatalf("attempt %d waits for %s", n, wait)
			}
			g.uncount(a, t0)
		}
	}
}

// Whatever strangers try, in whatever order: a known browser waits for its own
// wrong attempts only, no wait is longer than the longest, and the tables stay
// bounded.
func TestStrangersCannotDelayAKnownBrowser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, alone := newGuesses(), newGuesses()
		now := t0
		mine := attempt{name: "wang", from: office, browser: "mine"}
		for range rapid.IntRange(1, 200).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "pause")) * time.Second)
			a := attempt{
				name: rapid.SampledFrom([]string{"wang", "li", "", "wang "}).Draw(t, "name"),
				from: rapid.SampledFrom([]netip.Addr{office, outside, far(1), {}}).Draw(t, "from"),
			}
			if g.try(a, now) > longestWait {
				t.Fatal("a wait is too long")
			}
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				g.wrong(a, now)
			case 1:
				g.uncount(a, now)
			case 2:
				if x, y := g.try(mine, now), alone.try(mine, now); x != y {
					t.Fatalf("the known browser waits for %s, without strangers for %s", x, y)
				}
			}
		}
	})
}

// Nobody compares more passwords than the limits allow, in any order of attempts
// of any length, from one place.
func TestOnePlaceComparesFewPasswords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGuesses()
		now, admitted := t0, map[string]int{}
		for n := range rapid.IntRange(1, 300).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "pause")) * time.Millisecond)
			name := fmt.Sprint("name", n%rapid.IntRange(1, 5).Draw(t, "names"))
			if a := (attempt{name: name, from: outside}); g.try(a, now) == 0 {
				admitted[name]++
				admitted[""]++
				g.wrong(a, now)
			}
		}
		// Waits of 1, 2, 4 … seconds follow the free ones: 300 attempts last 600 s at most.
		for name, n := range admitted {
			if most := freeName + 10; name != "" && n > most {
				t.Fatalf("%d passwords were compared for %s", n, name)
			}
		}
		if n := admitted[""]; n > freePlace+10 {
			t.Fatalf("%d passwords were compared", n)
		}
	})
}

func TestTheTablesAreBoundedAndTheNewestStay(t *testing.T) {
	g := newGuesses()
	now := t0
	for n := range maxGuessKeys + 50 {
		now = now.Add(time.Millisecond)
		a := attempt{
			name: fmt.Sprint("name", n),
			from: netip.AddrFrom4([4]byte{20, byte(n >> 16), byte(n >> 8), byte(n)}),
		}
		g.try(a, now)
		g.right(a, now)
		g.try(a, now)
		g.try(attempt{name: "x", browser: fmt.Sprint(n)}, now)
	}
	for name, n := range map[string]int{"browsers": len(g.browsers.bad.rows), "names": len(g.names.bad.rows),
		"places": len(g.places.bad.rows), "good": len(g.good.rows), "accounts": len(g.accounts.rows)} {
		if n > maxGuessKeys {
			t.Errorf("%d %s are remembered", n, name)
		}
	}
	if _, ok := g.places.bad.seen("20.0.39.65"); !ok || g.browsers.bad.get(fmt.Sprint(maxGuessKeys+49)).n == 0 {
		t.Error("the newest ones were forgotten")
	}
}
