package panel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
)

// constants returns the constants of a type in a Go file.
func constants(t *testing.T, file, of string) (out []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) == 0 {
			return true
		}
		if id, ok := v.Type.(*ast.Ident); !ok || id.Name != of {
			return true
		}
		for _, x := range v.Values {
			s, err := strconv.Unquote(x.(*ast.BasicLit).Value) //nolint:errcheck,forcetypeassert // codes are literals
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return true
	})
	if len(out) < 5 {
		t.Fatalf("%s has only %d constants of %s", file, len(out), of)
	}
	return out
}

// Every text has room on the display, in both languages, and all its characters have
// glyphs.
func TestEveryTextFitsTheDisplay(t *testing.T) {
	f, err := parseFont(unifont)
	if err != nil {
		t.Fatal(err)
	}
	check := func(x text, most int) {
		for _, s := range []string{x.zh, x.en} {
			if w := f.width(s); w > most {
				t.Errorf("%q is %d pixels wide, there is room for %d", s, w, most)
			}
			for _, r := range s {
				if _, ok := f[r]; !ok {
					t.Errorf("%q: no glyph of %q", s, r)
				}
			}
		}
	}
	for _, l := range constants(t, "../kiosk/look.go", "Look") {
		w := wordsOf(kiosk.Look(l))
		check(w.big, (countX-bigX)/bigSize+2)
		check(w.what, Width)
		check(w.order, Width)
	}
	for _, r := range constants(t, "../../fact/reason.go", "Reason") {
		what, order, ok := reasonWords(fact.Reason(r))
		if !ok {
			t.Errorf("a display has no words for the reason %s: add them in words.go", r)
		}
		check(what, Width)
		check(order, Width)
	}
	for _, kind := range []string{"thermometer", "doubtful", "reader", "journal", "display", "nobody-passes"} {
		what, order, ok := faults(kind)
		if !ok {
			t.Errorf("no words for the fault %s", kind)
		}
		check(what, Width)
		check(order, Width)
	}
	for _, code := range []string{"temperature", "card", "by-hand", "nothing"} {
		if what, ok := asks(code); !ok {
			t.Errorf("no words for %s", code)
		} else {
			check(what, Width)
		}
	}
	for _, i := range constants(t, "../../fact/fact.go", "Instruction") {
		check(feverOrder(fact.Instruction(i)), Width)
	}
}

// A value is cut off, not rounded: 37.29 is below a limit of 37.3.
func TestATemperatureIsCutOffToTenths(t *testing.T) {
	for v, want := range map[fact.Temp]string{3729: "37.2", 3730: "37.3", 3650: "36.5", 3499: "34.9"} {
		if got := tenths(v); got != want {
			t.Errorf("%s is shown as %s, want %s", v, got, want)
		}
	}
}

func TestAFontWithAWrongLineIsRefused(t *testing.T) {
	for _, s := range []string{"zz:00", "41:00", "41:zz", "41"} {
		if _, err := parseFont(s + "\n"); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

func FuzzFont(f *testing.F) {
	f.Add("41:00000000182424427E42424242420000\n")
	f.Add("# x\n\n")
	f.Fuzz(func(t *testing.T, s string) {
		glyphs, err := parseFont(s)
		if err != nil {
			return
		}
		for r, g := range glyphs {
			if g.width != 8 && g.width != 16 {
				t.Errorf("%q is %d wide", r, g.width)
			}
		}
	})
}
