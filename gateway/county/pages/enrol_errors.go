package pages

import (
	"errors"
	"net/http"

	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/enrolment"
)

// errAttempts says that too many requests from a place have failed.
var errAttempts = errors.New("too many wrong codes came from this address: wait, and type the code again")

// enrolErrors lists the errors of enrolment. At a gate those that begin with enrol- are
// final: the same request gets the same answer again.
var enrolErrors = []known{
	{registry.ErrOff, "off", http.StatusServiceUnavailable},
	{registry.ErrGate, "gate", http.StatusNotFound},
	{registry.ErrDecided, "gone", http.StatusConflict},
	{registry.ErrUnknown, "enrol-unknown", http.StatusNotFound},
	{registry.ErrLate, "enrol-late", http.StatusGone},
	{registry.ErrUsed, "enrol-used", http.StatusConflict},
	{registry.ErrRefused, "enrol-refused", http.StatusForbidden},
	{registry.ErrKey, "enrol-key", http.StatusForbidden},
	{registry.ErrRevoked, "enrol-revoked", http.StatusForbidden},
	{registry.ErrForged, "enrol-forged", http.StatusForbidden},
	{enrolment.ErrForged, "enrol-forged", http.StatusForbidden},
	{enrolment.ErrName, "enrol-name", http.StatusForbidden},
	{enrolment.ErrRequest, "enrol-request", http.StatusUnprocessableEntity},
	{registry.ErrFiles, "files", http.StatusConflict},
	{errAttempts, "attempts", http.StatusTooManyRequests},
}

// guessed reports whether an error is one that somebody who guesses gets.
func guessed(err error) bool {
	for _, e := range []error{registry.ErrUnknown, registry.ErrForged, enrolment.ErrForged, errBody,
		enrolment.ErrName, enrolment.ErrRequest, registry.ErrUsed, registry.ErrKey} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func isWaiting(err error) bool { return errors.Is(err, registry.ErrWaiting) }
