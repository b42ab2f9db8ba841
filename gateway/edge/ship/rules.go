package ship

import "gatehouse/gateway/mqtt"

// Subscribe adds a subscription to the connection that is up; see mqtt.Client. It may be
// called from any goroutine.
func (s *Shipper) Subscribe(filter string) error {
	if c := s.client.Load(); c != nil {
		return c.Subscribe(filter)
	}
	return mqtt.ErrOffline
}

// Unsubscribe ends what Subscribe has begun.
func (s *Shipper) Unsubscribe(filter string) error {
	if c := s.client.Load(); c != nil {
		return c.Unsubscribe(filter)
	}
	return mqtt.ErrOffline
}
