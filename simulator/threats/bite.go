package threats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Loss is a control that is taken out of the product, to see whether its row notices.
type Loss struct {
	Name  string // what is lost
	Rows  []string
	Edits []Edit
}

// Edit replaces a text of a file of the source, which stands there once.
type Edit struct{ File, Old, New string }

// Bitten is what became of a loss.
type Bitten struct {
	Loss    string   `json:"loss"`
	Failed  []string `json:"failed"`            // rows, by ID
	Held    int      `json:"held"`              // how many other rows hold as before
	Problem string   `json:"problem,omitempty"` // empty: the right rows have failed, and no other
	Seconds float64  `json:"seconds"`
}

// Line formats what became of a loss for people.
func (b Bitten) Line() string {
	state, said := "ok    ", fmt.Sprintf("%s failed, %d others hold", strings.Join(b.Failed, " "), b.Held)
	if b.Problem != "" {
		state, said = "FAILED", b.Problem
	}
	return fmt.Sprintf("%s  %s: %s (%.0f s)", state, b.Loss, said, b.Seconds)
}

// longRows take seconds, and are played for their own loss only.
var longRows = []string{"T69", "T70", "T73", "T75", "T79"}

// played returns the rows that are played for a loss: its own, and of the same county those
// of the other losses, but the long ones.
func (l Loss) played() (ids []string, err error) {
	own, err := Choose(l.Rows)
	if err != nil {
		return nil, err
	}
	ids = slices.Clone(l.Rows)
	for _, other := range Losses() {
		rows, err := Choose(other.Rows)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if !slices.Contains(ids, r.ID) && !slices.Contains(longRows, r.ID) && r.where == own[0].where {
				ids = append(ids, r.ID)
			}
		}
	}
	return ids, nil
}

// Bite builds the product once for each loss, from the source in a folder that it leaves as
// it is, and plays its rows and those of others against it. It calls report with each outcome.
func Bite(ctx context.Context, source, dir string, names []string, report func(Bitten)) error {
	named := func(id string) bool { return slices.Contains(names, id) }
	chosen := slices.DeleteFunc(Losses(), func(l Loss) bool {
		return len(names) > 0 && !slices.ContainsFunc(l.Rows, named)
	})
	if len(chosen) == 0 {
		return fmt.Errorf("--row %s: no control is taken away for it", strings.Join(names, ","))
	}
	for i, l := range chosen {
		begin := time.Now()
		b, err := l.bite(ctx, source, filepath.Join(dir, fmt.Sprint("loss-", i)))
		if err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
		b.Seconds = time.Since(begin).Seconds()
		report(b)
	}
	return nil
}

func (l Loss) bite(ctx context.Context, source, dir string) (b Bitten, err error) {
	b = Bitten{Loss: l.Name}
	program, err := l.build(ctx, source, dir)
	if err != nil {
		return b, err
	}
	problems := map[string]string{}
	rows, err := l.played()
	if err != nil {
		return b, err
	}
	cfg := Config{Gatehouse: program, Names: rows, Dir: filepath.Join(dir, "counties")}
	err = Run(ctx, cfg, func(o Outcome) {
		if o.Problem == "" {
			b.Held++
			return
		}
		b.Failed = append(b.Failed, o.ID)
		problems[o.ID] = o.Problem
	})
	slices.SortFunc(b.Failed, compare)
	if want := slices.SortedFunc(slices.Values(l.Rows), compare); err == nil && !slices.Equal(b.Failed, want) {
		b.Problem = fmt.Sprintf("%v must fail and no other row; failed: %v", want, problems)
	}
	return b, err
}

// build builds the product with a loss, and returns the path of the program.
func (l Loss) build(ctx context.Context, source, dir string) (program string, err error) {
	if source, err = filepath.Abs(source); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	texts := map[string]string{}
	for _, e := range l.Edits {
		if texts[e.File] == "" {
			b, err := os.ReadFile(filepath.Join(source, e.File))
			if err != nil {
				return "", err
			}
			texts[e.File] = string(b)
		}
		if texts[e.File], err = e.apply(texts[e.File]); err != nil {
			return "", err
		}
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file, text := range texts {
		edited := filepath.Join(dir, strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(edited, []byte(text), 0o600); err != nil {
			return "", err
		}
		overlay.Replace[filepath.Join(source, file)] = edited
	}
	list, err := json.Marshal(overlay)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600)
	}
	if err != nil {
		return "", err
	}
	program = filepath.Join(dir, "gatehouse")
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program,
		"./gateway")
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return program, nil
}

// errEdit means that the source has changed, and Losses has to follow.
var errEdit = errors.New("the text to replace must stand in the file once")

// apply returns a text with the edit.
func (e Edit) apply(text string) (string, error) {
	if n := strings.Count(text, e.Old); n != 1 {
		return "", fmt.Errorf("%s: %w, and stands there %d times: %q", e.File, errEdit, n, e.Old)
	}
	return strings.Replace(text, e.Old, e.New, 1), nil
}
