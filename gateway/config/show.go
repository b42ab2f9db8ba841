package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Show returns a configuration that is in force as YAML text: values that text, the file
// it was read from, does not have are marked as defaults, and passwords in URLs are left
// out.
func Show[T any](v T, text []byte) ([]byte, error) {
	b, err := Write(v)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseBytes(b, 0)
	if err != nil || len(file.Docs) == 0 {
		return nil, fmt.Errorf("read what was written: %w", err)
	}
	if own, err := Text(text); err == nil {
		text = own
	}
	lines := strings.Split(string(b), "\n")
	leaves(file.Docs[0].Body, nil, func(path []string, n ast.Node) {
		line := &lines[n.GetToken().Position.Line-1]
		value := n.String()
		if redacted := redact(value); redacted != value {
			*line = strings.Replace(*line, value, redacted, 1)
		}
		if value != `""` && find(text, path...) == nil {
			*line += "   # default"
		}
	})
	return []byte(strings.Join(lines, "\n")), nil
}

// redact returns a URL without its password.
func redact(value string) string {
	u, err := url.Parse(strings.Trim(value, `"'`))
	if err != nil || u.User == nil || u.Host == "" {
		return value
	}
	return strings.ReplaceAll(u.Redacted(), ":xxxxx@", ":***@")
}

// leaves calls do with each value of a node that has no values below it, and the keys that
// lead there.
func leaves(n ast.Node, path []string, do func([]string, ast.Node)) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			leaves(v.Value, append(path[:len(path):len(path)], nameOf(v.Key)), do)
		}
	case *ast.SequenceNode:
		for i, v := range n.Values {
			if len(path) > 0 {
				at := append([]string{}, path...)
				at[len(at)-1] += fmt.Sprintf("[%d]", i)
				leaves(v, at, do)
			}
		}
	case *ast.NullNode:
	default:
		do(path, n)
	}
}

// JSON returns YAML text as JSON.
func JSON(text []byte) ([]byte, error) {
	b, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return b, nil
}
