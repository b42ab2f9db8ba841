package main

import (
	"bytes"
	"strings"
	"testing"

	"gatehouse/gateway/cli"
)

func TestExitCodesAreAsTheHelpSays(t *testing.T) {
	for line, want := range map[string]struct {
		code int
		out  string
	}{
		"--help":                    {0, "Exit codes: 0 done, 1 failed, 2 wrong usage"},
		"nonsense":                  {2, `unknown command "nonsense"`},
		"prove --no-such-flag":      {2, "see: simulator prove --help"},
		"county":                    {2, `required flag(s) "collector-key", "site-key" not set`},
		"prove --list --json":       {0, "broker-frozen"},
		"prove -o jsonl":            {2, "use table or json"},
		"threats -o csv":            {2, "use table, json or jsonl"},
		"poke":                      {0, "poke GATE WHAT"},
		"poke gate-001":             {2, "what should happen at gate-001? One of pass,"},
		"poke gate-001 a b":         {2, "see: simulator poke --help"},
		"poke gate-001 pass --dir=": {1, "simulator:"},
	} {
		root := newRoot()
		var out bytes.Buffer
		root.SetArgs(strings.Fields(line))
		root.SetOut(&out)
		root.SetErr(&out)
		if code := cli.Execute(t.Context(), root, &out); code != want.code ||
			!strings.Contains(out.String(), want.out) {
			t.Errorf("simulator %s: %d, want %d and %q:\n%s", line, code, want.code, want.out, out.String())
		}
	}
}

func TestWhatComesOneAfterTheOtherIsOneDocument(t *testing.T) {
	for form, want := range map[string]string{
		"table": "one\ntwo\n2 in all\n", "json": "[1,2]\n", "jsonl": "1\n2\n",
	} {
		var out bytes.Buffer
		p := printer[int]{out: &out, form: form}
		p.print(1, "one")
		p.print(2, "two")
		p.end("2 in all")
		if out.String() != want {
			t.Errorf("%s: %q", form, &out)
		}
	}
	var out bytes.Buffer
	none := printer[int]{out: &out, form: "json"}
	if none.end(""); out.String() != "[]\n" {
		t.Errorf("%q", &out)
	}
}
