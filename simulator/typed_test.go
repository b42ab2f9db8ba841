package main

import (
	"strings"
	"testing"

	"gatehouse/gateway/testkit/commandlines"
)

func TestTheManualsTypeCommandsOfTheSimulatorThatThereAre(t *testing.T) {
	n := 0
	for _, program := range []string{"simulator", "gatehouse-simulator"} {
		lines, err := commandlines.Of("..", program, "README.md", "deploy/*.md", "deploy/manual/*/*.md", ".github/*.md",
			"gateway/*.md")
		if err != nil {
			t.Fatal(err)
		}
		n += len(lines)
		for _, l := range lines {
			c, rest, err := newRoot().Find(l.Words)
			if err == nil {
				c.InitDefaultHelpFlag()
				err = c.ParseFlags(rest)
			}
			if err == nil && l.Whole {
				err = c.ValidateArgs(c.Flags().Args())
			}
			if err != nil && (l.Whole || !strings.Contains(err.Error(), "needs an argument")) {
				t.Errorf("%s: %s %s: %v", l.Where, program, strings.Join(l.Words, " "), err)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d command lines", n)
	}
}
