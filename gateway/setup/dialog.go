package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"gatehouse/gateway/config"
)

// ErrEnded means that the input ended before all questions were answered.
var ErrEnded = errors.New("ended before the last question was answered: nothing was written")

// Lines returns the next line of the input; false: there is none.
type Lines func(ctx context.Context) (line string, ok bool)

// Dialog asks the questions in a terminal. Each answer is checked at once, and asked
// again while it is wrong. Chinese is set for zh, else it asks in English.
type Dialog struct {
	Next    Lines
	Out     io.Writer
	Chinese bool
}

// field is a question: what it asks, and where its answer goes.
type field struct {
	key    string // of Asks
	zh, en string
	of     func(*Answers) *string
	usual  func(a Answers, zh bool) string // what counts when the answer is empty, for people
}

// first are the questions that must be answered.
func first() []field {
	return []field{
		{"county", "县的短名，用字母，如 qinghe", "Short name of the county in letters, like qinghe",
			func(a *Answers) *string { return &a.County }, nil},
		{
			"address",
			"本机地址：门岗和浏览器用的名称或 IP 地址（留空：只有本机能用）",
			"Address of this computer, name or IP, for gates and browsers (empty: this computer only)",
			func(a *Answers) *string { return &a.Address },
			nil,
		},
		{"sites", "门岗名册文件的路径（留空：先建一个门岗）",
			"Path of the sites file (empty: begin with one gate)",
			func(a *Answers) *string { return &a.Sites }, nil},
	}
}

// others are the questions that have good defaults.
func others() []field {
	return []field{
		{"", "县的名称", "Name of the county", func(a *Answers) *string { return &a.Name },
			func(a Answers, zh bool) string {
				return cmp.Or(a.Name, either(zh, "按名册", "as in the sites file"))
			}},
		{
			"tls",
			"证书 made 自制, own 自备, proxy 由网页服务器负责, none 只用本机",
			"Certificates: made, own, proxy (a web server here does the TLS), none (this computer only)",
			func(a *Answers) *string { return (*string)(&a.TLS.Mode) },
			func(a Answers, _ bool) string { return string(a.Mode()) },
		},
		{
			"tls",
			"自备证书的 PEM 文件",
			"Own certificate, PEM file",
			func(a *Answers) *string { return &a.TLS.Cert },
			nil,
		},
		{
			"tls",
			"自备证书的钥匙文件",
			"Its key, PEM file",
			func(a *Answers) *string { return &a.TLS.Key },
			nil,
		},
		{"time_zone", "时区", "Time zone", func(a *Answers) *string { return &a.TimeZone },
			func(a Answers, _ bool) string { return cmp.Or(a.TimeZone, config.DefaultZone) }},
		{"influx", "InfluxDB 的网址（留空：SQLite）", "URL of InfluxDB (empty: SQLite)",
			func(a *Answers) *string { return &a.Influx.URL },
			func(a Answers, _ bool) string { return cmp.Or(a.Influx.URL, "SQLite") }},
		{
			"influx",
			"InfluxDB 的 bucket",
			"Bucket of InfluxDB",
			func(a *Answers) *string { return &a.Influx.Bucket },
			nil,
		},
		{
			"influx",
			"InfluxDB 的 org（2.x）",
			"Org of InfluxDB (2.x)",
			func(a *Answers) *string { return &a.Influx.Org },
			nil,
		},
		{"influx", "InfluxDB 的 token 文件", "File with the token of InfluxDB",
			func(a *Answers) *string { return &a.Influx.TokenFile }, nil},
		{"broker", "另一台消息服务器的网址（留空：自带的）", "URL of another broker (empty: the own one)",
			func(a *Answers) *string { return &a.Broker },
			func(a Answers, zh bool) string { return cmp.Or(a.Broker, either(zh, "自带的", "embedded")) }},
	}
}

func (d *Dialog) say(zh, en string) { fmt.Fprintln(d.Out, either(d.Chinese, zh, en)) }

func either(chinese bool, zh, en string) string {
	if chinese {
		return zh
	}
	return en
}

// Run asks until all answers are right and somebody has agreed to them. The error is
// ErrEnded when the input or ctx ends before.
func (d *Dialog) Run(ctx context.Context, a Answers) (Answers, error) {
	d.say("三个问题。回车取默认值；Ctrl-C 退出，什么也不写。",
		"Three questions. Enter takes the default; Ctrl-C ends, and nothing is written.")
	list := first()
	for i, f := range list {
		if err := d.ask(ctx, fmt.Sprintf("%d/%d", i+1, len(list)), f, &a); err != nil {
			return a, err
		}
	}
	rest := others()
	for {
		d.say("其余取默认值：", "The rest has defaults:")
		for i, f := range rest {
			value := *f.of(&a)
			if f.usual != nil {
				value = f.usual(a, d.Chinese)
			}
			fmt.Fprintf(d.Out, "  %d  %s: %s\n", i+1, d.words(f), value)
		}
		err := a.Check()
		if err != nil {
			fmt.Fprintln(d.Out, err)
		}
		d.say("回车写入；要改哪一项，输入它的序号：", "Enter writes the files; a number changes that line:")
		line, ok := d.Next(ctx)
		if !ok {
			return a, ErrEnded
		}
		n := 0
		if line = strings.TrimSpace(line); line == "" && err == nil {
			return a, nil
		}
		if _, bad := fmt.Sscanf(line, "%d", &n); bad == nil && n >= 1 && n <= len(rest) {
			if err := d.change(ctx, rest[n-1], &a); err != nil {
				return a, err
			}
		}
	}
}

func (d *Dialog) words(f field) string { return either(d.Chinese, f.zh, f.en) }

// ask asks one question until its answer is right. Enter takes what is there.
func (d *Dialog) ask(ctx context.Context, number string, f field, a *Answers) error {
	for {
		at := f.of(a)
		fmt.Fprintf(d.Out, "%s %s [%s]: ", number, d.words(f), *at)
		line, ok := d.Next(ctx)
		if !ok {
			return ErrEnded
		}
		if line = strings.TrimSpace(line); line != "" {
			*at = line
		}
		err := check(f.key, *a)
		if err == nil {
			return nil
		}
		fmt.Fprintln(d.Out, err)
		*at = ""
	}
}

// change asks for one of the other answers. A single - empties it. What is wrong with it
// together with others is said in the list.
func (d *Dialog) change(ctx context.Context, f field, a *Answers) error {
	fmt.Fprintf(d.Out, "%s [%s]: ", d.words(f), *f.of(a))
	line, ok := d.Next(ctx)
	if !ok {
		return ErrEnded
	}
	switch line = strings.TrimSpace(line); line {
	case "":
	case "-":
		*f.of(a) = ""
	default:
		*f.of(a) = line
	}
	return nil
}

func check(key string, a Answers) error {
	for _, ask := range Asks() {
		if ask.Key == key {
			return ask.Check(a)
		}
	}
	return nil
}
