package prove

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// databases are faults of InfluxDB.
func databases() []Fault {
	slow := answering(29, "influx-slow", "InfluxDB takes 60 s for a write", "timed out, no watermark",
		faults.Answer{Slow: time.Minute}, 22*time.Second, printed("does not answer"))
	slow.slow = true
	return []Fault{
		answering(25, "influx-401", "InfluxDB refuses the token", "nothing goes to quarantine, it resumes",
			faults.Answer{Status: 401}, 6*time.Second, printed("must hold user:password")),
		answering(26, "influx-429", "InfluxDB answers 429 with Retry-After: 3", "obeyed",
			faults.Answer{Status: 429, RetryAfter: 3}, 8*time.Second, obeyedRetryAfter),
		{
			Row:        27,
			Name:       "influx-partial",
			What:       "InfluxDB answers 400 for one point and stores the others of the write",
			Expect:     "bisected: only that point goes to quarantine",
			influx:     true,
			quarantine: 1,
			inject:     refuseOnePoint,
			verify: func(_ *rig, result Result) error {
				if result.Quarantined != 1 {
					return fmt.Errorf("%d records are in quarantine, one was refused", result.Quarantined)
				}
				return nil
			},
		},
		answering(28, "influx-answer-lost", "InfluxDB writes and its answer is lost",
			"the identical points are written again", faults.Answer{Lose: true}, 6*time.Second,
			printed("does not answer")),
		slow,
		answering(49, "influx-answers-200-html", "a proxy answers 200 with a page instead of InfluxDB",
			"nothing is acknowledged, no term begins, it resumes", faults.Answer{Page: true}, 6*time.Second,
			printed("not an InfluxDB")),
		{
			Row:        30,
			Name:       "type-conflict",
			What:       "a field has another type in InfluxDB; somebody sends NaN",
			Expect:     "quarantined, the rest commits",
			influx:     true,
			quarantine: 4,
			inject:     typeConflict,
			verify: func(_ *rig, result Result) error {
				if result.Quarantined < 2 {
					return fmt.Errorf("%d messages are in quarantine, want the conflict and the NaN",
						result.Quarantined)
				}
				return nil
			},
		},
	}
}

// answering returns a fault in which InfluxDB answers writes with a for d. check
// is called at the end of that time.
func answering(row int, name, what, expect string, a faults.Answer, d time.Duration,
	check func(r *rig) error) Fault {
	return Fault{
		Row:    row,
		Name:   name,
		What:   what,
		Expect: expect,
		influx: true,
		inject: func(ctx context.Context, r *rig) error {
			r.influx.Set(a)
			r.wait(ctx, d)
			waited := r.backlog(ctx)
			err := check(r)
			r.influx.Set(faults.Answer{})
			r.note("%d records waited", waited)
			return err
		},
	}
}

// printed returns a check that the collector has printed text.
func printed(text string) func(r *rig) error {
	return func(r *rig) error { return printedBy(r.collector, text) }
}

func printedBy(p *process, text string) error {
	if !strings.Contains(p.printed(), text) {
		return fmt.Errorf("%s does not print %q:\n%s", p.Name, text, p.tail())
	}
	return nil
}

// obeyedRetryAfter checks that writes were 3 s apart.
func obeyedRetryAfter(r *rig) error {
	times := r.influx.Writes()
	for i := 1; i < len(times); i++ {
		if gap := times[i].Sub(times[i-1]); gap < 2900*time.Millisecond {
			return fmt.Errorf("written again after %s, told to wait for 3 s", gap)
		}
	}
	if len(times) < 2 {
		return errors.New("nothing was written again")
	}
	return nil
}

// refuseOnePoint refuses the first reading that is written, always.
func refuseOnePoint(ctx context.Context, r *rig) error {
	var mu sync.Mutex
	offender := ""
	r.influx.Set(faults.Answer{Refuse: func(line string) bool {
		mu.Lock()
		defer mu.Unlock()
		if offender == "" && strings.HasPrefix(line, "card_reading") {
			offender = line
		}
		return line == offender
	}})
	r.wait(ctx, 6*time.Second)
	return nil
}

// typeConflict writes a field of health records with another type before any
// agent does, and unplugs a device; then it sends NaN.
func typeConflict(ctx context.Context, r *rig) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		r.database.URL+"/write?db="+strings.Split(influxd.Bucket, "/")[0],
		strings.NewReader(fmt.Sprintf("device_health,agent=nobody detail=1i %d", time.Now().UnixNano())))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("make a conflict: %d %s", resp.StatusCode, b)
	}
	if err := r.hw[0].Unplug("reader-in"); err != nil {
		return err
	}
	r.wait(ctx, 2*time.Second)
	if err := r.hw[0].Plug("reader-in"); err != nil {
		return err
	}
	const jid, records = "3f2b8a52-6c1d-4e0f-9a77-0d3c5b1e8f42", `[{"seq":1,"object_c":NaN}]`
	sum := crc32.Checksum([]byte(jid+records), crc32.MakeTable(crc32.Castagnoli))
	return r.publish(ctx, mqtt.Message{
		Topic: wire.Topic(world.CountyID, "gate-999", wire.LeafRecords),
		QoS:   1,
		Payload: fmt.Appendf(nil, `{"v":1,"agent":"gate-999","jid":%q,"from":1,"to":1,"crc32c":"%08x","records":%s}`,
			jid, sum, records),
	})
}
