package config

import (
	"bytes"
	"strings"

	"github.com/goccy/go-yaml"
)

// Line returns the line of a file's text, from 1, on which the value of a key stands;
// 0: it has none. keys lead to the value: "classes", "resident", "windows[1]".
func Line(text []byte, keys ...string) int {
	path := "$"
	for _, k := range keys {
		name, index, _ := strings.Cut(k, "[")
		if strings.ContainsAny(name, "'\\") {
			return 0
		}
		path += ".'" + name + "'"
		if index != "" {
			path += "[" + index
		}
	}
	p, err := yaml.PathString(path)
	if err != nil {
		return 0
	}
	node, err := p.ReadNode(bytes.NewReader(text))
	if err != nil || node == nil || node.GetToken() == nil {
		return 0
	}
	return node.GetToken().Position.Line
}
