package peers

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gatehouse/gateway/retry"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/prove"
)

// Telegraf stores what people ask for of a passage, and not its whole record:
// the agent and the verdict as tags, the values as fields. Its limits are set
// for speed; with those of its example configuration it is slower.
const telegrafConf = `[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 100000
  omit_hostname = true
[[inputs.mqtt_consumer]]
  servers = [%q]
  topics = ["readings/+"]
  qos = 1
  client_id = %q
  persistent_session = true
  max_undelivered_messages = 20000
  topic_tag = ""
  data_format = "json_v2"
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "readings/+"
    tags = "_/agent"
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "passage"
    timestamp_path = "at"
    timestamp_format = "2006-01-02T15:04:05.999999999Z07:00"
    [[inputs.mqtt_consumer.json_v2.tag]]
      path = "body.verdict"
    [[inputs.mqtt_consumer.json_v2.field]]
      path = "seq"
      type = "int"
    [[inputs.mqtt_consumer.json_v2.field]]
      path = "body.credential"
    [[inputs.mqtt_consumer.json_v2.field]]
      path = "body.direction"
    [[inputs.mqtt_consumer.json_v2.field]]
      path = "body.temperature.screening_c"
      type = "float"
    [[inputs.mqtt_consumer.json_v2.field]]
      path = "body.temperature.object_c"
      type = "float"
    [[inputs.mqtt_consumer.json_v2.field]]
      path = "body.temperature.ambient_c"
      type = "float"
    [[inputs.mqtt_consumer.json_v2.field]]
      path = "body.latency_us"
      type = "int"
[[outputs.influxdb_v2]]
  urls = [%q]
  token = %q
  organization = ""
  bucket = %q
`

// telegrafID is the client whose session holds the backlog.
const telegrafID = "telegraf"

// mosquitto is a broker that keeps any number of messages for a session.
type mosquitto struct {
	*program
	host, port string
}

func startMosquitto(ctx context.Context, dir string) (*mosquitto, error) {
	path, err := prove.FindProgram("mosquitto")
	if err != nil {
		return nil, err
	}
	address, err := loopback.Free(ctx)
	if err != nil {
		return nil, err
	}
	m := &mosquitto{}
	if m.host, m.port, err = net.SplitHostPort(address); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "mosquitto.conf")
	text := fmt.Sprintf("listener %s %s\nallow_anonymous true\npersistence false\n"+
		"max_queued_messages 0\nmax_inflight_messages 1000\nset_tcp_nodelay true\n", m.port, m.host)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if m.program, err = startProgram(dir, "mosquitto", path, "-c", conf); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(startTimeout); ; {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return m, c.Close()
		}
		if time.Now().After(deadline) || !retry.Sleep(ctx, 20*time.Millisecond) {
			m.stop()
			return nil, fmt.Errorf("%w\n%s", err, m.tail())
		}
	}
}

// client runs a client of Mosquitto's to its end.
func (m *mosquitto) client(ctx context.Context, input []byte, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, stalledAfter)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, append([]string{"-h", m.host, "-p", m.port, "-q", "1"}, args...)...)
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w %w: %s", name, err, ctx.Err(), out)
	}
	return nil
}

// fill makes a session and lets the broker keep the backlog for it, a message a
// passage, as devices send them.
func (m *mosquitto) fill(ctx context.Context, session string, all []backlog) error {
	if err := m.client(ctx, nil, "mosquitto_sub", "-c", "-i", session, "-t", "readings/+", "-E"); err != nil {
		return err
	}
	for _, b := range all {
		var lines []byte
		for _, e := range b.entries {
			lines = append(append(lines, e.Raw...), '\n')
		}
		if err := m.client(ctx, lines, "mosquitto_pub", "-t", "readings/"+b.agent, "-l"); err != nil {
			return err
		}
	}
	return nil
}

// filledMosquitto starts a broker that keeps the backlog for a session.
func filledMosquitto(ctx context.Context, dir, session string, all []backlog) (*mosquitto, error) {
	m, err := startMosquitto(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := m.fill(ctx, session, all); err != nil {
		m.stop()
		return nil, err
	}
	return m, nil
}

// telegraf drains the backlog from Mosquitto into InfluxDB.
func telegraf(ctx context.Context, c Config, dir string, all []backlog) (f figures, err error) {
	m, err := filledMosquitto(ctx, dir, telegrafID, all)
	if err != nil {
		return f, err
	}
	defer m.stop()
	db, err := startDatabase(ctx, dir)
	if err != nil {
		return f, err
	}
	defer db.stop()
	conf := filepath.Join(dir, "telegraf.conf")
	text := fmt.Sprintf(telegrafConf, "tcp://"+net.JoinHostPort(m.host, m.port), telegrafID, db.url, influxd.Token,
		influxd.Bucket)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return f, err
	}
	t, err := startProgram(dir, "telegraf", c.Telegraf, "--config", conf)
	if err != nil {
		return f, err
	}
	defer t.stop()
	d := drain{records: c.Records, stored: db.written, path: []*program{m.program, t}, database: db.program}
	if f, err = d.measure(ctx); err != nil {
		return f, err
	}
	if n, err := db.count(ctx, "passage", "seq"); err != nil || n != c.Records {
		return f, fmt.Errorf("InfluxDB has %d of the %d passages that Telegraf wrote; %w", n, c.Records, err)
	}
	return f, nil
}

// subscriber lets Mosquitto's own client write the backlog to a file: what the
// broker can deliver, a message a passage, when next to nothing is done with it.
func subscriber(ctx context.Context, c Config, dir string, all []backlog) (f figures, err error) {
	const session = "subscriber"
	m, err := filledMosquitto(ctx, dir, session, all)
	if err != nil {
		return f, err
	}
	defer m.stop()
	before, err := m.use()
	if err != nil {
		return f, err
	}
	began := time.Now()
	p, err := startProgram(dir, "mosquitto_sub", "mosquitto_sub", "-h", m.host, "-p", m.port, "-c", "-i", session,
		"-q", "1", "-t", "readings/+", "-C", fmt.Sprint(c.Records))
	if err != nil {
		return f, err
	}
	defer p.stop()
	select {
	case <-p.done:
	case <-time.After(stalledAfter):
		return f, fmt.Errorf("mosquitto_sub did not get all passages within %s\n%s", stalledAfter, m.tail())
	}
	took := time.Since(began)
	after, err := m.use()
	if err != nil {
		return f, err
	}
	if !p.cmd.ProcessState.Success() {
		return f, fmt.Errorf("mosquitto_sub: %s\n%s", p.cmd.ProcessState, p.tail())
	}
	spent := after.processor - before.processor + p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	return figures{
		rate:    float64(c.Records) / took.Seconds(),
		path:    spent / time.Duration(c.Records),
		peakKiB: after.peakKiB,
	}, nil
}
