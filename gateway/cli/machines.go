package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/config"
	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/wire"
)

func machinesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "machines",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "Try the configuration of machines that publish over MQTT by themselves",
	}
	c.AddCommand(machinesTry())
	return c
}

// maxLine bounds one message on standard input, in bytes.
const maxLine = 1 << 20

// trying are the flags of machines try.
type trying struct {
	file, topic string
	payloads    []string
	output      output
}

func machinesTry() *cobra.Command {
	var t trying
	c := &cobra.Command{
		Use:   "try --config FILE --topic TOPIC --payload MESSAGE",
		Short: "Show what a mapping makes of a message",
		Long: `try reads messages as the collector would, and shows each field with its value
and unit, which fields have none, what else the message holds, and whether it would
be stored, counted only (it has none of the mapped fields), or put into quarantine.
Nothing is stored, and no broker is asked.

--payload may be given several times. With --payload - the messages are read from
standard input, one a line; without --topic each line begins with its topic, as
mosquitto_sub -v prints it, and topics that no machine has are passed over. -o json
prints one array when all is read, -o jsonl an object a line at once.

A topic gatehouse/v1/<county>/<machine>/report needs no --config: its messages are
of the documented form.

Exit code 1: a message would go to quarantine.`,
		Example: "  gatehouse machines try -c collect.yaml --topic stat/fogger21/POWER --payload ON\n" +
			"  gatehouse machines try -c collect.yaml --topic tele/fogger21/SENSOR \\\n" +
			"    --payload '{\"Time\":\"2020-02-14T14:00:00\",\"FLOW\":{\"Rate\":372,\"Total\":13.5}}'\n" +
			"  mosquitto_sub -v -t '#' | gatehouse machines try -c collect.yaml --payload -",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return t.run(c) },
	}
	c.Flags().StringVarP(&t.file, "config", "c", defaultCollect, "the collector's configuration file")
	c.Flags().StringVarP(&t.topic, "topic", "t", "", "the topic that the message was published on")
	c.Flags().StringArrayVarP(&t.payloads, "payload", "p", nil, "the message; -: standard input, one a line")
	t.output.add(c, asTable, asJSON, asJSONL)
	_ = c.MarkFlagRequired("payload") // the flag exists
	return c
}

var errQuarantine = errors.New("a message would go to quarantine")

func (t *trying) run(c *cobra.Command) error {
	fromInput := len(t.payloads) == 1 && t.payloads[0] == "-"
	switch {
	case t.topic == "" && !fromInput:
		return usageError{errors.New("--topic is missing")}
	}
	if _, err := os.Stat(t.file); !c.Flags().Changed("config") && errors.Is(err, os.ErrNotExist) {
		t.file = ""
	}
	topics, err := t.topics()
	if err != nil {
		return err
	}
	if t.topic != "" && topics.find(t.topic) == nil {
		return t.unknown(topics)
	}
	bad, all := false, []tried{}
	try := func(topic, payload string) error {
		m := topics.find(topic)
		if m == nil {
			return nil
		}
		result := m.try(topic, []byte(payload))
		bad = bad || result.Outcome == outcomeQuarantine
		switch {
		case t.output.is(asJSON):
			all = append(all, result)
			return nil
		case t.output.is(asJSONL):
			return document(c.OutOrStdout(), result)
		}
		return result.print(c.OutOrStdout(), m)
	}
	if fromInput {
		err = t.lines(c.InOrStdin(), try)
	} else {
		for _, payload := range t.payloads {
			err = errors.Join(err, try(t.topic, payload))
		}
	}
	if err == nil && t.output.is(asJSON) {
		err = document(c.OutOrStdout(), all)
	}
	if err == nil && bad {
		err = errQuarantine
	}
	return err
}

// lines calls try with each line's topic and message.
func (t *trying) lines(in io.Reader, try func(topic, payload string) error) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		topic, payload := t.topic, s.Text()
		if topic == "" {
			topic, payload, _ = strings.Cut(payload, " ")
		}
		if err := try(topic, payload); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("read messages from standard input: %w", err)
	}
	return nil
}

// unknown says that no machine has the topic, and which ones there are.
func (t *trying) unknown(topics *mappedTopics) error {
	if err := wire.CheckReportTopic(t.topic); err != nil && strings.HasPrefix(t.topic, wire.Root+"/") {
		return usageError{fmt.Errorf("--topic %s: %w", t.topic, err)}
	}
	if t.file == "" {
		return usageError{fmt.Errorf("--topic %s is none of gatehouse/v1/<county>/<machine>/report: "+
			"give the collector's configuration that maps it with --config", t.topic)}
	}
	return fmt.Errorf("no machine of %s has the topic %s, so the collector does not listen to it: "+
		"list it under topics of its machine, exactly as published; there are %s",
		t.file, t.topic, strings.Join(append(topics.names, wire.Topic(topics.county, "+", wire.LeafReport)), ", "))
}

// mappedTopic is a topic and how its messages are read.
type mappedTopic struct {
	machine string
	zone    *time.Location   // of the county
	mapping *mapping.Mapping // nil: the documented form
}

// mappedTopics are the topics of a configuration.
type mappedTopics struct {
	county string // empty: any
	names  []string
	all    map[string]*mappedTopic
}

// topics returns the topics of the configuration.
func (t *trying) topics() (*mappedTopics, error) {
	out := &mappedTopics{all: map[string]*mappedTopic{}}
	if t.file == "" {
		return out, nil
	}
	cfg, err := loadCollector(t.file)
	if err != nil {
		return nil, err
	}
	if err := cfg.CheckMachines(); err != nil { // the rest is not used here
		return nil, fmt.Errorf("%s: %w", t.file, err)
	}
	zone, err := config.Zone(cfg.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("%s: time_zone: %w", t.file, err)
	}
	out.county = cfg.County
	for _, m := range cfg.Machines {
		for _, topic := range m.Topics {
			form, _ := topic.New(zone) // Check has found no fault
			out.names = append(out.names, topic.Topic)
			out.all[topic.Topic] = &mappedTopic{m.Machine, zone, form}
		}
	}
	return out, nil
}

// find returns how the messages of a topic are read; nil: the collector does not
// take them.
func (m *mappedTopics) find(topic string) *mappedTopic {
	if found := m.all[topic]; found != nil {
		return found
	}
	county, id, leaf, ok := wire.ParseTopic(topic)
	if ok && leaf == wire.LeafReport && id != wire.CollectorID && (m.county == "" || m.county == county) {
		return &mappedTopic{machine: id, zone: time.UTC}
	}
	return nil
}

// Outcomes of a message.
const (
	outcomeStored     = "stored"
	outcomeCounted    = "counted"
	outcomeQuarantine = "quarantine"
)

// tried is what became of a message.
type tried struct {
	Topic      string       `json:"topic"`
	Machine    string       `json:"machine"`
	Outcome    string       `json:"outcome"` // stored, counted, quarantine
	Why        string       `json:"why,omitempty"`
	Report     *wire.Report `json:"report,omitempty"`
	NoValue    []string     `json:"no_value,omitempty"` // fields that say that there is none
	Missing    []string     `json:"missing,omitempty"`  // fields that the message does not have
	Impossible []string     `json:"impossible,omitempty"`
	Unmapped   []string     `json:"unmapped,omitempty"` // paths of values that the mapping does not take
	ZoneTaken  bool         `json:"zone_taken,omitempty"`

	fields []mapping.Field
}

// try reads a message.
func (m *mappedTopic) try(topic string, payload []byte) tried {
	out := tried{Topic: topic, Machine: m.machine, Outcome: outcomeStored}
	read := mapping.Documented
	if m.mapping != nil {
		read = m.mapping.Read
		for _, leaf := range m.mapping.Unmapped(payload) {
			out.Unmapped = append(out.Unmapped, leaf.Path+" = "+leaf.Text)
		}
	}
	r, err := read(payload)
	out.fields, out.ZoneTaken = r.Fields, r.Zoneless
	for _, f := range r.Fields {
		switch f.State {
		case mapping.NoValue:
			out.NoValue = append(out.NoValue, f.Name)
		case mapping.Missing:
			out.Missing = append(out.Missing, f.Name)
		case mapping.Filled:
		}
	}
	if err != nil {
		out.Outcome, out.Why = outcomeQuarantine, err.Error()
		return out
	}
	if r.Empty() {
		out.Outcome, out.Why = outcomeCounted, "it has no value of a mapped field"
	}
	for _, fault := range runs.Clean(&r.Report.Values) {
		out.Impossible = append(out.Impossible, fault.Error())
	}
	out.Report = &r.Report
	return out
}
