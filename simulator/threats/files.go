package threats

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/selfsigned"

	"golang.org/x/crypto/bcrypt"
)

const rules = `version: "1"
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}
classes:
  resident: {fever: go-home, directions: [in, out]}
`

const roster = "card,class,status,household,from,until\n62E3086CED,resident,active,1,,\n"

// sitesFile has an HTML element in a name that people give.
const sitesFile = `county: qinghe
name: 清和县
crs: WGS-84
communities:
  - id: c1
    name: 东城社区
    grids: [{id: g1, name: 一, compounds: [{id: k1, name: "<svg onload=hit=1>丽景苑",
      gates: [gate-001, gate-002, gate-003, gate-009]}]}]
`

// write writes what the county's programs need.
func (c *county) write(ctx context.Context) (err error) {
	if c.broker, err = loopback.Free(ctx); err != nil {
		return err
	}
	if c.desk, err = loopback.Free(ctx); err != nil {
		return err
	}
	brokerScheme, deskScheme := c.scheme()
	c.url = deskScheme + "://" + c.desk
	list, err := users()
	if err != nil {
		return err
	}
	broker := fmt.Sprintf(
		"broker: {embedded: {listen: %q, users_file: users, tls: {cert: enrol/default/server.crt, "+
			"key: server.key}}}\ndesk: {listen: %q, tls: {cert: enrol/default/server.crt, key: server.key}}\n",
		c.broker,
		c.desk,
	)
	if c.where != own {
		broker = fmt.Sprintf("broker: {external: {url: \"tcp://%s\"}}\nrequire_signed: true\ndesk: {listen: %q}\n",
			c.broker, c.desk)
	}
	if c.where == ending {
		of, err := epochPeople()
		if err != nil {
			return err
		}
		broker += of
	}
	ca := ", ca: server.crt"
	if c.where != own {
		ca = ""
	}
	for name, text := range map[string]string{
		"users":                     list,
		"sites.yaml":                sitesFile,
		"enrol/default/agent.yaml":  fmt.Sprintf("broker: {url: \"%s://%s\"%s}\n", brokerScheme, c.broker, ca),
		"enrol/default/policy.yaml": rules,
		"enrol/default/roster.csv":  roster,
		"collect.yaml": "county: qinghe\ndir: county\nsites: sites.yaml\n" + broker +
			fmt.Sprintf("enrol: {urls: [%q], files: enrol}\n", c.url),
	} {
		if err := c.put(name, text); err != nil {
			return err
		}
	}
	return selfsigned.Write(c.path("enrol/default/server.crt"), c.path("server.key"))
}

// epochPeople returns that the county has epochs, which two people open.
func epochPeople() (string, error) {
	_, one, err := sealed.NewKey()
	_, other, err1 := sealed.NewKey()
	return fmt.Sprintf("epochs: {people: {wang: %s, zhao: %s}}\n", one, other), errors.Join(err, err1)
}

// putGateFiles writes what one gate gets besides: its devices and its guard's screen.
func (c *county) putGateFiles(g *gate) error {
	var serial []station.Device
	for _, d := range g.hw.Devices() {
		if d.Model != "gpio-outputs" {
			serial = append(serial, d)
		}
	}
	devices, err := config.Write(struct {
		Devices []station.Device `yaml:"devices"`
	}{serial})
	if err != nil {
		return err
	}
	common, err := os.ReadFile(c.path("enrol", "default", "agent.yaml"))
	if err != nil {
		return err
	}
	folder := filepath.Join("enrol", g.id)
	if err := c.put(filepath.Join(folder, "devices.yaml"), string(devices)); err != nil {
		return err
	}
	return c.put(filepath.Join(folder, "agent.yaml"), string(common)+
		fmt.Sprintf("kiosk: {listen: %q, title: \"${compound} ${gate}\"}\n", g.kiosk))
}

// users returns the broker's users file.
func users() (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return "", err
	}
	var text string
	for _, u := range []struct{ name, kind string }{{watcher, "reader"}, {fogger, "machine"}, {byHand, ""}} {
		text += u.name + ":" + string(hash)
		if u.kind != "" {
			text += ":" + u.kind
		}
		text += "\n"
	}
	return text, nil
}
