package setup

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Report says to people what was written and what to do next. started says that the
// service runs.
func Report(a Answers, p Place, written []Written, started, chinese bool) string {
	say := func(zh, en string) string {
		if chinese {
			return zh
		}
		return en
	}
	var b strings.Builder
	words := map[string]string{"new": say("新写", "new"), "replaced": say("换新", "replaced"),
		"kept": say("保留", "kept"), "same": say("未变", "unchanged")}
	for _, w := range written {
		fmt.Fprintf(&b, "%s\t%s", words[w.Done], w.Path)
		if w.Copy != "" {
			fmt.Fprintf(&b, "  (%s %s)", say("旧的在", "before:"), w.Copy)
		}
		b.WriteByte('\n')
	}
	link := filepath.Join(p.Data, "county", "setup-link")
	steps := []string{}
	if !started {
		steps = append(
			steps,
			say("启动: ", "Start it: ")+"sudo systemctl enable --now gatehouse-collect",
		)
	}
	steps = append(
		steps,
		say("第一个用户的链接: ", "The link for the first user: ")+"sudo cat "+link,
		say("县中心网页: ", "The desk: ")+a.Desk(),
		say("门岗的规则: ", "The rules of gates: ")+"sudo gatehouse rules import --approve"+
			say("，再到网页的“规则”上传名单", ", then upload the roster on the page 规则 (Rules)"),
		say("在网页的“入网”发码，到门岗执行: ", "Make a code on the page 入网 (Enrol), and type at the gate: ")+
			"sudo systemctl enable --now gatehouse-agent gatehouse-kiosk"+
			say("，在屏幕上扫码（没有屏幕: ", ", then scan it at the screen (without one: ")+"sudo gatehouse enrol --start"+
			say("）", ")"),
		say("查毛病: ", "Look for faults: ")+"sudo gatehouse doctor",
	)
	if a.Mode() == Made || a.Mode() == Proxy {
		steps = append(
			steps,
			say("浏览器要信任的证书: ", "Browsers have to trust: ")+filepath.Join(p.Dir, tlsDir, "ca.crt"),
		)
	}
	for i, s := range steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, s)
	}
	return b.String()
}
