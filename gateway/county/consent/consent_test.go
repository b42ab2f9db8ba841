package consent_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/people"
)

type bench struct {
	*consent.Consents

	t    *testing.T
	file *db.File
	now  time.Time
}

func start(t *testing.T) *bench {
	t.Helper()
	file, err := db.Open(filepath.Join(t.TempDir(), "desk.db"), audit.Schema+consent.Schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	b := &bench{t: t, file: file, now: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)}
	b.Consents = consent.New(file, func() time.Time { return b.now })
	return b
}

func (b *bench) use(id int64, act consent.Act, object string) error {
	return b.file.Write(b.t.Context(), func(tx *sql.Tx) error {
		_, err := b.Use(b.t.Context(), tx, id, act, object)
		return err
	})
}

var (
	wang = people.Actor{Name: "wang", Role: people.Admin, From: "10.1.2.3"}
	li   = people.Actor{Name: "li", Role: people.Auditor, From: "10.1.2.4"}
	zhao = people.Actor{Name: "zhao", Role: people.Duty}
	sun  = people.Actor{Name: "sun", Role: people.Policy}
)

// steps are what may become of a request of wang.
var steps = map[string]struct {
	do   func(b *bench, id int64) error
	want error
}{
	"agreed and used": {func(b *bench, id int64) error {
		return errors.Join(b.Agree(b.t.Context(), li, id), b.use(id, consent.Trace, "pseudonym a-b"))
	}, nil},
	"used before anybody agrees": {func(b *bench, id int64) error {
		return b.use(id, consent.Trace, "pseudonym a-b")
	}, consent.ErrWaits},
	"by the same person": {func(b *bench, id int64) error {
		return b.Agree(b.t.Context(), wang, id)
	}, consent.ErrSame},
	"by a role that may not": {func(b *bench, id int64) error {
		return b.Agree(b.t.Context(), zhao, id)
	}, people.ErrRole},
	"refused by a role that may not": {func(b *bench, id int64) error {
		return b.Refuse(b.t.Context(), sun, id)
	}, people.ErrRole},
	"agreed twice": {func(b *bench, id int64) error {
		return errors.Join(b.Agree(b.t.Context(), li, id), b.Agree(b.t.Context(), li, id))
	}, consent.ErrGone},
	"used twice": {func(b *bench, id int64) error {
		return errors.Join(b.Agree(b.t.Context(), li, id), b.use(id, consent.Trace, "pseudonym a-b"),
			b.use(id, consent.Trace, "pseudonym a-b"))
	}, consent.ErrGone},
	"used for another act": {func(b *bench, id int64) error {
		return errors.Join(b.Agree(b.t.Context(), li, id), b.use(id, consent.End, "pseudonym a-b"))
	}, consent.ErrObject},
	"used for somebody else": {func(b *bench, id int64) error {
		return errors.Join(b.Agree(b.t.Context(), li, id), b.use(id, consent.Trace, "pseudonym a-c"))
	}, consent.ErrObject},
	"refused": {func(b *bench, id int64) error {
		return errors.Join(b.Refuse(b.t.Context(), li, id), b.use(id, consent.Trace, "pseudonym a-b"))
	}, consent.ErrNo},
	"refused after it was agreed to": {func(b *bench, id int64) error {
		return errors.Join(b.Agree(b.t.Context(), li, id), b.Refuse(b.t.Context(), li, id),
			b.use(id, consent.Trace, "pseudonym a-b"))
	}, consent.ErrNo},
	"taken back": {func(b *bench, id int64) error {
		return errors.Join(b.Refuse(b.t.Context(), wang, id), b.Agree(b.t.Context(), li, id))
	}, consent.ErrGone},
	"agreed too late": {func(b *bench, id int64) error {
		b.now = b.now.Add(consent.For)
		return b.Agree(b.t.Context(), li, id)
	}, consent.ErrGone},
	"used too late": {func(b *bench, id int64) error {
		err := b.Agree(b.t.Context(), li, id)
		b.now = b.now.Add(consent.For)
		return errors.Join(err, b.use(id, consent.Trace, "pseudonym a-b"))
	}, consent.ErrGone},
	"used with a clock that was set back a day": {func(b *bench, id int64) error {
		err := b.Agree(b.t.Context(), li, id)
		b.now = b.now.Add(-24 * time.Hour)
		return errors.Join(err, b.use(id, consent.Trace, "pseudonym a-b"))
	}, consent.ErrGone},
	"another request": {func(b *bench, id int64) error {
		return b.Agree(b.t.Context(), li, id+1)
	}, consent.ErrGone},
}

func TestWhatTwoPeopleDo(t *testing.T) {
	for name, c := range steps {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			r, err := b.Ask(t.Context(), wang, consent.Trace, "pseudonym a-b", "")
			if err != nil {
				t.Fatal(err)
			}
			if err := c.do(b, r.ID); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestWhoMayAskForWhat(t *testing.T) {
	for _, c := range []struct {
		act  consent.Act
		want []people.Role
	}{
		{consent.Trace, []people.Role{people.Admin, people.Auditor}},
		{consent.Report, []people.Role{people.Admin}},
		{consent.End, []people.Role{people.Admin}},
		{consent.Rules, []people.Role{people.Policy, people.Admin}},
		{"another", nil},
	} {
		b := start(t)
		for _, role := range people.Roles() {
			_, err := b.Ask(t.Context(), people.Actor{Name: "x", Role: role}, c.act, "", "")
			if may := slices.Contains(c.want, role); (err == nil) != may || !may && !errors.Is(err, people.ErrRole) {
				t.Errorf("%s asks for %s: %v", role, c.act, err)
			}
		}
	}
}

func TestRequestsAreBoundedAndForgotten(t *testing.T) {
	b := start(t)
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = b.Ask(t.Context(), wang, consent.Trace, "", "")
	}
	if !errors.Is(err, consent.ErrOpen) {
		t.Fatalf("after %d: %v", n, err)
	}
	b.now = b.now.Add(8 * 24 * time.Hour)
	if _, err := b.Ask(t.Context(), wang, consent.Trace, "", ""); err != nil {
		t.Error(err)
	}
	if list, err := b.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("%v %d", err, len(list))
	}
}

// What can't be written into the audit does not happen.
func TestEachStepIsInTheAudit(t *testing.T) {
	b := start(t)
	r, err := b.Ask(t.Context(), wang, consent.Trace, "pseudonym a-b", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Agree(t.Context(), li, r.ID); err != nil {
		t.Fatal(err)
	}
	entries, err := audit.New(b.file, time.Now).Last(t.Context(), audit.Filter{Limit: 9})
	if err != nil || len(entries) != 2 || entries[0].Actor != "li" || entries[0].Action != audit.AgreeConsent ||
		entries[1].Actor != "wang" || entries[1].Detail != "trace pseudonym a-b" {
		t.Errorf("%v %+v", err, entries)
	}
	if _, err := b.file.Exec(t.Context(), "DROP TABLE audit"); err != nil {
		t.Fatal(err)
	}
	if err := b.Refuse(t.Context(), li, r.ID); !errors.Is(err, audit.ErrUnwritten) {
		t.Error(err)
	}
	if r, err := b.One(context.Background(), r.ID); err != nil || r.RefusedBy != "" {
		t.Errorf("%v %+v", err, r)
	}
}
