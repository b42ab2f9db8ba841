package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// opens finds where a file is opened to be read.
var opens = regexp.MustCompile(`\b(os\.(ReadFile|Open|OpenInRoot|OpenRoot|DirFS)|config\.Read|` +
	`tls\.LoadX509KeyPair|ioutil\.\w+)\(|os\.O_RDONLY`)

// readers names, for every file of ours that opens files, what it reads: nothing that is
// secret. Keys, passwords, tokens and lists of people are read by package secret, which
// refuses what others may read.
var readers = map[string]string{
	"gateway/cli/import.go":                    "exported records",
	"gateway/cli/influx.go":                    "tokens that it has made, of which a group may read one",
	"gateway/cli/ready.go":                     "the desk's certificate",
	"gateway/cli/replay.go":                    "exported records",
	"gateway/cli/replay_rules.go":              "policies",
	"gateway/cli/rules_import.go":              "policies and offices; all other rules go to secret",
	"gateway/cli/setup_web.go":                 "the link that the service has just made, by root; a certificate",
	"gateway/cli/setup.go":                     "answers, sites, policies; what is secret goes to secret",
	"gateway/clock/clock.go":                   "/proc",
	"gateway/config/config.go":                 "configurations",
	"gateway/cli/config.go":                    "configurations",
	"gateway/cli/doctor.go":                    "configurations",
	"gateway/cli/end.go":                       "a certificate of the end, to check it",
	"gateway/county/backup/gather.go":          "all files of the county, to copy them encrypted",
	"gateway/county/backup/below.go":           "folders, to write to what lies below them",
	"gateway/county/backup/move.go":            "what was unpacked, to give it its place",
	"gateway/county/backup/unpack.go":          "encrypted backups",
	"gateway/county/end/destroy.go":            "all files of the county, to look for pseudonyms",
	"gateway/county/db/place.go":               "a database, to know it again",
	"gateway/county/oidc/oidc.go":              "certificates",
	"gateway/county/profiles/profiles.go":      "what a gate gets; what is private goes to secret",
	"gateway/doctor/host/host.go":              "/proc",
	"gateway/doctor/host/proc.go":              "/proc and /sys",
	"gateway/edge/agent/kept.go":               "its own file, to compare",
	"gateway/edge/bridge/last.go":              "its own file: what a machine said last",
	"gateway/edge/bridge/stamps.go":            "its own file: times of MAVLink",
	"gateway/edge/enrol/folder.go":             "agent.yaml",
	"gateway/edge/enrol/packages.go":           "the public key of packages, of which the signature is verified",
	"gateway/edge/agent/rules.go":              "policy.yaml",
	"gateway/edge/command/file.go":             "its own file: commands that were executed",
	"gateway/edge/upgrade/file.go":             "its own files; what the agent asks for: only a version of it counts",
	"gateway/edge/upgrade/requests.go":         "dpkg's list; its own request",
	"gateway/edge/upgrade/source.go":           "packages, to verify them",
	"gateway/edge/upgrade/upgrade.go":          "this program, to copy it",
	"gateway/secret/own.go":                    "what only root may change",
	"gateway/edge/retire/state.go":             "its own file: how far the end has come",
	"gateway/edge/help/help.go":                "its own file: calls that wait",
	"gateway/mapped/mapped.go":                 "/proc",
	"gateway/edge/journal/files.go":            "the journal",
	"gateway/edge/journal/identify.go":         "the journal",
	"gateway/edge/journal/reader.go":           "the journal",
	"gateway/edge/journal/segments.go":         "the journal",
	"gateway/edge/journal/survey.go":           "the journal",
	"gateway/county/homeassistant/announce.go": "which devices Home Assistant was told of",
	"gateway/identity/agentkey.go":             "certificates",
	"gateway/identity/collector.go":            "collector.pub",
	"gateway/identity/host.go":                 "the number of the computer",
	"gateway/identity/keypair.go":              "certificates",
	"gateway/policy/policy.go":                 "policy.yaml",
	"gateway/policy/roster.go":                 "a roster that is tried out, of which the command warns",
	"gateway/proof/ledger/ledger.go":           "what a proof has seen",
	"gateway/proof/shifted/shifted.go":         "the clock of a proof",
	"gateway/repository/folder.go":             "packages and their index",
	"gateway/repository/serve.go":              "packages and their index",
	"gateway/repository/write.go":              "packages and their index",
	"gateway/secret/secret.go":                 "secrets",
	"gateway/setup/checks.go":                  "a table of gates",
	"gateway/setup/write.go":                   "its own files, to compare",
	"gateway/trial/cases.go":                   "cases of rules",
	"devices/port/explain.go":                  "/proc",
}

// looks finds where the rights of a file are judged.
var looks = regexp.MustCompile(`Perm\(\)\s*&\s*0o?0?[0-7]*7\b`)

// judges names who judges rights of files or folders.
var judges = []string{"gateway/doctor/disk.go", "gateway/secret/secret.go", "gateway/identity/authority/authority.go"}

// sources returns the text of each file of the program, without tests, by its path in the
// repository.
func sources(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, top := range []string{"gateway", "devices", "firmware-bridge"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testkit" || d.Name() == "testdata"):
				return fs.SkipDir
			case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			b, err := os.ReadFile(path)
			out[filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestSecretsHaveOneReader(t *testing.T) {
	all := sources(t)
	for path, text := range all {
		if found := opens.FindString(text); found != "" && readers[path] == "" {
			t.Errorf("%s opens files (%s): read what is secret by package secret; "+
				"if nothing is, say in readers what it reads", path, found)
		}
		if looks.MatchString(text) && !slices.Contains(judges, path) {
			t.Errorf("%s judges the rights of a file: that is the job of package secret", path)
		}
	}
	for path := range readers {
		if !opens.MatchString(all[path]) {
			t.Errorf("%s opens no file: the rule is out of date", path)
		}
	}
}

// secretKey finds keys of configurations that name a file which is secret.
var secretKey = regexp.MustCompile(`string\s+` + "`" +
	`yaml:"((?:\w+_)?(?:key|file|roster|guards|token|password|secret)(?:_file)?)(?:,omitempty)?"`)

// fileKeys names, for each key of a configuration that sounds like a secret file, by whom
// it is read.
var fileKeys = map[string]string{
	"gateway/county/broker/broker.go users_file":        "broker.readUsers",
	"gateway/county/broker/tls.go key":                  "identity.KeyPair",
	"gateway/county/centre/config.go site_key":          "identity.LoadSiteKey",
	"gateway/county/centre/config.go token_file":        "centre.influxOptions",
	"gateway/county/oidc/config.go client_secret_file":  "pages.newProvider",
	"gateway/county/pages/config.go key":                "identity.KeyPair",
	"gateway/county/pages/config.go metrics_token_file": "pages.readBearer",
	"gateway/edge/agent/config.go collector_key":        "public",
	"gateway/edge/agent/config.go guards":               "agent.readTexts",
	"gateway/edge/agent/config.go roster":               "agent.readTexts",
	"gateway/edge/agent/config.go site_key":             "identity.LoadSiteKey",
	"gateway/edge/bridge/config.go key_file":            "bridge.newLink",
	"gateway/edge/enrol/renew.go key":                   "identity.LoadKey",
	"gateway/edge/upgrade/config.go key":                "secret.ReadOwn; it is public",
	"gateway/mqtt/tls.go key":                           "identity.KeyPair",
	"gateway/mqtt/tls.go password_file":                 "secret.Line",
	"gateway/setup/answers.go key":                      "setup.Reader",
	"gateway/setup/answers.go roster":                   "setup.Reader",
	"gateway/setup/answers.go token_file":               "setup.Reader",
	"gateway/trial/cases.go roster":                     "tried out; the command warns",
}

func TestEveryKeyThatNamesASecretFileIsKnown(t *testing.T) {
	found := map[string]bool{}
	for path, text := range sources(t) {
		for _, m := range secretKey.FindAllStringSubmatch(text, -1) {
			key := path + " " + m[1]
			found[key] = true
			if fileKeys[key] == "" {
				t.Errorf("%s: who reads it, by package secret? Say so in fileKeys", key)
			}
		}
	}
	for key := range fileKeys {
		if !found[key] {
			t.Errorf("%s is no key: the rule is out of date", key)
		}
	}
}

func TestReadersOfSecretsAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		"b, err := os.ReadFile(path)": true, "f, err := os.Open(path)": true, "config.Read(path)": true,
		"tls.LoadX509KeyPair(cert, key)": true, "os.OpenFile(p, os.O_RDONLY, 0)": true,
		"secret.Read(path)": false, "os.OpenFile(p, os.O_WRONLY, 0)": false, "sealed.Open(text, key)": false,
	} {
		if opens.MatchString(text) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
	if !looks.MatchString("info.Mode().Perm()&0o077 != 0") {
		t.Error("nobody is seen to judge rights")
	}
}
