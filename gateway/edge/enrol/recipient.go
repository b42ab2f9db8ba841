package enrol

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/secret"
)

// ErrNoSecret means that the gate has no agent.age yet: its next renewal makes one.
var ErrNoSecret = errors.New("this gate has no agent.age yet: it makes one within the hour, " +
	"when the desk answers at an address of identity: desk")

// Secret returns the secret to whose recipient the county encrypts the gate's rules. It lies
// beside the gate's key. The error is ErrNoSecret when there is none.
func (i Identity) Secret() (string, error) {
	path := filepath.Join(filepath.Dir(i.Key), enrolment.RecipientFile)
	b, err := secret.Read(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", ErrNoSecret
	}
	if err != nil {
		return "", fmt.Errorf("read the gate's secret: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// recipient returns the recipient of the gate's secret. A gate that was enrolled by a version
// without one gets one.
func (i Identity) recipient() (string, error) {
	secret, err := i.Secret()
	if err == nil {
		if to, err := sealed.RecipientOf(secret); err == nil {
			return to, nil
		}
		err = ErrNoSecret // the power went before it was written
	}
	if !errors.Is(err, ErrNoSecret) {
		return "", err
	}
	secret, to, err := sealed.NewKey()
	if err == nil {
		err = identity.Replace(filepath.Join(filepath.Dir(i.Key), enrolment.RecipientFile), []byte(secret+"\n"))
	}
	if err != nil {
		return "", fmt.Errorf("make the gate's secret: %w", err)
	}
	return to, nil
}
