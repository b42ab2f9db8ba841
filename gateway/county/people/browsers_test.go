package people

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// cheapHash is of the good password. It is the cheapest one: race detection makes the
// real ones take long.
func cheapHash() []byte {
	h := hashed{memory: 8, passes: 1, threads: 1, salt: make([]byte, saltSize)}
	rand.Read(h.salt)
	h.key = h.of(good, hashSize)
	return []byte(h.String())
}

// user makes a user with the good password, or sets it anew.
func user(t *testing.T, p *People, name string) {
	t.Helper()
	_, err := p.file.Exec(t.Context(), "INSERT OR REPLACE INTO users (name, hash, created) VALUES (?, ?, 0)",
		name, cheapHash())
	if err != nil {
		t.Fatal(err)
	}
}

func TestAKnownBrowserIsLetThroughWhileOthersGuess(t *testing.T) {
	p := newPeople(t)
	user(t, p, "wang")
	known, err := p.Login(t.Context(), Visitor{From: office}, "wang", good)
	if err != nil {
		t.Fatal(err)
	}
	p.guesses.good = table[struct{}]{} // as after a restart
	guess := func(v Visitor) (n int) {
		var wait WaitError
		for ; !errors.As(err, &wait) && n < 100; n++ {
			_, err = p.Login(t.Context(), v, "wang", "guess guess")
		}
		return n
	}
	if n := guess(Visitor{From: office}); n > freeName+1 { // behind the same router
		t.Fatalf("%d guesses", n)
	}
	if _, err = p.Login(t.Context(), Visitor{From: office, Browser: known.Browser}, " wang ", good); err != nil {
		t.Errorf("the known browser: %v", err)
	}
	if _, err = p.Login(t.Context(), Visitor{From: office, Browser: known.Browser[1:]}, "wang", good); err == nil {
		t.Error("a browser with a changed token is let through")
	}
	err = nil
	if n := guess(Visitor{From: outside, Browser: known.Browser}); n > freeBrowser+1 {
		t.Errorf("with a stolen token %d guesses", n)
	}
}

func TestATokenIsForOneUserUntilTheNextPassword(t *testing.T) {
	p := newPeople(t)
	user(t, p, "wang")
	user(t, p, "li")
	ctx := t.Context()
	tokens, err := p.Remember(ctx, "", "wang")
	if err == nil {
		tokens, err = p.Remember(ctx, tokens, "li")
	}
	if err != nil {
		t.Fatal(err)
	}
	known := func(name string) bool {
		u, err := p.account(context.Background(), p.file.Reader(), name)
		if err != nil {
			t.Fatal(err)
		}
		number, err := p.number(ctx, tokens, name, u.hash)
		if err != nil {
			t.Fatal(err)
		}
		return number != ""
	}
	if !known("wang") || !known("li") || known("zhao") {
		t.Error("a browser of two users is not known for just these")
	}
	p.now = func() time.Time { return t0.Add(BrowserFor) }
	if known("wang") {
		t.Error("it is known for ever")
	}
	p.now = func() time.Time { return t0 }
	user(t, p, "wang") // again: a new password
	if known("wang") || !known("li") {
		t.Error("the token outlives the password")
	}
}

func TestTokensHaveABound(t *testing.T) {
	key, hash := bytes.Repeat([]byte{1}, 32), owasp.nobody()
	tokens := strings.Repeat("x.", 5000)
	for n := range 50 {
		tokens = remember(key, tokens, strings.Repeat("n", n%30), hash, t0)
	}
	if n := strings.Count(tokens, ".") + 1; n != maxBrowsers || len(tokens) > 60*maxBrowsers {
		t.Errorf("%d tokens in %d bytes", n, len(tokens))
	}
}

// Whatever a browser sends as its tokens: only what was signed counts.
func TestOnlySignedTokensCount(t *testing.T) {
	key, hash := bytes.Repeat([]byte{1}, 32), owasp.nobody()
	rapid.Check(t, func(t *rapid.T) {
		signed := remember(key, "", "wang", hash, t0)
		b := []byte(signed)
		at := rapid.IntRange(0, len(b)-2).Draw(t, "at") // of the last character some bits are not used
		b[at] = rapid.ByteRange('A', 'z').Draw(t, "by")
		number, _ := recognise(key, string(b), "wang", hash, t0)
		if changed := string(b) != signed; changed && number != "" {
			t.Fatalf("%s counts, signed was %s", b, signed)
		}
		junk := rapid.String().Draw(t, "junk")
		if number, _ := recognise(key, junk, "wang", hash, t0); number != "" {
			t.Fatalf("%q counts", junk)
		}
		if number, _ := recognise(key, junk+"."+signed, "wang", hash, t0); number == "" {
			t.Fatalf("beside %q it does not count", junk)
		}
	})
}
