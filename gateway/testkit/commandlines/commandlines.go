// Package commandlines finds the command lines that manuals tell people to type, so that
// tests can ask whether a program takes them.
package commandlines

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Line is a command line in a page of Markdown.
type Line struct {
	Where string   // "deploy/END.md:12"
	Words []string // what follows the program's name, without quotes
	// Whole is true of a line in a block of code, which is meant to be typed as it is. Others are
	// mentioned in a sentence, and may lack arguments.
	Whole bool
}

var (
	// ends are where a shell ends one command: a comment, a pipe, a list, a redirection.
	ends = regexp.MustCompile(`(^|\s)#|\s[|;&<>]|;\s|\)$`)
	span = regexp.MustCompile("`([^`]+)`")
	lead = regexp.MustCompile(`^(\$ |# |sudo |[A-Z_]+=\S* |ExecStart=)+`)
)

// Of returns the command lines of a program in the Markdown files that match the
// patterns, which are relative to root, the folder of the repository.
func Of(root, program string, patterns ...string) ([]Line, error) {
	var out []Line
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, fmt.Errorf("look for %s: %w", pattern, err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("there is no %s in %s", pattern, root)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				return nil, err
			}
			out = append(out, in(name, program, string(text))...)
		}
	}
	return out, nil
}

// in returns the command lines of a page.
func in(name, program, text string) (out []Line) {
	fence, begun, at := false, "", 0
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") {
			fence, begun = !fence, ""
			continue
		}
		if !fence {
			for _, m := range span.FindAllStringSubmatch(line, -1) {
				if words, ok := words(program, m[1]); ok {
					out = append(out, Line{fmt.Sprintf("%s:%d", name, i+1), words, false})
				}
			}
			continue
		}
		if begun == "" {
			at = i + 1
		}
		if more, ok := strings.CutSuffix(trimmed, `\`); ok {
			begun += more
			continue
		}
		if words, ok := words(program, begun+trimmed); ok {
			out = append(out, Line{fmt.Sprintf("%s:%d", name, at), words, true})
		}
		begun = ""
	}
	return out
}

// words splits a line as a shell does, and reports whether it begins with the program.
func words(program, line string) ([]string, bool) {
	line = lead.ReplaceAllString(line, "")
	first, rest, more := strings.Cut(line, " ")
	if filepath.Base(first) != program || !more && first == program {
		return nil, false
	}
	var out []string
	var word strings.Builder
	quote, any := rune(0), false
	if at := ends.FindStringIndex(unquoted(rest)); at != nil {
		rest = rest[:at[0]]
	}
	for _, r := range rest + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, any = r, true
		case quote == 0 && r == ' ':
			if w := word.String(); (any || w != "") && w != "…" && w != "..." {
				out = append(out, w)
			}
			word.Reset()
			any = false
		default:
			word.WriteRune(r)
		}
	}
	return out, true
}

// unquoted returns a text of the same length in which what is quoted has no special characters.
func unquoted(text string) string {
	out, quote := []byte(text), byte(0)
	for i, c := range out {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != 0:
			out[i] = 'x'
		}
	}
	return string(out)
}
