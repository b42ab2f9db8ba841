//go:build cleanroot

package booted

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// nobody is who runs the screen and the browser: cage and Chromium refuse to work as root.
const nobody = 65534

// keymap has the keys of the kiosk.
const keymap = `xkb_keymap {
	xkb_keycodes { include "evdev" };
	xkb_types { include "complete" };
	xkb_compat { include "complete" };
	xkb_symbols { include "gatehouse" };
};
`

// codes are keys of a PC as the kernel numbers them (linux/input-event-codes.h).
var codes = map[string]int{"Esc": 1, "=": 13, "W": 17, "T": 20, "U": 22, "I": 23, "O": 24, "P": 25, "Ctrl": 29,
	"S": 31, "H": 35, "J": 36, "L": 38, "Shift": 42, "N": 49, "Alt": 56, "F1": 59, "F2": 60, "F3": 61, "F4": 62,
	"F6": 64, "F10": 68, "F11": 87, "F12": 88, "Home": 102, "Super": 125, "Menu": 127, "Back": 158, "HomePage": 172}

// screen is a screen without a monitor, with a keyboard: an X server, whose only window is what cage
// shows. On the headless output of wlroots 0.15 (Debian 12) cage draws a window once, and then no more.
type screen struct {
	t    *testing.T
	run  string // its folder
	env  string // where its clients find it
	w, h int    // of the window, pixels
}

// ours makes a folder of the user nobody.
func ours(t *testing.T, prefix string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	run(t, "chown", fmt.Sprint(nobody), dir)
	return dir
}

// newScreen switches a screen on.
func newScreen(t *testing.T) *screen {
	t.Helper()
	s := &screen{t: t, run: ours(t, "screen-")}
	number, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer number.Close()
	cmd := exec.Command("setpriv", "--reuid="+fmt.Sprint(nobody), "--regid="+fmt.Sprint(nobody), "--clear-groups",
		"Xvfb", "-displayfd", "3", "-screen", "0", "1920x1080x24", "-fbdir", s.run, "-nolisten", "tcp",
		"-noreset", "-ac", "-nocursor")
	cmd.ExtraFiles = []*os.File{tell}
	log := &words{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tell.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	var display int
	if _, err := fmt.Fscan(number, &display); err != nil {
		t.Fatalf("no screen: %v\n%s", err, log)
	}
	s.env = fmt.Sprintf("DISPLAY=:%d", display)
	// What is held with a key is reckoned here, and not in cage: by the same keys.
	keys := filepath.Join(s.run, "keys.xkb")
	if err := os.WriteFile(keys, []byte(keymap), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "xkbcomp", "-w", "0", "-I"+deploy+"/kiosk/xkb", "-I/usr/share/X11/xkb", keys, fmt.Sprintf(":%d", display))
	return s
}

// do does something with pointer, keys or windows.
func (s *screen) do(args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), "xdotool", args...)
	cmd.Env = append(os.Environ(), s.env)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("xdotool %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// window returns the window below the pointer, which is cage's; empty: there is none.
func (s *screen) window() string {
	s.t.Helper()
	out, err := s.do("mousemove", "9", "9", "getmouselocation", "--shell")
	if err != nil {
		s.t.Fatal(err)
	}
	_, window, _ := strings.Cut(out, "WINDOW=")
	root, err := s.do("search", "--maxdepth", "0", "--name", "^")
	if err != nil {
		s.t.Fatal(err)
	}
	if window = strings.TrimSpace(window); window == strings.TrimSpace(root) {
		return ""
	}
	return window
}

// resize makes what cage has for a monitor another one.
func (s *screen) resize(w, h int) {
	s.t.Helper()
	window := ""
	await(s.t, "the window of cage", nothing, func() bool {
		window = s.window()
		return window != ""
	})
	if _, err := s.do("windowmove", window, "0", "0", "windowsize", window, fmt.Sprint(w), fmt.Sprint(h),
		"windowfocus", window); err != nil {
		s.t.Fatal(err)
	}
	s.w, s.h = w, h
}

// press presses keys, one after the other ("F1", "Ctrl+N"), as somebody does on a keyboard of a PC.
func (s *screen) press(keys ...string) {
	s.t.Helper()
	args := []string{"key", "--delay", "30"}
	for _, key := range keys {
		var held []string
		for _, name := range strings.Split(key, "+") {
			if codes[name] == 0 {
				s.t.Fatalf("no key %q", name)
			}
			held = append(held, fmt.Sprint(8+codes[name])) // as X counts them
		}
		args = append(args, strings.Join(held, "+"))
	}
	if _, err := s.do(args...); err != nil {
		s.t.Fatal(err)
	}
}

// shot returns what the window shows. The server keeps it in a file, as xwd writes one.
func (s *screen) shot() *image.RGBA {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.run, "Xvfb_screen0"))
	if err != nil {
		s.t.Fatal(err)
	}
	field := func(i int) int { return int(binary.BigEndian.Uint32(b[4*i:])) }
	line, pixels := field(12), b[field(0)+12*field(19):]
	img := image.NewRGBA(image.Rect(0, 0, s.w, s.h))
	for y := range s.h {
		for x := range s.w {
			p := pixels[y*line+4*x:]
			img.SetRGBA(x, y, color.RGBA{p[2], p[1], p[0], 255})
		}
	}
	return img
}

// keep keeps what the screen shows in the folder SHOTS, when there is one.
func (s *screen) keep(name string) {
	s.t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, s.shot()); err != nil {
		s.t.Error(err)
	}
}

// is reports whether a point has a colour, but for what the edges of letters are rounded.
func is(img *image.RGBA, x, y int, want color.RGBA) bool {
	got := img.RGBAAt(x, y)
	for _, c := range [][2]uint8{{got.R, want.R}, {got.G, want.G}, {got.B, want.B}} {
		if max(c[0], c[1])-min(c[0], c[1]) > 3 {
			return false
		}
	}
	return true
}

// has reports whether the whole screen has a colour, or all its edges.
func (s *screen) has(want color.RGBA) (whole, edges bool) {
	s.t.Helper()
	img := s.shot()
	whole, edges = true, true
	for y := range s.h {
		for x := range s.w {
			if !is(img, x, y, want) {
				whole = false
				edges = edges && x > 0 && y > 0 && x < s.w-1 && y < s.h-1
			}
		}
	}
	return whole, edges
}

// words is what programs print. Its methods may be called from any goroutine.
type words struct {
	mu   sync.Mutex // guards said
	said strings.Builder
}

// Write implements io.Writer.
func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.Write(b)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.String()
}

func nothing() string { return "" }

// await waits until done returns true.
func await(t *testing.T, what string, said func() string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %s\n%s", what, said())
		}
	}
}
