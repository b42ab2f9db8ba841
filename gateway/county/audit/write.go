package audit

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteCSV writes entries as CSV with a head line. It returns how many.
func WriteCSV(out io.Writer, entries iter.Seq2[Entry, error]) (n int, err error) {
	w := csv.NewWriter(out)
	head := []string{"n", "at", "actor", "role", "from", "action", "object", "detail", "prev", "hash"}
	if err := w.Write(head); err != nil {
		return 0, err
	}
	for e, err := range entries {
		if err != nil {
			return n, errors.Join(err, flush(w))
		}
		row := []string{strconv.FormatUint(e.N, 10), e.At.Format(time.RFC3339Nano), Plain(e.Actor), Plain(e.Role),
			Plain(e.From), Plain(string(e.Action)), Plain(e.Object), Plain(e.Detail), e.Prev.String(), e.Hash.String()}
		if err := w.Write(row); err != nil {
			return n, err
		}
		n++
	}
	return n, flush(w)
}

func flush(w *csv.Writer) error {
	w.Flush()
	return w.Error()
}

// Plain returns a text for a cell of CSV that no spreadsheet runs as a formula (OWASP, "CSV
// Injection"): with an apostrophe before it where it begins like one, also in full width.
func Plain(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

// WriteJSONL writes entries as JSON, one a line. It returns how many.
func WriteJSONL(out io.Writer, entries iter.Seq2[Entry, error]) (n int, err error) {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for e, err := range entries {
		if err != nil {
			return n, err
		}
		if err := enc.Encode(e); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
