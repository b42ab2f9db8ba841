package pages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"gatehouse/gateway/county/people"
)

// renewWelcome is how often the link is made anew while there is no user: well
// before it is too old.
const renewWelcome = 12 * time.Hour

// welcome makes a link for the first user, when there is no user, and shows it on the
// terminal and in a file. It is a secret: it is not logged.
func (s *Server) welcome(ctx context.Context, url string) error {
	token, err := s.People.First(ctx)
	if err != nil {
		return err
	}
	if token == "" {
		return s.farewell(ctx)
	}
	link := url + "/setup#" + token + "\n"
	if s.cfg.Terminal != nil {
		_, err = fmt.Fprintf(s.cfg.Terminal, "the link for the first user of the desk: %s", link)
	}
	if err = errors.Join(err, writeSecret(s.cfg.LinkFile, link)); err != nil {
		return err
	}
	s.log.Warn("nobody can log in yet: open the link in this file once and choose a name and a password",
		"file", s.cfg.LinkFile)
	return nil
}

// keepWelcome makes the link anew before it is too old, until ctx ends.
func (s *Server) keepWelcome(ctx context.Context, url string) {
	tick := time.NewTicker(renewWelcome)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.welcome(ctx, url); err != nil && ctx.Err() == nil {
				s.log.Error("make the link for the first user anew", "err", err)
			}
		}
	}
}

// farewell removes the file with the link when there is a user.
func (s *Server) farewell(ctx context.Context) error {
	users, err := s.People.Users(ctx)
	if err != nil || !slices.ContainsFunc(users, func(u people.User) bool { return !u.Provided }) {
		return err
	}
	if err := os.Remove(s.cfg.LinkFile); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// writeSecret writes a file anew that only its owner can read.
func writeSecret(path, text string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
