package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// endsSoon is how long before its end a certificate is told of.
const endsSoon = 14 * 24 * time.Hour

// own reports whether a program is ours.
func own(program string) bool { return strings.HasPrefix(program, "gatehouse") }

// ports looks at who listens where this program does.
func (e *exam) ports(context.Context) {
	for _, l := range e.Listens {
		h, taken, err := e.p.Holder(l.Address)
		switch {
		case err != nil:
			e.unseen("port", l.Address, err)
		case !taken:
			e.add(Finding{Check: "port", On: l.Address, Verdict: OK,
				What: Text{l.What + ": 端口空着（没有运行）", l.What + ": the port is free (it does not run)"}})
		case h.Program == "":
			e.add(Finding{Check: "port", On: l.Address, Verdict: Unknown,
				What: Text{l.What + ": 有程序占着，看不到是谁",
					l.What + ": a program has the port, and which one can't be seen"},
				Cure: Text{"sudo ss -ltnp | grep " + portOf(l.Address), "sudo ss -ltnp | grep " + portOf(l.Address)}})
		case own(h.Program):
			e.good("port", l.Address, l.What+": 正在运行", l.What+": it runs")
		default:
			e.add(Finding{Check: "port", On: l.Address, Verdict: Fail,
				What: Text{fmt.Sprintf("%s: 端口被 %s（进程 %d）占了", l.What, h.Program, h.PID),
					fmt.Sprintf("%s: %s (process %d) has the port", l.What, h.Program, h.PID)},
				Why: Text{"本程序启动不了", "this program can't start"},
				Cure: Text{fmt.Sprintf("停掉它: sudo systemctl disable --now %s（或 sudo kill %d），或者改配置里的端口", h.Program,
					h.PID),
					fmt.Sprintf("stop it: sudo systemctl disable --now %s (or sudo kill %d), or write another "+
						"port into the "+
						"configuration", h.Program, h.PID)}})
		}
	}
}

func portOf(address string) string { return address[strings.LastIndex(address, ":"):] }

// certificates looks at those in files.
func (e *exam) certificates(context.Context) {
	for _, c := range e.Certificates {
		cert, err := e.p.Certificate(c.Path)
		if err != nil {
			e.add(Finding{Check: "certificate", On: c.Path, Verdict: Fail,
				What: Text{EN: c.What + ": " + err.Error()},
				Why:  Text{"没有它连不上", "nobody can connect without it"},
				Cure: Text{"ls -l " + c.Path + "；县中心: sudo gatehouse setup --again；门岗: sudo gatehouse enrol --again",
					"ls -l " + c.Path + "; at the county: sudo gatehouse setup --again; at a gate: sudo " +
						"gatehouse enrol --again"}})
			continue
		}
		e.ends(c, cert)
		for _, name := range c.Names {
			if cert.VerifyHostname(name) != nil {
				e.add(Finding{Check: "certificate.names", On: c.Path, Verdict: Fail,
					What: Text{fmt.Sprintf("%s 的证书里没有 %s（有 %s）", c.What, name, namesOf(cert)),
						fmt.Sprintf("the certificate of %s is not for %s (it is for %s)", c.What, name,
							namesOf(cert))},
					Why: Text{"主机改名或换地址以后，浏览器和门岗会拒绝它",
						"the host's name or address has changed: browsers and gates refuse it"},
					Cure: Text{"重新签发: sudo gatehouse setup --again；自备的证书请签发者改名",
						"issue it again: sudo gatehouse setup --again; ask for another one where the county has " +
							"its own"}})
			}
		}
	}
}

func namesOf(c *x509.Certificate) string {
	list := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	return strings.Join(list, ", ")
}

func (e *exam) ends(c Certificate, cert *x509.Certificate) {
	now, end := e.p.Now(), cert.NotAfter
	on := end.UTC().Format(time.DateOnly)
	cure := Text{"重新签发: sudo gatehouse setup --again && sudo systemctl restart gatehouse-collect；自备的证书换新文件",
		"issue it again: sudo gatehouse setup --again && sudo systemctl restart gatehouse-collect; or bring the " +
			"new files"}
	if c.Renews {
		cure = Text{"程序自己续期；连不上县中心 30 天以上，就要新码: sudo gatehouse enrol --again",
			"the program renews it; after 30 days without the county it needs a new code: sudo gatehouse enrol " +
				"--again"}
	}
	why := Text{"到期以后谁也连不上", "nobody can connect once it has ended"}
	switch {
	case now.After(end):
		e.add(Finding{Check: "certificate", On: c.Path, Verdict: Fail, Why: why, Cure: cure,
			What: Text{c.What + " 的证书 " + on + " 已到期", "the certificate of " + c.What + " has ended on " + on}})
	case now.Before(cert.NotBefore):
		e.add(Finding{Check: "certificate", On: c.Path, Verdict: Fail, Why: why,
			What: Text{c.What + " 的证书还没生效", "the certificate of " + c.What + " does not count yet"},
			Cure: Text{"查时钟: timedatectl", "look at the clock: timedatectl"}})
	case end.Sub(now) < endsSoon:
		e.add(Finding{Check: "certificate", On: c.Path, Verdict: Warn, Why: why, Cure: cure,
			What: Text{c.What + " 的证书 " + on + " 到期", "the certificate of " + c.What + " ends on " + on}})
	default:
		e.good("certificate", c.Path, c.What+" 的证书到 "+on, "the certificate of "+c.What+" counts until "+on)
	}
}

// served looks at certificates of servers elsewhere.
func (e *exam) served(ctx context.Context) {
	for _, s := range e.Servers {
		cert, err := e.p.Served(ctx, s.Address)
		if err != nil {
			continue // the trial of the connection says it
		}
		now, on := e.p.Now(), cert.NotAfter.UTC().Format(time.DateOnly)
		f := Finding{Check: "server.certificate", On: s.Address, Verdict: OK,
			What: Text{s.What + " 的证书到 " + on, "the certificate of " + s.What + " counts until " + on},
			Why:  Text{"到期以后连不上", "nobody can connect once it has ended"},
			Cure: Text{"请县中心换新（那里: sudo gatehouse doctor）；本机时钟: timedatectl",
				"have the county renew it (there: sudo gatehouse doctor); this clock: timedatectl"}}
		switch {
		case now.After(cert.NotAfter):
			f.Verdict = Fail
		case cert.NotAfter.Sub(now) < endsSoon:
			f.Verdict = Warn
		default:
			f.Why, f.Cure = Text{}, Text{}
		}
		e.add(f)
	}
}

// names looks whether the names by which others find this computer lead to it.
func (e *exam) names(ctx context.Context) {
	for _, name := range e.Names {
		here, err := e.p.Here(ctx, name)
		cure := Text{fmt.Sprintf("改域名记录（getent hosts %s），或者改配置: sudo gatehouse setup --again", name),
			fmt.Sprintf("change the record of the name (getent hosts %s), or the configuration: sudo gatehouse "+
				"setup --again", name)}
		why := Text{"门岗和浏览器找不到县中心", "gates and browsers don't find the county"}
		switch {
		case err != nil:
			e.add(Finding{Check: "name", On: name, Verdict: Warn, Why: why, Cure: cure,
				What: Text{name + " 查不到地址: " + err.Error(), name + " has no address: " + err.Error()}})
		case !here:
			e.add(Finding{Check: "name", On: name, Verdict: Warn, Why: why, Cure: cure,
				What: Text{fmt.Sprintf("%s 不是本机（本机叫 %s）", name, e.p.HostName()),
					fmt.Sprintf("%s leads to another computer (this one is %s)", name, e.p.HostName())}})
		default:
			e.good("name", name, name+" 是本机", name+" leads to this computer")
		}
	}
}
