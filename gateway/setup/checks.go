package setup

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gatehouse/gateway/config"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

// Ask is one question: its key in Answers, and what is wrong with the answer.
type Ask struct {
	Key   string
	Check func(Answers) error
}

// Asks returns the questions whose answers are checked, in their order.
func Asks() []Ask {
	return []Ask{
		{"county", func(a Answers) error { return checkCounty(a.County) }},
		{"address", Answers.checkAddress},
		{"sites", Answers.checkSites},
		{"tls", Answers.checkTLS},
		{"time_zone", func(a Answers) error { _, err := config.Zone(a.TimeZone); return err }},
		{"influx", Answers.checkInflux},
		{"broker", Answers.checkBroker},
		{"ports", Answers.checkPorts},
		{"gates", Answers.checkGates},
	}
}

// Faults returns what is wrong with the answers, by the keys of Asks.
func (a Answers) Faults() map[string]error {
	out := map[string]error{}
	for _, ask := range Asks() {
		if err := ask.Check(a); err != nil {
			out[ask.Key] = err
		}
	}
	return out
}

// Check returns what is wrong with the answers, each fault with its key.
func (a Answers) Check() error {
	var errs []error
	for _, ask := range Asks() {
		if err := ask.Check(a); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", ask.Key, err))
		}
	}
	return errors.Join(errs...)
}

func checkCounty(id string) error {
	if id == "" {
		return errors.New("is missing: write the county's short name in letters, like qinghe")
	}
	if err := wire.CheckID(id); err != nil {
		return fmt.Errorf("%w: like qinghe", err)
	}
	return nil
}

var hostName = regexp.MustCompile(
	`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`,
)

func (a Answers) checkAddress() error {
	switch _, err := netip.ParseAddr(a.Address); {
	case a.Address == "" && a.Mode() != None:
		return errors.New(
			"is missing: write the name or the IP address by which gates and browsers find this computer",
		)
	case a.Address == "" || err == nil:
		return nil
	case strings.Contains(a.Address, "://") || strings.ContainsAny(a.Address, "/:"):
		return fmt.Errorf(
			"%q: write only the name or the IP address, without http:// and port",
			a.Address,
		)
	case !hostName.MatchString(a.Address) || len(a.Address) > 253:
		return fmt.Errorf(
			"%q is no name of a computer and no IP address: write one like desk.county.example or 10.1.0.5",
			a.Address,
		)
	}
	return nil
}

func (a Answers) checkTLS() error {
	switch mode := a.Mode(); {
	case !slices.Contains(Modes(), mode):
		return fmt.Errorf("mode %q: write made, own, proxy or none", mode)
	case mode == None && a.Address != "":
		return errors.New(
			"mode none: gates and browsers of other computers need TLS: write made, own or proxy, or leave " +
				"the address empty",
		)
	case mode == Own && (a.TLS.Cert == "" || a.TLS.Key == ""):
		return errors.New("mode own: name cert and key, both PEM files")
	case mode != Own && (a.TLS.Cert != "" || a.TLS.Key != ""):
		return errors.New("cert and key belong to mode own")
	}
	return errors.Join(there(a.TLS.Cert), there(a.TLS.Key), there(a.TLS.CA))
}

func (a Answers) checkSites() error {
	if a.Sites == "" {
		return nil
	}
	if isTable(a.Sites) {
		b, err := config.Read(a.Sites)
		if err != nil {
			return err
		}
		_, faults := site.Table(cmp.Or(a.County, "county"), a.Name, b)
		var errs []error
		for _, f := range faults {
			errs = append(errs, fmt.Errorf("%s:%d: %s", a.Sites, f.Line, f.Text))
		}
		return errors.Join(errs...)
	}
	sites, err := site.Load(a.Sites)
	if err == nil && a.County != "" && sites.ID != a.County {
		err = fmt.Errorf(
			"%s describes county %q, and not %q: write the same id in both",
			a.Sites,
			sites.ID,
			a.County,
		)
	}
	return err
}

func (a Answers) checkInflux() error {
	if a.Influx == (Influx{}) {
		return nil
	}
	u, err := url.Parse(a.Influx.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf(
			"url %q: write it as http://127.0.0.1:8086, or leave influx away for SQLite",
			a.Influx.URL,
		)
	case a.Influx.Bucket == "":
		return errors.New("bucket is missing (InfluxDB 1.8: database/retention-policy)")
	}
	return there(a.Influx.TokenFile)
}

func (a Answers) checkBroker() error {
	if a.Broker == "" {
		return nil
	}
	u, err := url.Parse(a.Broker)
	if err != nil || u.Host == "" ||
		!slices.Contains([]string{"tcp", "ssl", "ws", "wss"}, u.Scheme) {
		return fmt.Errorf(
			"%q: write it as tcp://127.0.0.1:1884 or ssl://broker.county.example:8883, or leave it empty "+
				"for the own one",
			a.Broker,
		)
	}
	return nil
}

func (a Answers) checkPorts() error {
	for name, p := range map[string]int{"desk": a.Ports.Desk, "broker": a.Ports.Broker} {
		if p < 0 || p > 65535 {
			return fmt.Errorf("%s %d: write 1 to 65535", name, p)
		}
	}
	if a.deskPort() == a.brokerPort() && a.Broker == "" {
		return fmt.Errorf("desk and broker can't both have port %d", a.deskPort())
	}
	return nil
}

func (a Answers) checkGates() error {
	errs := []error{
		there(a.Gates.Policy),
		there(a.Gates.Devices),
		there(a.Gates.Roster),
		there(a.Gates.Contacts),
	}
	if len(a.Gates.URLs) > 0 {
		errs = append(errs, enrolment.CheckURLs(a.Gates.URLs))
	}
	return errors.Join(errs...)
}

// there returns an error unless the path is empty or of a file.
func there(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder: name a file", filepath.Clean(path))
	}
	return nil
}
