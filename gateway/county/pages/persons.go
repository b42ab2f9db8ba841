package pages

import (
	"encoding/json"
	"strings"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/people"
)

// withoutPersons is what those see of the desk's state who may not see single
// passages: no feed, and alerts without who they are about.
func withoutPersons(key string, value json.RawMessage) (json.RawMessage, bool) {
	switch {
	case key == "feed":
		return nil, false
	case !strings.HasPrefix(key, "a:"):
		return value, true
	}
	var a alerts.Alert
	if err := json.Unmarshal(value, &a); err != nil {
		return nil, false // not understood: nobody's business
	}
	b, err := json.Marshal(a.WithoutPerson())
	return b, err == nil
}

// seen returns alerts as who may see them.
func seen(who people.Session, list []alerts.Alert) []alerts.Alert {
	if !who.May(people.ActPassages) {
		for i := range list {
			list[i] = list[i].WithoutPerson()
		}
	}
	return list
}
