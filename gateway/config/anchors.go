package config

import (
	"errors"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// mostAliases bounds what the aliases (*name) of a file stand for: a few lines whose
// anchors contain each other's aliases could fill the memory.
const mostAliases = 10_000

// checkAliases returns an error when an anchor contains itself, which the YAML library
// can't survive, or when the aliases stand for too much. A text that can't be parsed
// has no error here: decoding it gives a better one.
func checkAliases(b []byte) error {
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	a := aliases{found: &found{stands: map[string]int{}}}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			ast.Walk(a, doc.Body)
		}
	}
	return a.err
}

// aliases visits the nodes of a file.
type aliases struct {
	*found
	inside []string // anchors around the node
}

type found struct {
	stands map[string]int // by anchor: how many aliases it contains, those in their anchors included
	total  int
	err    error
}

// Visit implements ast.Visitor.
func (a aliases) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.AnchorNode:
		name := n.Name.String()
		a.stands[name] = 0
		return aliases{a.found, append(slices.Clone(a.inside), name)}
	case *ast.AliasNode:
		a.add(n.Value.String(), n.GetToken().Position.Line)
	}
	if a.err != nil {
		return nil
	}
	return a
}

// add counts an alias in all anchors around it.
func (a aliases) add(name string, line int) {
	count := a.stands[name] + 1
	a.total += count
	for _, anchor := range a.inside {
		a.stands[anchor] += count
	}
	switch {
	case a.err != nil:
	case slices.Contains(a.inside, name):
		a.err = fmt.Errorf("line %d: *%s stands inside &%s itself, a circle without end: write out what is meant",
			line, name, name)
	case a.total > mostAliases:
		a.err = errors.New("its aliases (*name) stand for too much: write out what is meant")
	}
}
