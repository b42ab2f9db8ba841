package web

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed src/words/zh.json src/words/en.json
var words embed.FS

// Words returns the texts of the desk in a language, zh or en, by code.
func Words(lang string) (map[string]string, error) {
	b, err := words.ReadFile("src/words/" + lang + ".json")
	if err != nil || lang != "zh" && lang != "en" {
		return nil, fmt.Errorf("language %q: use zh or en", lang)
	}
	var all struct {
		Desk map[string]string `json:"desk"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("read the words of language %s: %w", lang, err)
	}
	return all.Desk, nil
}
