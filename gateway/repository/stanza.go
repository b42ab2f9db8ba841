package repository

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// field is one field of a paragraph of Debian's control files; its value has the lines that
// follow, each with its blank.
type field struct{ name, value string }

// Package is one package of the index.
type Package struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	File         string `json:"file"`   // its name in the folder
	Size         int64  `json:"bytes"`  //
	SHA256       string `json:"sha256"` // in hexadecimal digits

	fields []field // of its control file, in their order
}

var (
	goodName    = regexp.MustCompile(`^gatehouse(-[a-z0-9]+)*$`)
	goodVersion = regexp.MustCompile(`^([0-9]+:)?[0-9][A-Za-z0-9.+~-]{0,99}$`)
	goodArch    = regexp.MustCompile(`^[a-z0-9-]{1,20}$`)
	goodHash    = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// CheckVersion returns an error unless v can be the version of a Debian package.
func CheckVersion(v string) error {
	if !goodVersion.MatchString(v) {
		return fmt.Errorf("%.100q is no version of a package, such as 1.4.0 or 1.4.0-2", v)
	}
	return nil
}

// fill takes the fields that count here out of the control file's.
func (p *Package) fill() {
	for _, f := range p.fields {
		switch f.name {
		case "Package":
			p.Name = f.value
		case "Version":
			p.Version = f.value
		case "Architecture":
			p.Architecture = f.value
		}
	}
	p.File = fileName(*p)
}

// fileName is how a package is called in the folder: an epoch has no place in a name.
func fileName(p Package) string {
	version := p.Version[strings.Index(p.Version, ":")+1:]
	return p.Name + "_" + version + "_" + p.Architecture + ".deb"
}

// checkName returns an error unless the package is one of gatehouse's.
func (p Package) checkName() error {
	switch {
	case !goodName.MatchString(p.Name):
		return fmt.Errorf("the package is %.60q: only packages of gatehouse are served", p.Name)
	case !goodArch.MatchString(p.Architecture):
		return fmt.Errorf("%s: %.60q is no architecture", p.Name, p.Architecture)
	}
	return CheckVersion(p.Version)
}

// check is checkName with what the index says besides.
func (p Package) check() error {
	switch {
	case p.File != fileName(p):
		return fmt.Errorf("%s: its file is %.120q", p.Name, p.File)
	case !goodHash.MatchString(p.SHA256) || p.Size < 1 || p.Size > MostDeb:
		return fmt.Errorf("%s: size %d or hash %.80q is wrong", p.Name, p.Size, p.SHA256)
	}
	return p.checkName()
}

// own reports whether a field is one that the index adds, or that says the same. Case does not
// matter in names of fields.
func own(name string) bool {
	return slices.Contains([]string{"filename", "size", "md5sum", "sha1", "sha256", "sha512"}, strings.ToLower(name))
}

// formatIndex returns the file Packages.
func formatIndex(list []Package) []byte {
	var b bytes.Buffer
	for _, p := range list {
		for _, f := range p.fields {
			if !own(f.name) {
				fmt.Fprintf(&b, "%s: %s\n", f.name, f.value)
			}
		}
		fmt.Fprintf(&b, "Filename: ./%s\nSize: %d\nSHA256: %s\n\n", p.File, p.Size, p.SHA256)
	}
	return b.Bytes()
}

// parseIndex reads the file Packages.
func parseIndex(text []byte) ([]Package, error) {
	stanzas, err := parseStanzas(text, mostIndex)
	if err != nil {
		return nil, err
	}
	out := make([]Package, 0, len(stanzas))
	for _, fields := range stanzas {
		p := Package{fields: fields}
		p.fill()
		for _, f := range fields {
			switch f.name {
			case "Filename":
				p.File = strings.TrimPrefix(f.value, "./")
			case "Size":
				if p.Size, err = strconv.ParseInt(f.value, 10, 64); err != nil {
					return nil, fmt.Errorf("the index: size %.40q of %.60q", f.value, p.Name)
				}
			case "SHA256":
				p.SHA256 = f.value
			}
		}
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("the index: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

// order sorts by name, the newest version first, and architecture.
func order(list []Package) {
	slices.SortFunc(list, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), Compare(b.Version, a.Version),
			strings.Compare(a.Architecture, b.Architecture))
	})
}

// parseStanzas reads paragraphs of fields. A text of more than most bytes is refused.
func parseStanzas(text []byte, most int) (out [][]field, err error) {
	if len(text) > most {
		return nil, fmt.Errorf("it has %d bytes, and may have %d", len(text), most)
	}
	var now []field
	flush := func() {
		if now != nil {
			out, now = append(out, now), nil
		}
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimRight(line, " \t\r")
		switch {
		case line == "":
			flush()
		case line[0] == ' ' || line[0] == '\t':
			if now == nil {
				return nil, errors.New("it begins with the rest of a field")
			}
			now[len(now)-1].value += "\n" + line
		default:
			name, value, ok := strings.Cut(line, ":")
			if !ok || name == "" || strings.ContainsAny(name, " \t") {
				return nil, fmt.Errorf("%.60q is no field", line)
			}
			if slices.ContainsFunc(now, func(f field) bool { return strings.EqualFold(f.name, name) }) {
				return nil, fmt.Errorf("the field %.60q comes twice", name)
			}
			now = append(now, field{name, strings.TrimSpace(value)})
		}
	}
	flush()
	return out, nil
}
