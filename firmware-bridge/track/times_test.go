package track

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// clockOf returns the times of a track's points, of the day in UTC.
func clockOf(got *Track) (out []string) {
	for i := range got.Len() {
		out = append(out, got.Sample(i).At.Format("15:04:05.999999"))
	}
	return out
}

// rowsOf returns rows of a table: these texts, and a position.
func rowsOf(head string, rows ...string) string {
	return head + ",lat,lon\n" + strings.Join(rows, ",35.9,115.1\n") + ",35.9,115.1\n"
}

var (
	onDate = Options{Date: time.Date(2020, 2, 13, 16, 0, 0, 0, time.UTC), Zone: eight} // in UTC+8
	began  = Options{Start: start}
)

var timeTables = map[string]struct {
	text string
	opts Options
	want string
	zone string // part of what the report says
}{
	"with a zone": {rowsOf("time", "2020-02-14T06:00:00Z", "2020-02-14T06:00:01Z"), Options{},
		"06:00:00 06:00:01", "as each time says, UTC"},
	"the county's zone": {rowsOf("time", "2020-02-14 14:00:00", "2020-02-14 14:00:01"), Options{Zone: eight},
		"06:00:00 06:00:01", "as each time says"},
	"the header's": {rowsOf("时间(北京时间)", "2020-02-14 14:00:00", "2020-02-14 14:00:01"), Options{},
		"06:00:00 06:00:01", "as the header line says: +08:00"},
	"the header's UTC": {rowsOf("time [UTC]", "2020-02-14 06:00:00", "2020-02-14 06:00:01"), Options{Zone: eight},
		"06:00:00 06:00:01", "as the header line says: UTC"},
	"the date's zone": {rowsOf("date [UTC],time", "2020-02-14,06:00:00", "2020-02-14,06:00:01"), Options{Zone: eight},
		"06:00:00 06:00:01", "as the header line says: UTC"},
	"UTC before local time": {rowsOf("time [local],time [UTC]", "2020-02-14 14:00:00,2020-02-14 07:00:00",
		"2020-02-14 14:00:01,2020-02-14 07:00:01"), Options{Zone: eight}, "07:00:00 07:00:01", "UTC"},
	"date and clock of one kind": {rowsOf("gps date [UTC],gps time [local],cam time [UTC],gps time [UTC]",
		"2020-02-14,14:00:00,01:00:00,06:00:00", "2020-02-14,14:00:01,01:00:01,06:00:01"), Options{Zone: eight},
		"06:00:00 06:00:01", "UTC"},
	"a packed date": {rowsOf("date,time", "200214,060000", "200214,060001"), Options{}, "06:00:00 06:00:01", ""},
	"a packed date of eight": {rowsOf("date,time", "20200214,060000", "20200214,060001"), Options{},
		"06:00:00 06:00:01", ""},
	"a receiver's log": {rowsOf("INDEX,RCR,DATE,TIME", "1,T,2020/02/14,06:00:00", "2,T,2020/02/14,06:00:01"),
		Options{Zone: eight}, "06:00:00 06:00:01", "receivers"},
	"a receiver's, in local time": {rowsOf("INDEX,RCR,DATE,TIME", "1,T,2020/02/14,14:00:00", "2,T,2020/02/14,14:00:01"),
		Options{Zone: eight, Forced: true}, "06:00:00 06:00:01", "as each time"},
	"INDEX alone": {rowsOf("INDEX,DATE,TIME", "1,2020/02/14,14:00:00", "2,2020/02/14,14:00:01"),
		Options{Zone: eight}, "06:00:00 06:00:01", "as each time"},
	"a count beside it": {rowsOf("time(millisecond),datetime(utc)", "1000,2020-02-14 06:00:00",
		"1500,2020-02-14 06:00:00", "2000,2020-02-14 06:00:01", "4000,2020-02-14 06:00:01",
		"6001,2020-02-14 06:00:03", "6500,2020-02-14 06:00:03", "6501,2020-02-14 06:00:04.498",
		"6502,2020-02-14 06:00:05"), Options{},
		"06:00:00 06:00:00.5 06:00:01 06:00:03 06:00:03 06:00:03.499 06:00:04.498 06:00:05", ""},
	"a count at its limits": {rowsOf("time(millisecond),datetime(utc)", "0,2020-02-14 06:00:00",
		"3000,2020-02-14 06:00:01", "3500,2020-02-14 06:00:04", "4000,2020-02-14 06:00:05"), Options{},
		"06:00:00 06:00:03 06:00:03.5 06:00:04", ""},
	"a count that is none": {rowsOf("time(millisecond),datetime(utc)", "0,2020-02-14 06:00:00",
		"500,2020-02-14 06:00:00", "x,2020-02-14 06:00:01", "1e18,2020-02-14 06:00:02"), Options{},
		"06:00:00 06:00:00.5 06:00:01 06:00:02", ""},
	"counted seconds": {
		rowsOf("elapsed", "10", "10.5", "12"),
		began,
		"06:00:00 06:00:00.5 06:00:02",
		"counted from",
	},
	"counted milliseconds": {rowsOf("time_ms", "10", "510", "2010"), began, "06:00:00 06:00:00.5 06:00:02", ""},
	"counted microseconds": {rowsOf("timestamp [us]", "10", "500010", "2000010"), began,
		"06:00:00 06:00:00.5 06:00:02", ""},
	"clocks":                        {rowsOf("time", "14:00:00", "14:00:01"), onDate, "06:00:00 06:00:01", ""},
	"packed clocks":                 {rowsOf("time", "140000", "140001"), onDate, "06:00:00 06:00:01", ""},
	"packed clocks in the morning":  {rowsOf("time", "80000", "80001"), onDate, "00:00:00 00:00:01", ""},
	"packed clocks with a fraction": {rowsOf("time", "140000.5", "140001.5"), onDate, "06:00:00.5 06:00:01.5", ""},
	"no packed clocks":              {rowsOf("time", "240001", "240002"), began, "06:00:00 06:00:01", ""},
	"date and clock in one": {rowsOf("time", "200214060000", "200214060001"), Options{},
		"06:00:00 06:00:01", ""},
	"past midnight": {rowsOf("time", "23:59:59", "00:00:01"), onDate, "15:59:59 16:00:01", ""},
	"a row that is late": {
		rowsOf("time", "14:00:05", "14:00:00", "14:00:06"),
		onDate,
		"06:00:00 06:00:05 06:00:06",
		"",
	},
	"half a day back": {rowsOf("time", "18:00:00", "06:00:00"), onDate, "22:00:00 10:00:00", ""},
	"more than half":  {rowsOf("time", "18:00:00", "05:59:59"), onDate, "10:00:00 21:59:59", ""},
}

func TestTimesOfTables(t *testing.T) {
	for name, c := range timeTables {
		got, err := readTable(t, c.text, c.opts)
		if err != nil || !slices.Equal(clockOf(got), strings.Fields(c.want)) || !strings.Contains(got.Zone, c.zone) {
			t.Errorf("%s: %v %q, zone %q, want %s, %q", name, err, clockOf(got), got.Zone, c.want, c.zone)
		}
		if len(got.Left) > 0 {
			t.Errorf("%s: %v", name, got.Left)
		}
	}
}

func TestTimesThatNeedMore(t *testing.T) {
	day, end := time.Date(2020, 2, 14, 0, 0, 0, 0, time.UTC), start.Add(time.Minute)
	clocks, counts := rowsOf("time", "14:00:00", "14:00:01"), rowsOf("elapsed", "1", "2")
	dated, dates := rowsOf(
		"time",
		"2020-02-14T06:00:00Z",
		"2020-02-14T06:00:01Z",
	), rowsOf(
		"date",
		"2020-02-14",
		"2020-02-14",
	)
	for _, c := range []struct {
		text string
		opts Options
		want error
	}{
		{"lat,lon,time\n35.9,115.1\n35.9,115.1\n", Options{Start: start, End: end}, nil},
		{clocks, Options{}, ErrDate}, {clocks, Options{Date: day}, nil},
		{clocks, Options{Date: day, Start: start}, ErrOwn},
		{clocks, Options{Date: day, End: end}, ErrOwn},
		{counts, Options{}, ErrTimes}, {counts, Options{Start: start}, nil},
		{counts, Options{Start: start, End: end}, ErrOwn},
		{dated, Options{}, nil}, {dated, Options{Start: start}, ErrOwn}, {dated, Options{End: end}, ErrOwn},
		{dated, Options{Date: day}, ErrOwn}, {dates, Options{}, ErrTimes},
		{dates, Options{Start: start, End: end}, nil},
	} {
		if _, err := readTable(t, c.text, c.opts); !errors.Is(err, c.want) {
			t.Errorf("%q with %+v: %v, want %v", c.text, c.opts, err, c.want)
		}
	}
}

func TestATrackIsADayLongAtMost(t *testing.T) {
	for last, good := range map[string]bool{"2020-02-15T06:00:00Z": true, "2020-02-15T06:00:01Z": false} {
		_, err := readTable(t, rowsOf("time", "2020-02-14T06:00:00Z", last), Options{})
		if (err == nil) != good {
			t.Errorf("until %s: %v", last, err)
		}
	}
}
