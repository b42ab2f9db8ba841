package people

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"
)

// kept returns the hash of a user's password.
func kept(t *testing.T, p *People, name string) string {
	t.Helper()
	u, err := p.account(t.Context(), p.file.Reader(), name)
	if err != nil || !u.known {
		t.Fatal(u, err)
	}
	return string(u.hash)
}

func TestAnOldHashIsRenewedAtTheLogIn(t *testing.T) {
	p := realPeople(t)
	user(t, p, "wang")
	bcrypted, err := bcrypt.GenerateFromPassword([]byte(good), bcrypt.MinCost)
	if err == nil {
		_, err = p.file.Exec(t.Context(), "UPDATE users SET hash = ?", bcrypted)
	}
	if err != nil {
		t.Fatal(err)
	}
	before := kept(t, p, "wang")
	if _, err := p.Login(t.Context(), Visitor{}, "wang", "wrong horse"); !errors.Is(err, ErrPassword) {
		t.Fatal(err)
	}
	if kept(t, p, "wang") != before {
		t.Error("a wrong password renews the hash")
	}
	enter(t, p, "wang")
	after := kept(t, p, "wang")
	if !old([]byte(before)) || !owasp.current([]byte(after)) {
		t.Errorf("%s became %s", before, after)
	}
	enter(t, p, "wang")
	if again := kept(t, p, "wang"); again != after {
		t.Errorf("%s became %s", after, again)
	}
}

func TestTheHashesOfNobodyCostWhatOthersCost(t *testing.T) {
	if !owasp.current(owasp.nobody()) {
		t.Error("an unknown name takes another time than a known one")
	}
	if cost, err := bcrypt.Cost([]byte(oldNoHash)); err != nil || cost != 11 {
		t.Errorf("bcrypt of cost %d: %v", cost, err)
	}
	if fits(owasp.nobody(), "") || fits([]byte(oldNoHash), "") {
		t.Error("somebody is let in")
	}
}

// A Chinese keyboard may type digits and letters in full width.
func TestTheSameCharactersAreTheSamePassword(t *testing.T) {
	hash := owasp.hash("Kafei7２3杯茶！")
	if !fits(hash, "Ｋａｆｅｉ７23杯茶!") || fits(hash, "Kafei723杯茶") {
		t.Error("another way to type it is another password, or anything is let in")
	}
}

func TestOnlyBoundedHashesAreCompared(t *testing.T) {
	text := string(owasp.hash(good))
	for name, change := range map[string][2]string{
		"a gigabyte":    {"m=19456", "m=1048576"},
		"passes":        {"t=2", "t=4294967295"},
		"threads":       {"p=1", "p=200"},
		"none":          {"t=2", "t=0"},
		"another kind":  {"argon2id", "argon2i"},
		"a version":     {"v=19", "v=16"},
		"spaces":        {"t=2", "t= 2"},
		"an empty salt": {strings.Split(text, "$")[4], ""},
		"a short key":   {strings.Split(text, "$")[5], "AAAA"},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if _, ok := parseHash(changed); ok || changed == text || fits([]byte(changed), good) {
			t.Errorf("%s: %s", name, changed)
		}
	}
	if _, ok := parseHash(text); !ok || !fits([]byte(text), good) {
		t.Error(text)
	}
}

func FuzzParseHash(f *testing.F) {
	for _, s := range []string{string(owasp.nobody()), oldNoHash, "", "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if h, ok := parseHash(text); ok && (h.String() != text || h.memory > mostMemoryKiB || h.passes > mostPasses) {
			t.Errorf("%q became %s", text, h)
		}
	})
}

func TestCommonPasswords(t *testing.T) {
	for _, bad := range []string{
		"1234567890", "0123456789", "0987654321", "password123", "Password1!", "P@ssw0rd2020", "qwertyuiop",
		"1qaz2wsx3edc",
		"aaaaaaaaaa", "abcabcabcabc", "a123456789", "woaini1314", "woaini520520", "zhang123456", "13812345678",
		"20200214wang", "Qinghe@2020!", "wuhanjiayou", "admin@12345", "administrator", "gatehouse2020", "王小明123456",
		"ｐａｓｓｗｏｒｄ123", "1234512345", "88888888888", "asdfghjkl123", "abcd123456", "密码密码密码密码密码", "5201314520",
		"qq123456789", "一二三四五六七八九十", "wang xiaoming1", "19900101 1990",
	} {
		if !common("王小明", bad) && !common("wang xiaoming", bad) {
			t.Errorf("%s is taken", bad)
		}
	}
	for _, fine := range []string{
		good, "correct horse battery", "looks at the desk", "another horse", "xK7#mQ2vR9", "taken over!!", "咖啡凉了再热一杯茶",
		"wang likes rain", "Kafei7２3杯茶", "8f3a91c07be2",
	} {
		if common("wang", fine) {
			t.Errorf("%s is refused", fine)
		}
	}
}

// Whatever the password: its own repetition and capitals make it no better.
func TestRepeatingAPasswordDoesNotHelp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 12, 60).Draw(t, "text")
		if common("", text) && !common("", strings.Repeat(text, rapid.IntRange(2, 5).Draw(t, "times"))) {
			t.Fatalf("%q", text)
		}
	})
}
