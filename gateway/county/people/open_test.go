package people

import (
	"errors"
	"testing"
)

func TestALinkThatNobodyHasUsedIsWithdrawn(t *testing.T) {
	p := newPeople(t)
	first(t, p)
	token, err := p.Invite(t.Context(), admin, Duty)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Reset(t.Context(), admin, "王主任"); err != nil {
		t.Fatal(err)
	}
	open, err := p.OpenInvites(t.Context())
	if err != nil || len(open) != 2 {
		t.Fatalf("%+v, %v", open, err)
	}
	for _, o := range open {
		if o.By != admin.Name || !o.Until.Equal(t0.Add(inviteFor)) || (o.Role == Duty) == (o.User == "王主任") {
			t.Errorf("%+v", o)
		}
		if err := p.WithdrawInvite(t.Context(), admin, o.ID); err != nil {
			t.Error(err)
		}
		if err := p.WithdrawInvite(t.Context(), admin, o.ID); !errors.Is(err, ErrInvite) {
			t.Errorf("again: %v", err)
		}
	}
	if err := p.SetUp(t.Context(), "", token, "李干事", good); !errors.Is(err, ErrInvite) {
		t.Errorf("a withdrawn link: %v", err)
	}
}
