package cli

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"gatehouse/gateway/identity"
)

func TestAPassIsIssuedReadByAScannerAndShown(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := identity.LoadOrCreateCollectorKey(dir); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(dir, "pass.png")
	run := func(want int, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		if code := Run(t.Context(), args, strings.NewReader(""), &out, &errOut); code != want {
			t.Fatalf("%v: exit code %d, %s", args, code, errOut.String())
		}
		return out.String() + errOut.String()
	}
	issue := []string{"pass", "issue", "--dir", dir, "--county", "qinghe", "--gate", "gate-018"}
	out := run(0, append(issue, "--purpose", "repair", "--from", "2020-02-14T08:00:00+08:00", "--for", "12h",
		"--uses", "2", "--png", image)...)
	text := regexp.MustCompile(`GATEHOUSE1:[A-Z2-7]+`).FindString(out)
	if got := scan(t, image); got != text {
		t.Errorf("the image says %s, printed is %s", got, text)
	}
	public := filepath.Join(dir, "collector.pub")
	shown := run(0, "pass", "show", "--county", "qinghe", "--key", public, strings.ToLower(text))
	for _, want := range []string{"gate gate-018", "class visitor, repair", "2 in each direction"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%s does not say %q", shown, want)
		}
	}
	for want, args := range map[string][]string{
		"not signed by this county": {"pass", "show", "--county", "other", "--key", public, text},
		"can't be read":             {"pass", "show", "--county", "qinghe", "--key", public, "GATEHOUSE1:AEBAG"},
		"first start":               {"pass", "issue", "--dir", t.TempDir(), "--county", "qinghe", "--gate", "g"},
	} {
		if got := run(1, args...); !strings.Contains(got, want) {
			t.Errorf("%v says %s, want %q", args, got, want)
		}
	}
	for want, args := range map[string][]string{
		"write a time as": {"--from", "tomorrow"},
		"within 31 days":  {"--for", "745h"},
		"uses 0":          {"--uses", "0"},
	} {
		if got := run(2, append(issue[:len(issue):len(issue)], args...)...); !strings.Contains(got, want) {
			t.Errorf("%v says %s, want %q", args, got, want)
		}
	}
}

// scan returns the text of the QR code in an image file, by another program's decoder.
func scan(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	// Without the hint it searches for a code as in a photograph, and takes other modules
	// for the corners in about one of fifty codes: qr_test.go.
	found, err := qrcode.NewQRCodeReader().Decode(bits,
		map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatal(err)
	}
	return found.GetText()
}
