package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// devices looks whether each can be opened. One that the running agent has is all right.
func (e *exam) devices(context.Context) {
	for _, d := range e.Devices {
		err := e.p.Open(d)
		switch {
		case err == nil:
			e.good("device", d.Name, fmt.Sprintf("%s: %s 打得开", d.Name, d.Port), fmt.Sprintf("%s: %s opens", d.Name,
				d.Port))
		case strings.Contains(err.Error(), "in use by gatehouse"):
			e.good("device", d.Name, d.Name+": 门岗程序正在用", d.Name+": the agent has it")
		case d.Kind != Serial:
			e.add(Finding{Check: "device", On: d.Name, Verdict: Fail, What: Text{EN: d.Name + ": " + err.Error()},
				Why: Text{"没有它门岗量不了体温、开不了杆", "the gate can't measure or open without it"},
				Cure: Text{"有哪些: ls /dev/i2c-* /dev/gpiochip*；打开总线: sudo raspi-config nonint do_i2c 0；权限: sudo " +
					"usermod -aG i2c,gpio gatehouse",
					"what there is: ls /dev/i2c-* /dev/gpiochip*; switch the bus on: sudo raspi-config nonint " +
						"do_i2c 0; rights: sudo " +
						"usermod -aG i2c,gpio gatehouse"}})
		default:
			e.add(Finding{Check: "device", On: d.Name, Verdict: Fail, What: Text{EN: d.Name + ": " + err.Error()},
				Why: Text{"没有它门岗量不了体温、读不了卡或开不了杆", "the gate can't measure, read cards or open without it"},
				Cure: Text{"看插头；有哪些: ls -l /dev/serial/by-id /dev/gatehouse；权限: groups gatehouse；改配置里的 port",
					"look at the plug; what there is: ls -l /dev/serial/by-id /dev/gatehouse; rights: groups " +
						"gatehouse; mend " +
						"port in the configuration"}})
		}
	}
}

// greedy looks for programs that take serial adapters which are not theirs.
func (e *exam) greedy(context.Context) {
	if !slices.ContainsFunc(e.Devices, func(d Device) bool { return d.Kind == Serial }) {
		return
	}
	cures := map[string]string{"brltty": "sudo apt remove brltty",
		"ModemManager": "sudo systemctl disable --now ModemManager"}
	running := e.p.Running("brltty", "ModemManager")
	for _, program := range running {
		e.add(Finding{Check: "device.greedy", On: program, Verdict: Warn,
			What: Text{program + " 在运行", program + " runs"},
			Why:  Text{"它会抢串口转换器", "it takes adapters of serial ports"},
			Cure: Text{cures[program], cures[program]}})
	}
	if len(running) == 0 {
		e.good("device.greedy", "", "没有抢串口的程序", "no program that takes serial adapters runs")
	}
}

// kiosk looks at what the guard's screen needs.
func (e *exam) kiosk(context.Context) {
	if !e.Kiosk {
		return
	}
	if n, err := e.p.Screens(); err != nil {
		e.add(Finding{Check: "screen", Verdict: Unknown,
			What: Text{"看不到屏幕: " + err.Error(), "screens can't be seen: " + err.Error()},
			Why:  Text{"门卫可能看不到判定", "the guard may see no verdict"},
			Cure: Text{"装显卡驱动后重启: ls /sys/class/drm；虚拟机或没有显示口的电脑带不了门卫屏幕",
				"install the driver of the graphics and start again: ls /sys/class/drm; a virtual computer or one " +
					"without a screen's socket can't have the guard's screen"}})
	} else if n == 0 {
		e.add(Finding{Check: "screen", Verdict: Warn, What: Text{"没有接屏幕", "no screen is connected"},
			Why: Text{"门卫看不到判定", "the guard sees no verdict"},
			Cure: Text{"查电源和视频线: cat /sys/class/drm/*/status",
				"look at power and cable: cat /sys/class/drm/*/status"}})
	} else {
		e.good("screen", "", fmt.Sprintf("接了 %d 块屏幕", n), fmt.Sprintf("%d screens are connected", n))
	}
	if n, err := e.p.Sounds(); err != nil {
		e.unseen("sound", "", err)
	} else if n == 0 {
		e.add(Finding{Check: "sound", Verdict: Warn, What: Text{"没有声卡", "there is no sound card"},
			Why: Text{"红色判定不响", "red verdicts make no sound"},
			Cure: Text{"插上音箱: cat /proc/asound/cards；音量: alsamixer",
				"plug a loudspeaker in: cat /proc/asound/cards; its volume: alsamixer"}})
	} else {
		e.good("sound", "", "有声卡", "there is a sound card")
	}
	if at := e.p.Found("chromium", "chromium-browser"); at == "" {
		e.add(Finding{Check: "browser", Verdict: Warn, What: Text{"没有装浏览器", "no browser for the screen is installed"},
			Why: Text{"门卫屏幕打不开", "the guard's screen can't be shown here"},
			Cure: Text{"sudo apt install gatehouse-kiosk && sudo systemctl enable --now gatehouse-kiosk",
				"sudo apt install gatehouse-kiosk && sudo systemctl enable --now gatehouse-kiosk"}})
	} else {
		e.good("browser", at, "有浏览器 "+at, "the browser is "+at)
	}
}

// units looks at the services.
func (e *exam) units(ctx context.Context) {
	for _, name := range e.Units {
		u, err := e.p.Unit(ctx, name)
		log := "journalctl -u " + name + " -n 50"
		switch {
		case err != nil:
			e.unseen("service", name, err)
		case u.Active == "failed":
			e.add(Finding{Check: "service", On: name, Verdict: Fail,
				What: Text{name + " 失败了", name + " has failed"}, Why: Text{"服务没有运行", "it does not run"},
				Cure: Text{"看原因: " + log + "；再 sudo systemctl restart " + name,
					"see why: " + log + "; then sudo systemctl restart " + name}})
		case u.Active != "active" && u.Active != "activating" && u.Active != "reloading":
			e.add(Finding{Check: "service", On: name, Verdict: Fail,
				What: Text{name + " 没有运行（" + u.Active + "）", name + " does not run (" + u.Active + ")"},
				Why:  Text{"服务没有运行", "it does not run"},
				Cure: Text{"sudo systemctl enable --now " + name, "sudo systemctl enable --now " + name}})
		case u.Enabled != "enabled" && u.Enabled != "enabled-runtime" && u.Enabled != "static":
			e.add(Finding{Check: "service", On: name, Verdict: Warn,
				What: Text{name + " 开机不会启动（" + u.Enabled + "）", name + " does not start at boot (" + u.Enabled + ")"},
				Why:  Text{"停电以后不会自己起来", "it does not come back after a power cut"},
				Cure: Text{"sudo systemctl enable " + name, "sudo systemctl enable " + name}})
		default:
			e.good("service", name, name+" 在运行，开机启动", name+" runs, and starts at boot")
		}
	}
}
