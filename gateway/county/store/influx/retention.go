package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// retention is for how long the bucket keeps records.
type retention struct {
	keeps time.Duration // 0: for ever, or not known
	read  time.Time     // when it was read
	stale bool          // the database has refused a record that it should keep
	told  string        // what was logged of it
}

// The retention is read again from time to time. A record that would be kept for
// less than retentionMargin is taken for one that is not kept: the clocks of
// database and collector differ a little, and a batch's bytes are stored under a
// time up to a second before its first record.
const (
	retentionEvery  = 10 * time.Minute
	retentionMargin = time.Minute
	retentionLeast  = time.Hour - 2*retentionMargin
)

// oldest returns the time before which records are not kept.
func (r retention) oldest(now time.Time) time.Time {
	if r.keeps == 0 {
		return time.Time{}
	}
	return now.Add(retentionMargin - r.keeps)
}

// surely reports whether a bucket keeps records of a time, whatever its retention
// is: InfluxDB keeps everything for an hour at least.
func (retention) surely(at, now time.Time) bool { return at.Sub(now).Abs() < retentionLeast }

// LookAtRetention reads for how long the bucket keeps records, if that is due, and
// logs it when it is not what was logged before. Commit does the same.
func (s *Store) LookAtRetention(ctx context.Context) {
	now := s.opts.Now()
	if !s.keeps.stale && !s.keeps.read.IsZero() && now.Sub(s.keeps.read) < retentionEvery {
		return
	}
	s.keeps.read, s.keeps.stale = now, false
	keeps, err := s.readRetention(ctx)
	if err != nil {
		s.keeps.read = now.Add(time.Minute - retentionEvery) // again in a minute
		s.tell("err", err.Error(), "it can't be read for how long InfluxDB keeps records; "+
			"records that it does not keep become holes")
		return
	}
	s.keeps.keeps = keeps
	s.kept.Store(int64(keeps))
	if keeps == 0 {
		s.keeps.told = ""
		return
	}
	s.tell("keeps", keeps.String(), "InfluxDB keeps records for a limited time; "+
		"records that are older when they come can't be stored, and become holes (beyond-retention)")
}

// tell logs what was not logged before.
func (s *Store) tell(name, value, message string) {
	if s.keeps.told == value {
		return
	}
	s.keeps.told = value
	s.opts.Log.Warn(message, "bucket", s.opts.Bucket, name, value)
}

// Try asks the database for its bucket, and returns what is wrong with its address, the
// token, the bucket or their names, and what to do. It writes nothing.
func Try(ctx context.Context, o Options) error {
	s := New(o, nil)
	defer s.Close()
	_, err := s.readRetention(ctx)
	return err
}

func (s *Store) readRetention(ctx context.Context) (time.Duration, error) {
	if s.opts.Org == "" {
		return s.policyDuration(ctx)
	}
	keeps, err := s.bucketDuration(ctx)
	if e := statusOf(err); e != nil && e.StatusCode == http.StatusNotFound && !strings.Contains(e.Error(), "bucket") {
		return s.policyDuration(ctx) // an InfluxDB 1.8 does not mind an organization
	}
	return keeps, err
}

// policyDuration asks InfluxDB 1.8 for the duration of the retention policy.
func (s *Store) policyDuration(ctx context.Context) (time.Duration, error) {
	database, policy, _ := strings.Cut(s.opts.Bucket, "/")
	var answer struct {
		Results []struct {
			Error  string
			Series []struct {
				Columns []string
				Values  [][]any //nolint:forbidigo // a row of columns of several types
			}
		}
	}
	q := url.Values{"q": {fmt.Sprintf("SHOW RETENTION POLICIES ON %q", database)}}
	if err := s.get(ctx, s.client.HTTPService().ServerURL()+"query?"+q.Encode(), &answer); err != nil {
		return 0, s.explain(ctx, err)
	}
	for _, r := range answer.Results {
		if r.Error != "" {
			return 0, errors.New(r.Error)
		}
		for _, x := range r.Series {
			for _, row := range x.Values { // name, duration, shardGroupDuration, replicaN, default
				if len(row) < 5 || row[0] != policy && (policy != "" || row[4] != true) {
					continue
				}
				text, _ := row[1].(string)
				return time.ParseDuration(text)
			}
		}
	}
	return 0, fmt.Errorf("there is no retention policy %q", policy)
}

// bucketDuration asks InfluxDB 2.x for the retention rule of the bucket.
func (s *Store) bucketDuration(ctx context.Context) (time.Duration, error) {
	keeps, seen, err := s.readBucket(ctx)
	switch {
	case err != nil:
		return 0, s.explain(ctx, err)
	case !seen:
		return 0, errors.New("the token may not read the bucket: " + s.newToken())
	}
	return keeps, nil
}

// readBucket asks InfluxDB 2.x for the retention rule of the bucket. seen is false when
// the token may not read the bucket; a bucket that is not there gives status 404.
func (s *Store) readBucket(ctx context.Context) (keeps time.Duration, seen bool, err error) {
	var answer struct {
		Buckets []struct {
			Name           string
			RetentionRules []struct{ EverySeconds int64 }
		}
	}
	q := url.Values{"name": {s.opts.Bucket}, "org": {s.opts.Org}}
	if err := s.get(ctx, s.client.HTTPService().ServerAPIURL()+"buckets?"+q.Encode(), &answer); err != nil {
		return 0, false, err
	}
	for _, b := range answer.Buckets {
		if b.Name != s.opts.Bucket {
			continue
		}
		for _, r := range b.RetentionRules {
			keeps = time.Duration(r.EverySeconds) * time.Second
		}
		return keeps, true, nil
	}
	return 0, false, nil
}

// get reads a JSON answer into to.
func (s *Store) get(ctx context.Context, from string, to any) error { //nolint:forbidigo // as json.Decoder's
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	e := s.client.HTTPService().DoHTTPRequest(req, nil, func(r *http.Response) error {
		defer r.Body.Close()
		return json.NewDecoder(r.Body).Decode(to)
	})
	if e != nil { // not a nil pointer in an interface
		return e
	}
	return nil
}
