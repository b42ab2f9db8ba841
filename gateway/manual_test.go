package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/web"
)

var (
	kindOf = regexp.MustCompile(`Trouble\w+\s+(?:TroubleKind )?= "([\w-]+)"`)
	entry  = regexp.MustCompile(`(?m)^### (.*) \{#([\w-]+)\}\n`)
)

// kinds returns all that the desk can raise: alarms, and troubles of gates and of the county.
func kinds(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("fact/trouble.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, m := range kindOf.FindAllStringSubmatch(string(text), -1) {
		all[m[1]] = true
	}
	if len(all) < 20 {
		t.Fatalf("%d troubles in fact/trouble.go", len(all))
	}
	for _, a := range fact.Alarms() {
		all[string(a.Type)] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// The desk leads from each alert and trouble to its entry in the runbook, under the name that it shows.
func TestTheRunbookHasEachAlertAndTrouble(t *testing.T) {
	all := kinds(t)
	for lang, parts := range map[string][]string{
		"zh": {"**意思**：", "\n1. ", "**谁来做**："},
		"en": {"**Means**: ", "\n1. ", "**Who**: "},
	} {
		words, err := web.Words(lang)
		if err != nil {
			t.Fatal(err)
		}
		file := "../deploy/manual/" + lang + "/runbook.md"
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := entry.FindAllStringSubmatchIndex(string(text), -1)
		var named []string
		for i, at := range found {
			end := len(text)
			if i+1 < len(found) {
				end = found[i+1][0]
			}
			title, kind, body := string(text[at[2]:at[3]]), string(text[at[4]:at[5]]), string(text[at[1]:end])
			named = append(named, kind)
			if name := words["alert."+kind]; title != name && title != words["trouble."+kind] {
				t.Errorf("%s: %q is %q on the desk", file, title, name)
			}
			for _, part := range parts {
				if !strings.Contains(body, part) {
					t.Errorf("%s: the entry %s has no %q", file, kind, part)
				}
			}
		}
		for _, kind := range all {
			if !slices.Contains(named, kind) {
				t.Errorf("%s has no entry {#%s}: write what it means, what to do, and who", file, kind)
			}
		}
		slices.Sort(named)
		for i, kind := range named {
			if !slices.Contains(all, kind) || i > 0 && named[i-1] == kind {
				t.Errorf("%s: the entry %s is of no alert or trouble, or there twice", file, kind)
			}
		}
	}
}

func TestTheEngineersManualWiresEachModel(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		file := "../deploy/manual/" + lang + "/engineer.md"
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range devices.Catalog() {
			if !strings.Contains(string(text), "`"+m.Name+"`") {
				t.Errorf("%s does not say how %s is wired", file, m.Name)
			}
		}
	}
}
