package doctor

import (
	"context"
	"fmt"
	"time"

	"gatehouse/gateway/config"
)

// Bounds of clocks. No time before the first release can be right.
const (
	firstYear = 2020
	nearly    = 5 * time.Second
	far       = time.Minute
)

func (e *exam) clock(context.Context) {
	now := e.p.Now()
	switch {
	case now.Year() < firstYear:
		e.add(Finding{Check: "clock.year", Verdict: Fail,
			What: Text{fmt.Sprintf("本机时钟是 %s", now.UTC().Format(time.DateTime)),
				fmt.Sprintf("this computer's clock says %s", now.UTC().Format(time.DateTime))},
			Why: Text{"证书会被当成还没生效，记录的时间是错的", "certificates seem not to count yet, and records get wrong times"},
			Cure: Text{"联网对时: sudo timedatectl set-ntp true；没有网络: sudo timedatectl set-time '2026-01-31 " +
				"08:00:00'，并换时钟电池",
				"set it: sudo timedatectl set-ntp true; without a network: sudo timedatectl set-time '2026-01-31 " +
					"08:00:00', and " +
					"replace the clock's battery"}})
	case !e.p.Synchronised():
		e.add(Finding{Check: "clock.sync", Verdict: Warn,
			What: Text{"时钟没有对时", "the clock is not synchronised"},
			Why:  Text{"记录会标上“时间不准”", "records are marked as of an unsure time"},
			Cure: Text{"sudo apt install systemd-timesyncd && sudo timedatectl set-ntp true",
				"sudo apt install systemd-timesyncd && sudo timedatectl set-ntp true"}})
	default:
		e.good("clock.sync", "", "时钟已对时", "the clock is synchronised")
	}
	zone, err := config.Zone(e.Zone)
	if err != nil {
		return // the configuration's check says it
	}
	_, want := now.In(zone).Zone()
	if here, is := now.In(e.p.HostZone()).Zone(); is != want {
		e.add(Finding{Check: "clock.zone", On: here, Verdict: Warn,
			What: Text{fmt.Sprintf("本机时区 %s 不是县的 %s", here, zone),
				fmt.Sprintf("this computer's time zone %s is not the county's, %s", here, zone)},
			Why: Text{"日志的时间和屏幕的时间对不上", "times in the log differ from those on the screens"},
			Cure: Text{"sudo timedatectl set-timezone " + zone.String(), "sudo timedatectl set-timezone " +
				zone.String()}})
		return
	}
	e.good("clock.zone", "", "时区与县一致", "the time zone is the county's")
}

// county compares the clock with the desk's, from a gate.
func (e *exam) county(ctx context.Context) {
	for _, url := range e.Desks {
		at, err := e.p.Date(ctx, url)
		if err != nil {
			e.add(Finding{Check: "desk.reach", On: url, Verdict: Warn,
				What: Text{"连不上县中心网页: " + err.Error(), "the desk can't be reached: " + err.Error()},
				Why: Text{"证书到期前要在那里续期，新规则也从那里来",
					"the certificate is renewed there before it ends"},
				Cure: Text{"查网线、路由器和地址: curl -kI " + url, "look at cable, router and address: curl -kI " + url}})
			continue
		}
		e.good("desk.reach", url, "连得上县中心网页", "the desk answers")
		apart := e.p.Now().Sub(at)
		if apart < 0 {
			apart = -apart
		}
		switch {
		case apart > far:
			e.add(Finding{Check: "clock.county", On: url, Verdict: Fail,
				What: Text{fmt.Sprintf("本机时钟与县中心差 %s", apart.Round(time.Second)),
					fmt.Sprintf("this clock and the county's are %s apart", apart.Round(time.Second))},
				Why: Text{"通行时间是错的，命令和通行证会被当成过期", "passages get wrong times, and commands and passes seem too old"},
				Cure: Text{"对时: sudo timedatectl set-ntp true，并查县中心的时钟",
					"synchronise both: sudo timedatectl set-ntp true"}})
		case apart > nearly:
			e.add(Finding{Check: "clock.county", On: url, Verdict: Warn,
				What: Text{fmt.Sprintf("本机时钟与县中心差 %s", apart.Round(time.Second)),
					fmt.Sprintf("this clock and the county's are %s apart", apart.Round(time.Second))},
				Why:  Text{"差得再多，命令会被当成过期", "if it grows, commands seem too old"},
				Cure: Text{"sudo timedatectl set-ntp true", "sudo timedatectl set-ntp true"}})
		default:
			e.good("clock.county", url, "时钟与县中心一致", "the clock agrees with the county's")
		}
		return // one desk is enough for the clock
	}
}
