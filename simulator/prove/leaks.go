package prove

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gatehouse/simulator/leak"
)

// searchLeaks searches all files of the county for the cards of its people and the key of
// their pseudonyms, and describes each one that stands where it may not.
func (p *proof) searchLeaks() ([]string, error) {
	var secrets []leak.Secret
	for _, g := range p.gates {
		for _, c := range g.Cards {
			secrets = append(secrets, leak.Secret{Name: "the card of a " + c.Class, Text: c.Code})
		}
	}
	key, err := os.ReadFile(filepath.Join(p.countyDir(), siteKeyFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a fault may have taken the folder away
		return nil, fmt.Errorf("search for leaks: %w", err)
	}
	if text := strings.TrimSpace(string(key)); text != "" {
		secrets = append(secrets, leak.Secret{Name: siteKeyFile, Text: text})
		if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
			secrets = append(secrets, leak.Secret{Name: siteKeyFile, Text: string(raw)})
		}
	}
	got, err := leak.NewMany(secrets).Dir(p.Dir, mayHold)
	if err != nil {
		return nil, fmt.Errorf("search for leaks: %w", err)
	}
	if got.Allowed == 0 {
		return nil, fmt.Errorf("of %d secrets none is found in its own place in %d files: the search is blind",
			len(secrets), got.Files)
	}
	return got.Leaks, nil
}

// siteKeyFile is the file of the key of pseudonyms.
const siteKeyFile = "site.key"

// mayHold reports whether a secret may stand in a file: the key in its own, which is also in
// the image of a disk with the county's folder, and cards in the operator's list of people.
func mayHold(path, secret string) bool {
	name := filepath.Base(path)
	if secret == siteKeyFile {
		return name == siteKeyFile || filepath.Ext(name) == ".img"
	}
	return name == siteKeyFile || name == "roster.csv"
}
