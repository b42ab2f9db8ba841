package setup

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gatehouse/gateway/config"
)

// text returns the collector's configuration.
func text(a Answers, p Place, now time.Time) []byte {
	var b strings.Builder
	fmt.Fprintf(
		&b,
		`# %s县中心的配置，由 gatehouse setup 写成。改后先查、再启动；每个键见 /usr/share/doc/gatehouse/deploy/collect.example.yaml。
# The collector's configuration, written by gatehouse setup on %s. After a change:
#   gatehouse config check && systemctl restart gatehouse-collect
# Relative paths are relative to this file's folder. An unknown key is an error.
county: %s
dir: %s             # 钥匙、数据、消息：要备份。keys, store, broker state: back this folder up
ca_dir: %s       # 签发机构的钥匙：另存一份。the authority's key: keep a copy elsewhere
sites: %s                # 门岗名册。communities, compounds and their gates
time_zone: %s
`,
		title(a.Name),
		now.UTC().Format(time.DateOnly),
		a.County,
		plain(filepath.Join(p.Data, "county")),
		plain(
			filepath.Join(p.Data, "county-ca"),
		),
		sitesFile,
		cmp.Or(a.TimeZone, config.DefaultZone),
	)
	b.WriteString(a.broker())
	b.WriteString(a.desk(p))
	b.WriteString(a.enrol())
	b.WriteString(a.influx())
	b.WriteString(
		`# 旧记录自动删除（不写则永久保存）。Old records of SQLite are removed; without this they stay for ever:
# retention:
#   readings: 14d
#   passages: 30d
#   health: 30d
# 备份（每夜一次），见 BACKUP.md。A backup each night:
# backup:
#   dir: /var/lib/gatehouse-backup
#   recipients: [age1...]        # as age-keygen -y prints them
# 规则由两人批准。Another user than the author approves rules (RULES.md):
# rules: {two_people: true}
# 全部门岗注册以后：只收签名的数据。Once all gates are enrolled, take only what is signed:
# require_signed: true
`,
	)
	return []byte(b.String())
}

// plain returns a path as YAML text, in quotes where it needs them.
func plain(at string) string {
	if strings.Trim(
		at,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-",
	) == "" {
		return at
	}
	return strconv.Quote(at)
}

// title returns a name before Chinese words, without a second 县, in one line: it stands in a
// comment.
func title(name string) string {
	name = strings.Join(strings.FieldsFunc(name, unicode.IsControl), " ")
	if n, ends := strings.CutSuffix(name, "县"); ends {
		return n
	}
	return name + " "
}

func (a Answers) broker() string {
	switch {
	case a.Broker != "":
		return fmt.Sprintf(
			"broker:                        # 另一台消息服务器，见 BROKERS.md。another broker\n"+
				"  external:\n    url: %s\n",
			a.Broker,
		)
	case a.Mode() == None:
		return fmt.Sprintf(
			"broker:                        # 只有本机能连。only this computer reaches it\n"+
				"  embedded:\n    listen: 127.0.0.1:%d\n",
			a.brokerPort(),
		)
	}
	return fmt.Sprintf(
		"broker:                        # 门岗用证书连接。gates come in with their certificates\n"+
			"  embedded:\n    listen: 0.0.0.0:%d\n    tls: {cert: %s, key: %[3]s}\n",
		a.brokerPort(),
		serverCert,
		serverKey,
	)
}

// Where the server's certificate and key lie.
var (
	serverCert = path.Join(tlsDir, "server.crt")
	serverKey  = path.Join(tlsDir, "server.key")
)

func (a Answers) desk(p Place) string {
	head := "desk:                          # 县中心网页。the county's desk: " + a.Desk() + "\n"
	switch a.Mode() {
	case None:
		return head + fmt.Sprintf("  listen: 127.0.0.1:%d\n", a.deskPort())
	case Proxy:
		return head + fmt.Sprintf(
			"  listen: 127.0.0.1:%d       # behind a web server of this computer, see PROXY.md\n"+
				"  hosts: [%q]\n  proxies: [127.0.0.1]\n",
			a.deskPort(),
			a.Address,
		)
	}
	hosts := fmt.Sprintf("%q", a.Address)
	if p.Host != "" && p.Host != a.Address {
		hosts += fmt.Sprintf(", %q", p.Host)
	}
	return head + fmt.Sprintf(
		"  listen: 0.0.0.0:%d\n  tls: {cert: %s, key: %s}\n  hosts: [%s]\n",
		a.deskPort(),
		serverCert,
		serverKey,
		hosts,
	)
}

func (a Answers) enrol() string {
	urls := a.Gates.URLs
	if len(urls) == 0 {
		urls = []string{a.Desk()}
	}
	quoted := make([]string, 0, len(urls))
	for _, u := range urls {
		quoted = append(quoted, fmt.Sprintf("%q", u))
	}
	return fmt.Sprintf(
		"enrol:                         # 门岗凭一次性注册码入网，见 ENROL.md。gates go into service with a code\n"+
			"  urls: [%s]   # how gates reach the desk\n"+
			"  files: %s                 # what gates get: default, and a folder for each gate that differs\n",
		strings.Join(quoted, ", "),
		enrolDir,
	)
}

func (a Answers) influx() string {
	if a.Influx == (Influx{}) {
		return "# influx:                      # 数据存 InfluxDB，不写则存 SQLite。telemetry into InfluxDB, see INFLUXDB.md\n"
	}
	out := fmt.Sprintf(
		"influx:                        # 数据存 InfluxDB。telemetry goes here, see INFLUXDB.md\n  url: %s\n",
		a.Influx.URL,
	)
	if a.Influx.Org != "" {
		out += fmt.Sprintf("  org: %q\n", a.Influx.Org)
	}
	out += fmt.Sprintf("  bucket: %q\n", a.Influx.Bucket)
	if a.Influx.TokenFile != "" {
		out += "  token_file: " + tokenFile + "\n"
	}
	return out
}
