package influx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// later is an error with the time after which the database may be asked again.
type later struct {
	error
	after time.Duration
}

func (l later) Unwrap() error             { return l.error }
func (l later) RetryAfter() time.Duration { return l.after }

// explain adds to an error what an engineer can do about it.
func (s *Store) explain(ctx context.Context, err error) error {
	what := fmt.Sprintf("InfluxDB at %s, bucket %s", s.opts.URL, s.opts.Bucket)
	if other, is := errors.AsType[*stranger](err); is {
		return in(other.after, fmt.Errorf("%s: %w", what, other))
	}
	e := statusOf(err)
	if e == nil || e.StatusCode == 0 {
		return fmt.Errorf("%s does not answer: %s: %w", what, unreached(err), err)
	}
	advice := s.advice(ctx, e)
	if advice != "" {
		advice = ": " + advice
	}
	after := time.Duration(e.RetryAfter) * time.Second
	return in(after, fmt.Errorf("%s answers %d%s: %w", what, e.StatusCode, advice, err))
}

// in returns err with the time after which to ask again, if one is known.
func in(after time.Duration, err error) error {
	if after > 0 {
		return later{err, after}
	}
	return err
}

// unreached says what to do when no answer came.
func unreached(err error) string {
	if _, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return "add the CA of its certificate to those that this computer trusts, or name it in SSL_CERT_FILE"
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return "it does not speak TLS, write http:// in url"
	}
	if _, is := errors.AsType[*net.DNSError](err); is {
		return "correct the name in url, or the name server of this computer"
	}
	if errors.Is(err, errCut) {
		return "look at the proxy before it"
	}
	return "start it, or correct url"
}

// advice says what to do about an error that InfluxDB answers; empty: its own message
// says all that is known. The messages are those of 1.8.10 and 2.7.12.
func (s *Store) advice(ctx context.Context, e *influxhttp.Error) string {
	message := strings.ToLower(e.Error())
	says := func(words string) bool { return strings.Contains(message, words) }
	switch {
	case says("flux query service disabled"):
		return "set flux-enabled = true in the section [http] of its configuration, and restart it"
	case says("provide either orgid or org"):
		return "it is an InfluxDB 2, set org"
	case says("organization name"):
		return fmt.Sprintf("there is no organization %q, correct org (influx org list)", s.opts.Org)
	case says("missing a slash"):
		return fmt.Sprintf("it is an InfluxDB 1.8, write bucket: database/retention-policy, such as %s/autogen",
			s.opts.Bucket)
	case says("token is inactive"):
		return "the token is inactive: activate it (influx auth active --id …)"
	case s.opts.Org == "" || says("database") || says("authorization failed") || says("credentials"):
		return s.adviceOne(e.StatusCode, says)
	case e.StatusCode == http.StatusUnauthorized:
		return s.unknownToken()
	case e.StatusCode == http.StatusForbidden:
		return "the token may not write this bucket: " + s.newToken()
	case e.StatusCode == http.StatusNotFound && says("bucket"):
		return s.lacking(ctx)
	case e.StatusCode == http.StatusNotFound:
		return noSuchPath
	}
	return ""
}

const noSuchPath = "it does not know this path: it must be InfluxDB 1.8 or 2.x, and url ends with the port"

// adviceOne is advice about an InfluxDB 1.8, or about one that is taken for that.
func (s *Store) adviceOne(status int, says func(words string) bool) string {
	database, policy, _ := strings.Cut(s.opts.Bucket, "/")
	user, _, _ := strings.Cut(s.opts.Token, ":")
	switch {
	case status == http.StatusUnauthorized:
		return "token_file must hold user:password of a user that it knows; write that, and restart the collector"
	case status == http.StatusForbidden, says("requires read"):
		return fmt.Sprintf("the user may not read and write: influx -execute 'GRANT ALL ON %q TO %q'", database, user)
	case says("database not found"), says("no database"):
		return fmt.Sprintf("the database is not there: influx -execute 'CREATE DATABASE %q', or correct bucket",
			database)
	case says("retention policy not found"), says("invalid retention policy"):
		return fmt.Sprintf("database %q has no retention policy %q: correct bucket "+
			"(influx -execute 'SHOW RETENTION POLICIES ON %q')", database, policy, database)
	case status == http.StatusNotFound:
		return noSuchPath
	}
	return ""
}

// unknownToken is advice when InfluxDB 2 does not know the token.
func (s *Store) unknownToken() string {
	switch {
	case s.opts.Token == "":
		return "no token is set, and it wants one: " + s.newToken()
	case strings.Contains(s.opts.Token, ":"):
		return "an InfluxDB 2 wants a token, not user:password: " + s.newToken()
	}
	return "it does not know the token, which is mistyped, deleted or expired: " + s.newToken()
}

func (s *Store) newToken() string {
	return "make one with influx auth create --read-bucket ID --write-bucket ID, write it into token_file, " +
		"and restart the collector"
}

// lacking finds out why InfluxDB 2 says that there is no such bucket: it says so,
// too, of one that the token may not read.
func (s *Store) lacking(ctx context.Context) string {
	create := fmt.Sprintf("influx bucket create --org %s --name %s, or correct bucket", s.opts.Org, s.opts.Bucket)
	_, seen, err := s.readBucket(ctx)
	switch e := statusOf(err); {
	case e != nil && e.StatusCode == http.StatusNotFound:
		return "the bucket is not there: " + create
	case err != nil || seen:
		return "the bucket is not there, or the token may not read it: " + create
	}
	may := "only write"
	if e := statusOf(s.poster.post(ctx, nil)); e != nil { // a write without points
		may = "neither read nor write"
		if strings.Contains(e.Error(), "inactive") {
			return "the token is inactive: activate it (influx auth active --id …)"
		}
	}
	return fmt.Sprintf("the bucket is there, and the token may %s it (a token is for the bucket it was made for, not "+
		"for a later one of its name): %s", may, s.newToken())
}

func statusOf(err error) *influxhttp.Error {
	e, _ := errors.AsType[*influxhttp.Error](err)
	return e
}
