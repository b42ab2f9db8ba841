package people

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"
)

// user makes a user with the good password, or sets it anew. Its hash is the
// cheapest one: race detection makes the real ones take seconds.
func user(t *testing.T, p *People, name string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(good), bcrypt.MinCost)
	if err == nil {
		_, err = p.file.Exec(t.Context(), "INSERT OR REPLACE INTO users (name, hash, created) VALUES (?, ?, 0)",
			name, hash)
	}
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
	if _, err = p.Login(t.Context(), Visitor{office, known.Browser}, " wang ", good); err != nil {
		t.Errorf("the known browser: %v", err)
	}
	if _, err = p.Login(t.Context(), Visitor{office, known.Browser[1:]}, "wang", good); err == nil {
		t.Error("a browser with a changed token is let through")
	}
	err = nil
	if n := guess(Visitor{outside, known.Browser}); n > freeBrowser+1 {
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
		hash, _, err := p.passwordOf(context.Background(), name)
		if err != nil {
			t.Fatal(err)
		}
		number, err := p.number(ctx, tokens, name, hash)
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
	key, hash := bytes.Repeat([]byte{1}, 32), []byte(noHash)
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
	key, hash := bytes.Repeat([]byte{1}, 32), []byte(noHash)
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
