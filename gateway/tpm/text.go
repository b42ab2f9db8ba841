package tpm

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-tpm/tpm2"
)

// pemType is that of "ASN.1 Specification for TPM 2.0 Key Files", which other programs read,
// too.
const pemType = "TSS2 PRIVATE KEY"

// deviceLine begins the line that names the TPM.
const deviceLine = "TPM: "

// loadable is the kind of keys that lie under a storage key.
var loadable = asn1.ObjectIdentifier{2, 23, 133, 10, 1, 3}

// file is a key in ASN.1.
type file struct {
	Kind      asn1.ObjectIdentifier
	EmptyAuth bool `asn1:"optional,explicit,tag:0"` // it has no password
	Parent    int64
	Public    []byte
	Private   []byte
}

func (k *Key) text() ([]byte, error) {
	der, err := asn1.Marshal(file{Kind: loadable, EmptyAuth: true, Parent: int64(tpm2.TPMRHOwner),
		Public: tpm2.Marshal(k.outer), Private: tpm2.Marshal(k.private)})
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "This key can be used by one TPM only.\n%s%s\n", deviceLine, k.device)
	_ = pem.Encode(&out, &pem.Block{Type: pemType, Bytes: der}) // a buffer takes all
	return out.Bytes(), nil
}

// Is reports whether the text of a key is one of Create's.
func Is(text []byte) bool { return bytes.Contains(text, []byte("-----BEGIN "+pemType)) }

// Parse reads a key from the text that Create has returned. It does not ask the TPM: whether
// that can use the key shows when it is to sign.
func Parse(text []byte) (*Key, error) {
	k, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("read the key of a TPM: %w", err)
	}
	return k, nil
}

func parse(text []byte) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return nil, errors.New("it holds none in PEM: was the file cut off? A new code, and gatehouse enrol --again")
	}
	var f file
	rest, err := asn1.Unmarshal(block.Bytes, &f)
	if err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("it is damaged: a new code, and gatehouse enrol --again: %w", err)
	}
	if !f.Kind.Equal(loadable) || !f.EmptyAuth || f.Parent != int64(tpm2.TPMRHOwner) {
		return nil, errors.New("it is another kind of key than gatehouse enrol makes")
	}
	k := &Key{device: Device}
	before, _, _ := bytes.Cut(text, []byte("-----BEGIN "))
	for line := range strings.Lines(string(before)) {
		if path, found := strings.CutPrefix(strings.TrimSpace(line), deviceLine); found {
			k.device = path
		}
	}
	outer, err := tpm2.Unmarshal[tpm2.TPM2BPublic](f.Public)
	if err != nil {
		return nil, fmt.Errorf("its public half: %w", err)
	}
	private, err := tpm2.Unmarshal[tpm2.TPM2BPrivate](f.Private)
	if err != nil {
		return nil, fmt.Errorf("its private half: %w", err)
	}
	k.outer, k.private = *outer, *private
	k.public, err = publicOf(k.outer)
	return k, err
}
