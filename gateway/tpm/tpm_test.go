package tpm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"gatehouse/gateway/testkit/swtpm"
)

// signs returns an error when k's signature by the TPM is wrong.
func signs(k *Key) error {
	sum := sha256.Sum256([]byte("a batch"))
	signature, err := k.Sign(nil, sum[:], crypto.SHA256)
	if err == nil && !ecdsa.VerifyASN1(k.public, sum[:], signature) {
		err = errors.New("the signature is wrong")
	}
	return err
}

func newKey(t *testing.T, path string) (*Key, []byte) {
	t.Helper()
	k, text, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	return k, text
}

func TestAKeySignsAndIsReadBack(t *testing.T) {
	s := swtpm.Start(t)
	k, text := newKey(t, s.Path)
	again, err := Parse(text)
	if err != nil || !Is(text) || again.Device() != s.Path || !again.public.Equal(k.Public()) {
		t.Fatalf("read back: %+v, %v", again, err)
	}
	if err := errors.Join(signs(k), signs(again), signs(again)); err != nil {
		t.Error(err)
	}
	long := sha512.Sum384([]byte("a handshake of TLS 1.2"))
	if sig, err := k.Sign(nil, long[:], crypto.SHA384); err != nil || !ecdsa.VerifyASN1(k.public, long[:], sig) {
		t.Errorf("SHA-384: %v", err)
	}
	for _, digest := range [][]byte{nil, long[:], long[:20]} {
		if _, err := k.Sign(nil, digest, crypto.SHA256); err == nil {
			t.Errorf("a digest of %d bytes is signed", len(digest))
		}
	}
	var wg sync.WaitGroup
	for range 8 { // its memory holds three keys
		wg.Go(func() {
			if err := signs(k); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A copy of the disk is of no use without the TPM, and the TPM none when it was cleared.
// A restart does no harm.
func TestAKeyIsOfNoUseElsewhere(t *testing.T) {
	s, other := swtpm.Start(t), swtpm.Start(t)
	k, text := newKey(t, s.Path)
	copied, err := Parse(bytes.Replace(text, []byte(s.Path), []byte(other.Path), 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := signs(copied); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "enrol --again") {
		t.Errorf("on another computer: %v", err)
	}
	if err := signs(k); err != nil {
		t.Error(err)
	}
	s.Stop()
	if err := signs(k); err == nil || !strings.Contains(err.Error(), "switched off in the computer's firmware") {
		t.Errorf("without the TPM: %v", err)
	}
	s.Run(t)
	if err := signs(k); err != nil { // what the TPM has saved before is void
		t.Errorf("started again: %v", err)
	}
	s.Clear(t)
	if err := signs(k); !errors.Is(err, ErrUnusable) {
		t.Errorf("cleared: %v", err)
	}
}

// relay is a TPM that notes the commands which reach another one.
type relay struct {
	mu   sync.Mutex
	seen []tpm2.TPMCC
}

func (r *relay) serve(l net.Listener, path string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		if n > 10 {
			r.mu.Lock()
			r.seen = append(r.seen, tpm2.TPMCC(binary.BigEndian.Uint32(b[6:])))
			r.mu.Unlock()
			if to, err := net.Dial("unix", path); err == nil {
				_, _ = to.Write(b[:n])
				if n, err := to.Read(b); err == nil {
					_, _ = c.Write(b[:n])
				}
				to.Close()
			}
		}
		c.Close()
	}
}

// To make the storage key and to load the key under it is slow on real TPMs: once is enough.
func TestTheSecondSignatureNeedsLess(t *testing.T) {
	s := swtpm.Start(t)
	k, _ := newKey(t, s.Path)
	path := filepath.Join(filepath.Dir(s.Path), "relay")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var r relay
	var wg sync.WaitGroup
	wg.Go(func() { r.serve(l, s.Path) })
	k.device = path
	err = errors.Join(signs(k), signs(k), l.Close())
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	want := []tpm2.TPMCC{tpm2.TPMCCCreatePrimary, tpm2.TPMCCLoad, tpm2.TPMCCFlushContext, tpm2.TPMCCContextSave,
		tpm2.TPMCCSign, tpm2.TPMCCFlushContext, // and the second:
		tpm2.TPMCCContextLoad, tpm2.TPMCCSign, tpm2.TPMCCFlushContext}
	if !slices.Equal(r.seen, want) {
		t.Errorf("the TPM did %v, not %v", r.seen, want)
	}
}

func TestWhatIsWrongWithATPMIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"no permission":  {os.ErrPermission, "usermod -aG tss"},
		"gone":           {os.ErrNotExist, "firmware"},
		"unplugged":      {syscall.ENODEV, "firmware"},
		"busy":           {syscall.EBUSY, "name " + Device},
		"full":           {tpm2.TPMRCObjectMemory, "fill its memory"},
		"owner password": {tpm2.TPMRCBadAuth, "--tpm off"},
		"not started":    {tpm2.TPMRCInitialize, "restart"},
		"cleared":        {tpm2.TPMRCIntegrity, "enrol --again"},
		"other":          {io.ErrUnexpectedEOF, "TPM /dev/x: unexpected EOF"},
	} {
		if err := explain("/dev/x", c.err); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Create(file); err == nil || !strings.Contains(err.Error(), "neither a device nor a socket") {
		t.Errorf("a file: %v", err)
	}
}

func TestWhereAKeyIsMade(t *testing.T) {
	for choice, want := range map[string]string{"": "", "off": "", "/run/tpm": "/run/tpm", "./tpm": "./tpm"} {
		if path, err := Find(choice); err != nil || path != want {
			t.Errorf("%q: %q, %v", choice, path, err)
		}
	}
	if _, err := Find("on"); err == nil {
		t.Error("on is taken")
	}
}

func TestDamagedKeysAreRefused(t *testing.T) {
	_, text := newKey(t, swtpm.Start(t).Path)
	const begin, end = "-----BEGIN TSS2 PRIVATE KEY-----\n", "-----END TSS2 PRIVATE KEY-----\n"
	at := bytes.Index(text, []byte(begin)) + len(begin)
	texts := map[string][]byte{"empty": nil, "cut off": text[:len(text)-40], "no key": []byte(begin + "AAAA\n" + end),
		"another kind": bytes.Replace(text, []byte("TSS2 PRIVATE"), []byte("PRIVATE"), 2)}
	for i := at; i < len(text)-len(end); i += 7 {
		damaged := slices.Clone(text)
		damaged[i] ^= 1
		if k, err := Parse(damaged); err == nil { // then the TPM refuses it
			if err = signs(k); err == nil {
				t.Errorf("byte %d: a damaged key signs", i)
			}
		}
	}
	for name, b := range texts {
		if _, err := Parse(b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	k, _, err := Create(swtpm.Start(b).Path)
	for b.Loop() {
		err = errors.Join(err, signs(k))
	}
	if err != nil {
		b.Fatal(err)
	}
}
