package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/doctor"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/version"
)

// tryFor bounds one trial.
const tryFor = 10 * time.Second

// collectorTrials tries what a collector needs; installed says that it is a service.
func collectorTrials(cfg centre.Config, p doctor.Probe, installed bool) []doctor.Trial {
	trials := []doctor.Trial{{Check: "store", On: cfg.Dir,
		Why: doctor.Text{ZH: "数据库坏了就存不下新数据", EN: "nothing more can be stored in a damaged database"},
		Cure: doctor.Text{ZH: "打不开就查主人: sudo ls -l " + cfg.Dir + "；坏了就停止服务，保留坏文件，从备份恢复: gatehouse restore（见 " +
			"BACKUP.md）；门岗会补传 7 天内的记录",
			EN: "if it can't be opened, look whose it is: sudo ls -l " + cfg.Dir + "; if it is damaged, stop the " +
				"service, keep the damaged file, and restore a backup: gatehouse restore (BACKUP.md); " +
				"gates send what " +
				"they hold of 7 days again"},
		Try: func(ctx context.Context) (doctor.Text, error, error) {
			ctx, cancel := context.WithTimeout(ctx, tryFor)
			defer cancel()
			err := cfg.TryFiles(ctx)
			if err != nil && ctx.Err() != nil {
				return doctor.Text{ZH: "数据库太大，没有全部查完", EN: "the database is too large to be read through here"}, nil,
					nil
			}
			return doctor.Text{ZH: "数据库完好", EN: "the databases are whole"}, nil, err
		}}, {Check: "authority", On: cfg.AuthorityDir(),
		Why: doctor.Text{ZH: "没有它，新门岗不能注册，旧证书不能续期", EN: "without it no gate is enrolled and no certificate renewed"},
		Cure: doctor.Text{ZH: "挂上它的磁盘，或者放回另存的一份；真丢了: gatehouse collect --new-authority 一次（见 ENROL.md）",
			EN: "mount its disk, or bring back the copy of it; if it is lost: gatehouse collect --new-authority " +
				"once (ENROL.md)"},
		Try: func(context.Context) (doctor.Text, error, error) {
			return doctor.Text{ZH: "签发机构完好", EN: "the authority is whole"}, nil, cfg.TryAuthority()
		}}}
	if cfg.Influx != nil {
		trials = append(trials, influxTrial(cfg))
	}
	return append(trials, backupTrial(cfg, p, installed))
}

func influxTrial(cfg centre.Config) doctor.Trial {
	return doctor.Trial{Check: "influx", On: cfg.Influx.URL,
		Why: doctor.Text{ZH: "新数据存不下，积压在门岗", EN: "nothing is stored: records wait at the gates"},
		Cure: doctor.Text{ZH: "看 InfluxDB: systemctl status influxdb；地址、bucket 和 token 在 collect.yaml 的 influx",
			EN: "look at InfluxDB: systemctl status influxdb; its url, bucket and token are under influx in " +
				"collect.yaml"},
		Try: func(ctx context.Context) (doctor.Text, error, error) {
			ctx, cancel := context.WithTimeout(ctx, tryFor)
			defer cancel()
			return doctor.Text{ZH: "InfluxDB 可用", EN: "InfluxDB answers for the bucket"}, nil, cfg.TryInflux(ctx)
		}}
}

// backupUnit is the service that makes backups.
const backupUnit = "gatehouse-backup.service"

func backupTrial(cfg centre.Config, p doctor.Probe, installed bool) doctor.Trial {
	return doctor.Trial{Check: "backup", On: cfg.Dir,
		Why: doctor.Text{ZH: "磁盘坏了就全没有了", EN: "all is lost with the disk"},
		Cure: doctor.Text{ZH: "配置 backup（见 BACKUP.md），再 sudo systemctl enable --now gatehouse-backup.timer，或马上: " +
			"gatehouse backup",
			EN: "configure backup (BACKUP.md), then sudo systemctl enable --now gatehouse-backup.timer, or at " +
				"once: gatehouse backup"},
		Try: func(ctx context.Context) (doctor.Text, error, error) {
			if !isThere(cfg.Dir) {
				return doctor.Text{ZH: "还没有要备份的", EN: "there is nothing to back up yet"}, nil, nil
			}
			if cfg.Backup == nil {
				return doctor.Text{}, errors.New("no backup is configured"), nil
			}
			last, ok, err := cfg.LastBackup()
			failed := false
			if installed { // where systemd can't be asked, the age of the last good one says it
				u, unseen := p.Unit(ctx, backupUnit)
				failed = unseen == nil && u.Active == "failed"
			}
			switch {
			case err != nil:
				return doctor.Text{}, nil, err
			case failed:
				return doctor.Text{}, fmt.Errorf("the last backup has failed: journalctl -u %s -n 50", backupUnit), nil
			case !ok:
				return doctor.Text{}, errors.New("no backup was made yet"), nil
			case p.Now().Sub(last.At) > cfg.Backup.Late():
				return doctor.Text{}, fmt.Errorf("the last good backup is of %s", last.At.UTC().Format(time.RFC3339)),
					nil
			}
			return doctor.Text{ZH: "最近有备份", EN: "the last good backup is recent"}, nil, nil
		}}
}

// brokerTrial connects to a broker as the service does, and reads the county's status there.
func brokerTrial(b mqtt.Broker, county, gate string) doctor.Trial {
	return doctor.Trial{Check: "broker", On: b.URL,
		Why: doctor.Text{ZH: "记录送不到县里，积压在本机", EN: "records don't reach the county, and wait here"},
		Cure: doctor.Text{ZH: "照上面说的改 broker（BROKERS.md），查网线，再查县中心: sudo gatehouse doctor",
			EN: "mend broker as is said (BROKERS.md), look at the cable, then at the county: sudo gatehouse doctor"},
		Try: func(ctx context.Context) (doctor.Text, error, error) {
			ctx, cancel := context.WithTimeout(ctx, tryFor)
			defer cancel()
			st, err := collect.StatusAt(ctx, b, county, clientID(gate))
			if err != nil {
				return doctor.Text{}, nil, err
			}
			switch {
			case gate != "" && st == nil:
				return doctor.Text{}, fmt.Errorf("the broker at %s answers, and no collector of %s has said "+
					"anything there: "+
					"is it running?", b.URL, county), nil
			case gate != "" && st.Version != version.String:
				return doctor.Text{}, fmt.Errorf("the county has version %s, this gate %s: take the county's "+
					"(gatehouse upgrade)", st.Version, version.String), nil
			}
			return doctor.Text{ZH: "连得上消息服务器", EN: "the broker lets us in"}, nil, nil
		}}
}

// clientID returns one that is not the agent's, which goes on; brokers take what begins with
// a gate's name for that gate.
func clientID(gate string) string {
	if gate == "" {
		gate = "county"
	}
	return fmt.Sprintf("%s-doctor-%d", gate, os.Getpid())
}

// mostWaiting is how many records may wait before it is told: some hours of a gate.
const mostWaiting = 20_000

func journalTrial(dir string) doctor.Trial {
	return doctor.Trial{Check: "journal", On: dir,
		Why: doctor.Text{ZH: "记录在这里等县里确认", EN: "records wait here for the county"},
		Cure: doctor.Text{ZH: "细查: gatehouse journal verify --dir " + dir + "；积压就查网络和县中心",
			EN: "look closer: gatehouse journal verify --dir " + dir + "; if much waits, at the network and the " +
				"county"},
		Try: func(context.Context) (doctor.Text, error, error) {
			if !isThere(dir) {
				return doctor.Text{ZH: "还没有日志", EN: "there is no journal yet"}, nil, nil
			}
			v, err := journal.Look(dir)
			if errors.Is(err, os.ErrNotExist) {
				return doctor.Text{ZH: "还没有日志", EN: "there is no journal yet"}, nil, nil
			}
			if err != nil {
				return doctor.Text{}, nil, err
			}
			defer v.Close()
			if len(v.Problems) > 0 {
				return doctor.Text{}, nil, errors.New(v.Problems[0])
			}
			if v.Last > v.State.Through && v.Last-v.State.Through > mostWaiting {
				return doctor.Text{}, fmt.Errorf("%d records wait for the county", v.Last-v.State.Through), nil
			}
			return doctor.Text{ZH: "日志完好", EN: "the journal is whole"}, nil, nil
		}}
}
