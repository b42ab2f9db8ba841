package config

import (
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Line returns the line of a file's text, from 1, on which the value of a key stands;
// 0: it has none. keys lead to the value: "classes", "resident", "windows[1]".
func Line(text []byte, keys ...string) int {
	node := find(text, keys...)
	if node == nil || node.GetToken() == nil {
		return 0
	}
	return node.GetToken().Position.Line
}

// Lines returns the lines on which the items of a list begin; keys lead to the list.
func Lines(text []byte, keys ...string) []int {
	list, ok := find(text, keys...).(*ast.SequenceNode)
	if !ok {
		return nil
	}
	var lines []int
	for _, item := range list.Values {
		lines = append(lines, item.GetToken().Position.Line)
	}
	return lines
}

// find returns the value of a key; nil: there is none.
func find(text []byte, keys ...string) ast.Node {
	path := "$"
	for _, k := range keys {
		name, index, _ := strings.Cut(k, "[")
		if strings.ContainsAny(name, "'\\") {
			return nil
		}
		path += ".'" + name + "'"
		if index != "" {
			path += "[" + index
		}
	}
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil
	}
	node, err := p.FilterFile(file)
	if err != nil {
		return nil
	}
	return node
}
