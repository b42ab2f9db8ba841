package end

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/county/audit"
)

// Certificate is what stands in the certificate of a county's end besides its status.
type Certificate struct {
	Status Status
	County string
	Name   string // as people know it
	Audit  string // the newest entry of the audit: its number and hash
	Made   time.Time
	Zone   *time.Location
}

// signature divides the text from what vouches for it.
const signature = "\n---- Ed25519 ----\n"

// names of the states in a certificate.
var names = map[State]string{
	Ended: "已回执 ended", Told: "未应答 has not answered",
	Revoked: "已吊销，需人工取回 revoked: to be fetched by hand",
	Unknown: "未登记，需人工取回 never enrolled: to be fetched by hand", Anew: "其后重新启用 enrolled again since"}

// names of the tasks in a certificate.
var tasks = map[string]string{"decision": "决定 decision",
	"keys": "假名密钥、保管密钥 keys of pseudonyms and of lists", "lists": "名册、值守人员、通讯录 rosters, guards, contacts",
	"records": "通行与测温记录、隔离区 records and quarantine", "desk": "值班台通行与警情 passages and alerts of the desk",
	"broker": "消息代理的队列 queues of the broker", "free pages": "数据库空闲页 free pages of databases",
	"scan": "残留假名检查 scan for pseudonyms"}

// Text returns the certificate, in Chinese and English, signed by the collector's key.
func (c Certificate) Text(key ed25519.PrivateKey) string {
	day := func(t time.Time) string { return t.In(c.Zone).Format("2006-01-02 15:04:05 -0700") }
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	s := c.Status
	line("数据销毁证明 · Certificate of destruction\n")
	line("县 County:                 %s (%s)", c.Name, c.County)
	line("编号 Number:               %s", s.ID)
	line("决定 Decided:              %s, %s", day(s.Begun), s.By)
	line("完成 Finished:             %s", day(s.Finished))
	line("出具 Issued:               %s\n", day(c.Made))
	absent := s.Absent()
	line("岗位 Gates: %d，已回执 ended %d，未应答 missing %d", len(s.Gates), len(s.Gates)-len(absent), len(absent))
	for _, g := range s.Gates {
		if g.State == Ended {
			line("  %-24s %s  %s  记录 records to %d", g.Agent, names[g.State], day(g.Received), g.Retired.Through)
		} else {
			line("  %-24s %s", g.Agent, names[g.State])
		}
	}
	line("\n县里已销毁 Destroyed at the county:")
	for _, x := range s.Steps {
		line("  %s  %s: %s", day(x.Done), tasks[x.Name], x.Detail)
	}
	line("\n保留 What stays: 每小时人数、消杀作业、操作审计 hourly counts, runs of machines, the audit of acts.")
	line("审计末条 Newest audit entry: %s", c.Audit)
	line("\n文件已删除并同步到磁盘。闪存和固态盘上旧内容可能仍在未映射的块中；需要确保时请销毁介质。备份及异地副本须另行销毁。")
	line(
		"Files were removed and their folders synced. On flash, old content may stay in blocks that the disk does\n" +
			"not show any more: destroy the medium where that matters. Backups and copies elsewhere must go, too.",
	)
	line("\n签字 Signatures: ______________________    ______________________")
	text := b.String()
	return text + signature + base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(text))) + "\n"
}

// Certificate returns the certificate of the newest end, with times of a zone. The error
// wraps ErrNotBegun or ErrGoesOn when there is nothing to certify yet.
func (e *Ends) Certificate(ctx context.Context, zone *time.Location) (string, error) {
	s, err := e.Status(ctx)
	if err == nil && s.Finished.IsZero() {
		err = ErrGoesOn
	}
	if err != nil {
		return "", err
	}
	head, err := audit.New(e.opts.File, e.opts.Now).Head(ctx)
	if err != nil {
		return "", err
	}
	return Certificate{Status: s, County: e.opts.County, Name: e.opts.Name, Made: e.opts.Now(), Zone: zone,
		Audit: fmt.Sprintf("%d, SHA-256 %s", head.N, head.Hash)}.Text(e.opts.Key), nil
}

// ErrCertificate says that a certificate is not signed by the county, or was changed.
var ErrCertificate = errors.New("the certificate is not signed by this key, or was changed")

// Verify returns ErrCertificate unless key has signed a certificate.
func Verify(certificate string, key ed25519.PublicKey) error {
	text, sig, found := strings.Cut(certificate, signature)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(sig))
	if !found || err != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, []byte(text), raw) {
		return ErrCertificate
	}
	return nil
}
