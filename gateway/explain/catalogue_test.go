package explain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/explain"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/web"
	"gatehouse/gateway/wire"
)

// zone is the county's.
var zone = time.FixedZone("CST", 8*60*60)

// words returns the texts of a language.
func words(t *testing.T, lang string) explain.Words {
	t.Helper()
	w, err := web.Words(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// files parses the sources that match, without tests.
func files(t *testing.T, pattern string) (all []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// text returns a string literal; is is false for anything else.
func text(e ast.Expr) (s string, is bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// catalogue returns the reasons of package fact.
func catalogue(t *testing.T) (reasons []fact.Reason) {
	for _, f := range files(t, "../fact/*.go") {
		ast.Inspect(f, func(n ast.Node) bool {
			v, is := n.(*ast.ValueSpec)
			if !is || len(v.Values) != 1 || !strings.HasPrefix(v.Names[0].Name, "Reason") {
				return true
			}
			if s, is := text(v.Values[0]); is {
				reasons = append(reasons, fact.Reason(s))
			}
			return true
		})
	}
	if len(reasons) < 30 {
		t.Fatalf("%d reasons: this test is out of date", len(reasons))
	}
	return reasons
}

// rules returns the rules that the engine can name, as RuleOf names them.
func rules(t *testing.T) []string {
	found := map[string]bool{"classes": true}
	take := func(e ast.Expr) {
		ast.Inspect(e, func(n ast.Node) bool {
			if c, is := n.(*ast.CallExpr); is {
				if s, named := c.Fun.(*ast.SelectorExpr); named && s.Sel.Name == "rule" {
					for _, arg := range c.Args {
						ast.Inspect(arg, func(n ast.Node) bool {
							if lit, is := n.(*ast.BasicLit); is {
								s, _ := text(lit)
								found[explain.RuleOf("classes.x."+s)] = true
							}
							return true
						})
					}
					return false
				}
			}
			if lit, is := n.(*ast.BasicLit); is {
				if s, is := text(lit); is && s != "classes." {
					found[s] = true
				}
			}
			return true
		})
	}
	for _, f := range files(t, "../policy/engine/*.go") {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				s, is := n.Fun.(*ast.SelectorExpr)
				if is && (s.Sel.Name == "refuse" || s.Sel.Name == "note") {
					take(n.Args[1])
				}
			case *ast.KeyValueExpr:
				if k, is := n.Key.(*ast.Ident); is && k.Name == "Rule" {
					take(n.Value)
				}
			}
			return true
		})
	}
	var out []string
	for rule := range found {
		out = append(out, rule)
	}
	slices.Sort(out)
	if len(out) < 20 {
		t.Fatalf("rules %q: this test is out of date", out)
	}
	return out
}

// full returns a passage of which everything is known.
func full(v fact.Verdict, r fact.Reason, rule string) *wire.Passage {
	at := wire.At(time.Date(2020, 2, 14, 0, 0, 0, 0, time.UTC))
	return &wire.Passage{Verdict: v, Reasons: []fact.Reason{r}, Instruction: fact.InstructTurnAway, Lane: "north",
		Direction: fact.DirectionOut, Class: "resident", Credential: "0123456789abcdef", Readings: []uint64{1},
		Policy: "7", Limits: wire.Limits{Fever: 3730, InvalidBelow: 3500, PairingMS: 8000,
			Usual: &wire.Usual{Ambient: 2000, Readings: 120, Median: 3640, Spread: 20, High: 3700}},
		Temperature: &wire.Temperature{Object: 3300, Offset: 360, Screening: 3660, Ambient: 2000, RatedMin: 1600,
			RatedMax: 3500, Background: 3400, Samples: 7, DurationMS: 1400},
		Entered:  &wire.Entered{Value: 3670, With: fact.HandHeldContact},
		Override: &wire.Override{Guard: "east-1", Reason: "medical", Against: fact.VerdictRefuse},
		Basis: &wire.Basis{Rule: rule, At: &at, Household: "fedcba9876543210", Used: 1, Times: 1, Last: &at,
			Next: &at}}
}

// bothLanguages returns the texts by language.
func bothLanguages(t *testing.T) map[string]explain.Words {
	return map[string]explain.Words{"zh": words(t, "zh"), "en": words(t, "en")}
}

// complete checks that the words of each sentence are there, and have its values.
func complete(t *testing.T, both map[string]explain.Words, p *wire.Passage) {
	t.Helper()
	for lang, w := range both {
		for _, s := range explain.Passage(p, zone) {
			said, known := w[s.Code]
			if !known {
				t.Errorf("%s: there are no words for %s", lang, s.Code)
				continue
			}
			for name := range s.With {
				if !strings.Contains(said, "{"+name+"}") {
					t.Errorf("%s: %s does not say %s", lang, s.Code, name)
				}
			}
			for name, code := range s.Words {
				if !strings.Contains(said, "{"+name+"}") || w[code] == "" {
					t.Errorf("%s: %s does not say %s, or %s has no words", lang, s.Code, name, code)
				}
			}
			for _, hole := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(said, -1) {
				if s.With[hole[1]] == "" && s.Words[hole[1]] == "" {
					t.Errorf("%s: %s has no value for %s", lang, s.Code, hole[1])
				}
			}
			if strings.ContainsAny(w.Text(s), "{}") {
				t.Errorf("%s: %s", lang, w.Text(s))
			}
		}
	}
}

func TestEveryReasonIsExplained(t *testing.T) {
	harmless := []fact.Reason{fact.ReasonNormal, fact.ReasonEntered, fact.ReasonNotMeasured, fact.ReasonOpening,
		fact.ReasonClockUnknown, fact.ReasonLetPass} // they never stop anybody
	both := bothLanguages(t)
	for _, r := range catalogue(t) {
		for _, v := range []fact.Verdict{fact.VerdictPass, fact.VerdictRetest, fact.VerdictInvalid, fact.VerdictRefuse,
			fact.VerdictFever} {
			p := full(v, r, "classes.resident.quota")
			complete(t, both, p)
			said := func(part explain.Part) bool {
				is := func(s explain.Sentence) bool { return s.Part == part }
				return slices.ContainsFunc(explain.Passage(p, zone), is)
			}
			if !said(explain.PartBecause) {
				t.Errorf("%s, %s: no sentence says why", v, r)
			}
			if refused := v == fact.VerdictRefuse; refused && said(explain.PartPass) == slices.Contains(harmless, r) {
				t.Errorf("%s: says what would have let them pass: %v", r, said(explain.PartPass))
			}
			p.Basis, p.Temperature, p.Entered, p.Override = nil, nil, nil, nil // of an old version
			complete(t, both, p)
		}
	}
}

func TestEveryRuleIsExplained(t *testing.T) {
	both := bothLanguages(t)
	for _, rule := range rules(t) {
		path := strings.Replace(rule, "classes", "classes.feed.truck", 1)
		if rest, is := strings.CutPrefix(rule, "classes."); is {
			path = "classes.feed." + rest + "[2]"
		} else if rule == "classes" {
			path = "classes.resident"
		}
		if explain.RuleOf(path) != rule {
			t.Errorf("%s is called %s", path, explain.RuleOf(path))
		}
		complete(t, both, full(fact.VerdictRefuse, fact.ReasonQuota, path))
	}
}
