package tpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// Key is a private key (ECDSA on P-256) that only the TPM can use. It is a crypto.Signer,
// and may be used from any goroutine.
type Key struct {
	device  string
	public  *ecdsa.PublicKey
	outer   tpm2.TPM2BPublic // what the TPM knows of it
	private tpm2.TPM2BPrivate

	mu    sync.Mutex        // guards saved, and is held while the TPM works
	saved *tpm2.TPMSContext // the loaded key, encrypted by the TPM, until that is started again; nil: not yet
}

// template is of the keys that Create makes: they sign, can't be moved to another TPM, and
// are made by the TPM itself.
func template() tpm2.TPMTPublic {
	hash := &tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256}
	return tpm2.TPMTPublic{
		Type:    tpm2.TPMAlgECC,
		NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true,
			UserWithAuth: true, NoDA: true, SignEncrypt: true},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
			Scheme: tpm2.TPMTECCScheme{Scheme: tpm2.TPMAlgECDSA,
				Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, hash)},
			CurveID: tpm2.TPMECCNistP256,
		}),
	}
}

// parent makes the storage key of the TPM's owner, under which all keys of Create are. It
// is the same each time, until the TPM is cleared.
func parent(t transport.TPM) (tpm2.NamedHandle, error) {
	root := tpm2.ECCSRKTemplate
	root.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{}) // as other readers of such files make it
	made, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(root)}.Execute(t)
	if err != nil {
		return tpm2.NamedHandle{}, fmt.Errorf("make the storage key: %w", err)
	}
	return tpm2.NamedHandle{Handle: made.ObjectHandle, Name: made.Name}, nil
}

// flush removes a loaded key from the TPM's memory, which holds few.
func flush(t transport.TPM, h tpm2.TPMHandle, err *error) {
	_, failed := tpm2.FlushContext{FlushHandle: h}.Execute(t)
	if failed != nil && *err == nil {
		*err = fmt.Errorf("remove a key from the TPM's memory: %w", failed)
	}
}

// Create makes a key in the TPM at a path, and returns it with the text from which Parse
// reads it. The text should be private all the same: who has it, and may use this TPM, can
// sign.
func Create(path string) (k *Key, text []byte, err error) {
	t, err := open(path)
	if err != nil {
		return nil, nil, explain(path, err)
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	made, err := create(t)
	if err != nil {
		return nil, nil, explain(path, fmt.Errorf("make a key: %w", err))
	}
	k = &Key{device: path, outer: made.OutPublic, private: made.OutPrivate}
	if k.public, err = publicOf(made.OutPublic); err != nil {
		return nil, nil, err
	}
	text, err = k.text()
	return k, text, err
}

func create(t transport.TPM) (made *tpm2.CreateResponse, err error) {
	root, err := parent(t)
	if err != nil {
		return nil, err
	}
	defer flush(t, root.Handle, &err)
	return tpm2.Create{ParentHandle: root, InPublic: tpm2.New2B(template())}.Execute(t)
}

// publicOf returns the public key in the TPM's form of it. It takes only what template says.
func publicOf(outer tpm2.TPM2BPublic) (*ecdsa.PublicKey, error) {
	p, err := outer.Contents()
	if err != nil {
		return nil, fmt.Errorf("the TPM's form of the key: %w", err)
	}
	want := template()
	if p.Type != want.Type || p.ObjectAttributes != want.ObjectAttributes {
		return nil, errors.New("it is no key for signatures that a TPM has made for itself")
	}
	parms, err := p.Parameters.ECCDetail()
	if err != nil {
		return nil, fmt.Errorf("the TPM's form of the key: %w", err)
	}
	point, err := p.Unique.ECC()
	if err != nil {
		return nil, fmt.Errorf("the TPM's form of the key: %w", err)
	}
	if parms.CurveID != tpm2.TPMECCNistP256 || len(point.X.Buffer) > 32 || len(point.Y.Buffer) > 32 {
		return nil, errors.New("it is no ECDSA key on P-256")
	}
	raw := make([]byte, 65)
	raw[0] = 4 // both coordinates follow
	copy(raw[33-len(point.X.Buffer):], point.X.Buffer)
	copy(raw[65-len(point.Y.Buffer):], point.Y.Buffer)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	if err != nil {
		return nil, fmt.Errorf("the key's public half: %w", err)
	}
	return public, nil
}

// Public returns the public key, an *ecdsa.PublicKey. The TPM is not asked.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Device returns the path of the key's TPM.
func (k *Key) Device() string { return k.device }

// Sign has the TPM sign the digest by a hash of at least 256 bits, and returns the signature
// in ASN.1, as ecdsa.SignASN1 does. An error says what to do about the TPM.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) (signature []byte, err error) {
	if len(digest) < 32 || len(digest) != opts.HashFunc().Size() {
		return nil, fmt.Errorf("sign by a key in a TPM: a digest of %d bytes by %v", len(digest), opts.HashFunc())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	t, err := open(k.device)
	if err != nil {
		return nil, explain(k.device, err)
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	signature, err = k.sign(t, digest[:32]) // ECDSA takes as many bits as the curve has
	if err != nil {
		return nil, explain(k.device, fmt.Errorf("sign: %w", err))
	}
	return signature, nil
}

// signed is a signature in ASN.1.
type signed struct{ R, S *big.Int }

func (k *Key) sign(t transport.TPM, digest []byte) (signature []byte, err error) {
	handle, err := k.load(t)
	if err != nil {
		return nil, err
	}
	defer flush(t, handle.Handle, &err)
	answer, err := tpm2.Sign{KeyHandle: handle, Digest: tpm2.TPM2BDigest{Buffer: digest},
		InScheme: tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgECDSA,
			Details: tpm2.NewTPMUSigScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSchemeHash{HashAlg: tpm2.TPMAlgSHA256})},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck}}.Execute(t)
	if err != nil {
		return nil, err
	}
	both, err := answer.Signature.Signature.ECDSA()
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(signed{new(big.Int).SetBytes(both.SignatureR.Buffer),
		new(big.Int).SetBytes(both.SignatureS.Buffer)})
}

// load loads the key into the TPM's memory. From the second time on that costs the TPM no
// computation with the curve, until it is started again.
func (k *Key) load(t transport.TPM) (h tpm2.NamedHandle, err error) {
	if k.saved != nil {
		back, err := tpm2.ContextLoad{Context: *k.saved}.Execute(t)
		if err == nil {
			return k.named(back.LoadedHandle)
		}
		k.saved = nil
	}
	root, err := parent(t)
	if err != nil {
		return h, err
	}
	loaded, err := tpm2.Load{ParentHandle: root, InPrivate: k.private, InPublic: k.outer}.Execute(t)
	flush(t, root.Handle, &err)
	if err != nil {
		return h, fmt.Errorf("load the key: %w", err)
	}
	kept, failed := tpm2.ContextSave{SaveHandle: loaded.ObjectHandle}.Execute(t)
	if failed == nil { // without it, the next time is as slow as this one
		k.saved = &kept.Context
	}
	return k.named(loaded.ObjectHandle)
}

func (k *Key) named(h tpm2.TPMHandle) (tpm2.NamedHandle, error) {
	contents, err := k.outer.Contents()
	if err != nil {
		return tpm2.NamedHandle{}, err
	}
	name, err := tpm2.ObjectName(contents)
	if err != nil {
		return tpm2.NamedHandle{}, err
	}
	return tpm2.NamedHandle{Handle: h, Name: *name}, nil
}
