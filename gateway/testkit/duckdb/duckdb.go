// Package duckdb asks DuckDB about files, as somebody does who analyses what gatehouse
// export has written.
package duckdb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// script prints the rows of a query as JSON.
const script = `import duckdb, json, sys
print(json.dumps(duckdb.sql(sys.stdin.read()).fetchall(), default=str))`

// Table returns how a query names a file of gatehouse export, by its extension.
func Table(path string) string {
	name := "'" + strings.ReplaceAll(path, "'", "''") + "'"
	switch filepath.Ext(path) {
	case ".csv":
		return "read_csv(" + name + ", header = true)"
	case ".jsonl":
		return "read_json(" + name + ", format = 'newline_delimited')"
	}
	return "read_parquet(" + name + ")"
}

// Query returns the rows of a query. root is the clone's folder, in which make tools has
// installed DuckDB.
func Query(ctx context.Context, root, query string) (rows [][]any, err error) {
	peers, err := filepath.Abs(filepath.Join(root, ".tools", "peers", "python"))
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, "/usr/bin/python3", "-c", script)
	c.Env = append(os.Environ(), "PYTHONPATH="+peers)
	c.Stdin = strings.NewReader(query)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err == nil {
		err = json.Unmarshal(out, &rows)
	}
	if err != nil {
		return nil, fmt.Errorf("DuckDB (installed by make tools): %w\n%s", err, &said)
	}
	return rows, nil
}

// Counts returns the rows of a query of a word and a number.
func Counts(ctx context.Context, root, query string) (map[string]int, error) {
	rows, err := Query(ctx, root, query)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, r := range rows {
		if len(r) != 2 {
			return nil, errors.New("DuckDB: a row is not a word and a number")
		}
		word, isWord := r[0].(string)
		n, isNumber := r[1].(float64)
		if !isWord || !isNumber {
			return nil, fmt.Errorf("DuckDB: the row %v is not a word and a number", r)
		}
		counts[word] += int(n)
	}
	return counts, nil
}
