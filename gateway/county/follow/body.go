package follow

import "gatehouse/gateway/wire"

// Body decodes a record's body. It returns false when that is of another type,
// or can't be decoded: the store keeps such a record in quarantine, or for a
// later version.
func Body[B wire.Body](r wire.Record) (b B, ok bool) {
	body, err := r.DecodeBody()
	if err != nil {
		return b, false
	}
	b, ok = body.(B)
	return b, ok
}
