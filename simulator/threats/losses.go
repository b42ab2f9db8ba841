package threats

// Losses returns the controls that are taken out of the product, one at a time, each with the
// rows that notice. Rows of other controls must go on to hold.
func Losses() []Loss {
	return append(lossesOfTheBroker(), append(lossesOfTheDesk(), append(lossesOfGates(), lossesOfOrders()...)...)...)
}

const (
	door      = "gateway/county/broker/door.go"
	principal = "gateway/county/broker/principal.go"
	guard     = "gateway/web/guard.go"
)

func lossesOfTheBroker() []Loss {
	return []Loss{
		{
			"the registry of certificates: whatever the authority has signed counts", []string{"T04"},
			[]Edit{{"gateway/county/registry/identify.go",
				"case !known || cert.Subject.CommonName != name || !bytes.Equal(cert.RawSubjectPublicKeyInfo, i.Key):",
				"case !known && !r.signed(cert):"}},
		},
		{
			"TLS 1.3 only", []string{"T05"},
			[]Edit{{door, "MinVersion: tlsVersions[files.Min]", "MinVersion: tls.VersionTLS10"}},
		},
		{
			"the client id that the certificate names", []string{"T07", "T08"},
			[]Edit{{door, `g.client != name && !strings.HasPrefix(g.client, name+"-")`,
				`strings.HasPrefix(g.client, "\x00")`}},
		},
		{
			"an agent publishes below its own id only", []string{"T09"},
			[]Edit{{principal, `return allowed([]string{own + ".>"}, []string{own, own + ".>", status})`,
				`return allowed([]string{own + ".>", root + ".*.*.records"}, []string{own, own + ".>", status})`}},
		},
		{
			"a reader publishes nothing", []string{"T11"},
			[]Edit{{principal, `return allowed(nil, append([]string{root + "." + county,`,
				`return allowed([]string{root + ".*.*.records"}, append([]string{root + "." + county,`}},
		},
		{
			"a live connection ends when its identity is revoked", []string{"T53"},
			[]Edit{{door, "if !changed {", `if !changed || p.name != "" {`}},
		},
	}
}

func lossesOfTheDesk() []Loss {
	const people, pages = "gateway/county/people/", "gateway/county/pages/"
	return []Loss{
		{
			"the desk's own names", []string{"T18"},
			[]Edit{{guard, "if !from.Vouched && !known(names, r.Host) {",
				`if !from.Vouched && !known(names, r.Host) && r.Host == "" {`}},
		},
		{
			"posts of other sites are refused", []string{"T20"},
			[]Edit{{guard, "return r.Header.Get(\"Upgrade\") != \"\"\n\t}\n\treturn true",
				"return r.Header.Get(\"Upgrade\") != \"\"\n\t}\n\treturn false"}},
		},
		{
			"no page is framed", []string{"T22"},
			[]Edit{{guard, "form-action 'self'; frame-ancestors 'none'", "form-action 'self'"}},
		},
		{
			"a page lasts as long as its session", []string{"T27"},
			[]Edit{{people + "sessions.go", "if _, err := p.Who(ctx, s); errors.Is(err, ErrSession) {",
				"if _, err := p.Who(ctx, s); errors.Is(err, ErrSession) && ctx.Err() != nil {"}},
		},
		{
			"one act is asked for no role", []string{"T34"},
			[]Edit{{pages + "routes.go", "err == nil && !who.May(act)",
				"err == nil && act != people.ActRetention && !who.May(act)"}},
		},
		{
			"the password again", []string{"T36", "T71", "T77"},
			[]Edit{{people + "login.go", "if who.Provided {\n\t\treturn p.useConfirmed(who)\n\t}",
				"if who.Provided {\n\t\treturn p.useConfirmed(who)\n\t}\n\tif who.ID != \"\" {\n\t\treturn nil\n\t}"}},
		},
		{
			"the hash of an entry of the audit", []string{"T37"},
			[]Edit{{"gateway/county/audit/chain.go", "if Sum(e) != e.Hash {", "if Sum(e) != e.Hash && e.N == 0 {"}},
		},
		{
			"one use of a code", []string{"T45"},
			[]Edit{{"gateway/county/registry/requests.go", "case !bytes.Equal(q.key, key) || q.recipient != to:",
				`case q.recipient == "":`}},
		},
		{
			"a key is one gate's", []string{"T50"},
			[]Edit{{"gateway/county/registry/requests.go", "if err := mayUse(ctx, tx, c.agent, key); err != nil {",
				"if err := mayUse(ctx, tx, c.agent, nil); err != nil {"}},
		},
		{
			"another person agrees", []string{"T77"},
			[]Edit{{"gateway/county/consent/consent.go", "case agree && own:", `case agree && own && by.Name == "":`}},
		},
		{
			"the apostrophe before a formula", []string{"T78"},
			[]Edit{{"gateway/county/export/write.go", "text = audit.Plain(text)", "_ = audit.Plain"}},
		},
	}
}

func lossesOfGates() []Loss {
	const signed = "gateway/county/collect/signed.go"
	return []Loss{
		{
			"an enrolled agent must sign", []string{"T56"},
			[]Edit{{signed, "case !s.Enrolled, !s.Must && errors.Is(result, wire.ErrUnsigned):",
				"case !s.Enrolled, errors.Is(result, wire.ErrUnsigned):"}},
		},
		{
			"the signature of a batch", []string{"T57"},
			[]Edit{{signed, "case !s.Enrolled, !s.Must && errors.Is(result, wire.ErrUnsigned):",
				"case !s.Enrolled, errors.Is(result, wire.ErrForeign):"}},
		},
		{
			"the signature of the desk's messages", []string{"T64"},
			[]Edit{{"gateway/edge/help/help.go",
				"h.opts.Agent, h.opts.Collector); err != nil {",
				"h.opts.Agent, h.opts.Collector); err != nil && d.V == 0 {"}},
		},
		{
			"the signature of a command", []string{"T68"},
			[]Edit{{"gateway/edge/command/command.go",
				"c.opts.Agent, c.opts.Collector); err != nil {",
				"c.opts.Agent, c.opts.Collector); err != nil && x.V == 0 {"}},
		},
	}
}

func lossesOfOrders() []Loss {
	const book = "gateway/edge/command/book.go"
	return []Loss{
		{
			"which commands were taken", []string{"T69"},
			[]Edit{{book, "(v verdict) {\n\tif b.find(c.ID) != nil {",
				"(v verdict) {\n\tif b.find(c.ID) != nil && c.V == 0 {"}},
		},
		{
			"the time of a command", []string{"T70"},
			[]Edit{{book,
				"case now-b.issued[i].at > min(time.Duration(c.ExpiresMS)*time.Millisecond, wire.MaxCommandAge):",
				"case now-b.issued[i].at > time.Hour:"}},
		},
		{
			"the signature of a set of rules", []string{"T72"},
			[]Edit{{"gateway/rulebook/rulebook.go",
				"if err := wire.VerifyManifest(m, g.County, g.Agent, key); err != nil {",
				"if err := wire.VerifyManifest(m, g.County, g.Agent, key); err != nil && m.V == 0 {"}},
		},
		{
			"the number of a set of rules", []string{"T73"},
			[]Edit{{"gateway/rulebook/rulebook.go", "if m.No < inForce {", "if m.No < inForce && m.V == 0 {"}},
		},
		{
			"the signature of an order to retire: a gate has gone", []string{"T75", "T76"},
			[]Edit{{"gateway/edge/retire/retire.go",
				"err = wire.VerifyRetire(o, r.opts.County, r.opts.Agent, r.opts.Collector)",
				"_ = wire.VerifyRetire"}},
		},
		{
			"what is remembered apart from desk.db", []string{"T79"},
			[]Edit{{"gateway/county/registry/memory.go", "fresh := r.memory.add(list, revoked)",
				"fresh := memory{}.add(nil, nil)"}},
		},
		{
			"the signature of a receipt", []string{"T76"},
			[]Edit{{"gateway/county/end/receipt.go",
				"err = wire.VerifyRetired(r, e.opts.County, agent, key)", "_ = key"}},
		},
	}
}
