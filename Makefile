# What an engineer does with gatehouse. `make help` lists the targets.
SHELL       := /bin/bash
GO          ?= go
VERSION     ?= $(shell deploy/package/version.sh)
LDFLAGS     := -X gatehouse/gateway/version.String=$(VERSION)
TOOLS       := $(CURDIR)/.tools/bin
INFLUXD     := github.com/influxdata/influxdb/cmd/influxd@v1.8.10
TELEGRAF    := github.com/influxdata/telegraf/cmd/telegraf@v1.37.2
TELEGRAFTAGS := custom,inputs.mqtt_consumer,outputs.influxdb_v2,parsers.json_v2,serializers.influx
GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GREMLINS    := github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0
GOVULN      := golang.org/x/vuln/cmd/govulncheck@v1.9.0
GOSBOM      := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
RELEASE_GO  := go1.26.10
DEBIAN      := mosquitto mosquitto-clients chromium fonts-noto-cjk socat mbpoll \
               python3-pip python3-pymodbus python3-serial-asyncio strace e2fsprogs gpsbabel nginx-light caddy \
               swtpm bash-completion fish zsh debootstrap dpkg-dev lintian rpm qemu-user-static poppler-utils \
               prometheus systemd-container udev cage xwayland xvfb xdotool
WEB         := gateway/web
WEBSRC      := $(shell find $(WEB)/src -type f) $(WEB)/build.mjs $(WEB)/manual.mjs \
               $(shell find deploy/manual -type f)
FUZZTIME    ?= 10s
MUTATED     := firmware-bridge/runs firmware-bridge/meter firmware-bridge/nmea firmware-bridge/track \
               devices/frame gateway/sense gateway/policy gateway/policy/engine gateway/gate gateway/complaint \
               gateway/county/reckon gateway/county/mapping gateway/episode gateway/baseline gateway/honesty \
               gateway/post gateway/explain gateway/pass gateway/replay
PKG         ?= $(addprefix ./,$(wildcard $(MUTATED)))
SOAK        ?= 8h
SPEED       ?= 20
export PATH := $(TOOLS):$(PATH):/usr/sbin
export CGO_ENABLED ?= 0

.PHONY: help build ui test test-influx2 install-test race faults threats soak fuzz mutate lint tools demo bench bench-go county-day \
        threats-bite bench-peers docs cross dist dist-twice clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

ui: $(WEB)/dist/desk.js ## build the screens, which the program embeds

$(WEB)/node_modules/.made: $(WEB)/package-lock.json
	@command -v npm >/dev/null || { echo "missing: Node.js >= 20 with npm, for the screens"; exit 1; }
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB)/dist/desk.js: $(WEBSRC) $(WEB)/node_modules/.made
	cd $(WEB) && npm run --silent check && npm run --silent build

build: ui ## build bin/gatehouse and bin/simulator
	@mkdir -p bin
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/gatehouse ./gateway
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/simulator ./simulator
	@$(MAKE) --no-print-directory bin/gatehouse-earlier

# The earlier version with which the fault versions-swapped replaces the program.
EARLIER     := 5316e1d
bin/gatehouse-earlier:
	@git cat-file -e $(EARLIER) 2>/dev/null || { \
	    echo "$@: this clone has no history back to $(EARLIER) (git fetch --unshallow brings it);"; \
	    echo "without it the fault versions-swapped fails"; exit 0; }; \
	  set -e; src=$$(mktemp -d); trap 'rm -rf "$$src"' EXIT; git archive $(EARLIER) | tar -x -C "$$src"; \
	  cd "$$src" && $(GO) build -trimpath -ldflags '-X gatehouse/gateway/version.String=$(EARLIER)' \
	    -o $(CURDIR)/$@ ./gateway

test: tools build ## every test, with race detection, against real peers
	$(GO) vet ./...
	$(GO) vet -tags influx2 ./gateway/county/store/influx ./gateway/county/provision ./simulator/dashboards
	CGO_ENABLED=1 $(GO) test -race -timeout 25m ./...
	cd $(WEB) && npm run --silent test

test-influx2: build ## the store, its retention and a proof on a real InfluxDB 2 (built once, some six minutes)
	@deploy/influx2.sh
	$(GO) test -count=1 -tags influx2 -run Influx2 \
	  ./gateway/county/store/influx ./gateway/county/provision ./simulator/dashboards
	bin/simulator prove --store influx2 --gates 10 --for 30s --kill agent,collector,broker

install-test: tools build $(TOOLS)/nfpm ## install, upgrade, roll back and purge in a clean Debian (as root)
	$(GO) vet -tags cleanroot ./simulator/...
	$(GO) test -count=1 -tags cleanroot -timeout 30m ./simulator/cleanroot ./simulator/booted ./simulator/lifecycle \
	    ./simulator/upgrades

race: test ## the same: tests always run with race detection

faults: tools build ## every row of the fault matrix once, on the real programs (as root: it mounts disks)
	bin/simulator prove --fault all --jobs 4

threats: tools build ## every row of the table of threats, on the real programs (two minutes)
	bin/simulator threats

threats-bite: build ## take controls out of the product, one at a time: do the rows of the threats fail?
	bin/simulator threats --bite

soak: tools build ## faults mixed at random for SOAK (default 8h); the report is soak.jsonl
	bin/simulator prove --soak $(SOAK)

fuzz: ## every fuzz target for FUZZTIME (default 10s) each
	@set -e; for pkg in $$($(GO) list ./...); do \
	  dir=$$($(GO) list -f '{{.Dir}}' $$pkg); \
	  for f in $$(grep -hos '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | sed 's/^func //'); do \
	    echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; done; done

mutate: $(TOOLS)/gremlins ## change the pure cores one operator at a time: do tests notice? (PKG=./devices/frame for one)
	node deploy/mutate.mjs $(TOOLS)/gremlins $(PKG)

lint: $(TOOLS)/golangci-lint $(TOOLS)/govulncheck $(WEB)/node_modules/.made ## static checks, known vulnerabilities, licences
	gofmt -l $$(git ls-files '*.go') | tee /dev/stderr | wc -l | grep -qx 0
	$(TOOLS)/golangci-lint run --allow-serial-runners ./...
	deploy/supply/vulncheck.sh $(TOOLS)/govulncheck $(RELEASE_GO) ./gateway ./simulator
	node deploy/supply/licences.mjs check
	deploy/supply/signatures.sh $(WEB)

tools: ## install what tests and the demo need, or say what is missing
	@deploy/tools.sh "$(TOOLS)" "$(INFLUXD)" $(DEBIAN)

$(TOOLS)/golangci-lint:
	@mkdir -p $(TOOLS)
	@echo "building golangci-lint (a few minutes, once)"
	@GOBIN=$(TOOLS) $(GO) install $(GOLANGCI)

$(TOOLS)/govulncheck:
	@mkdir -p $(TOOLS)
	@cd / && GOBIN=$(TOOLS) GOFLAGS=-mod=mod $(GO) install $(GOVULN)

$(TOOLS)/gremlins:
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install $(GREMLINS)

demo: build ## run the county on simulated hardware; Ctrl-C ends it (INFLUX_URL=… stores in InfluxDB)
	@bin/simulator demo --gatehouse bin/gatehouse --speed $(SPEED)

bench: tools build ## speed and memory against their limits (some ten minutes; 1: one is over)
	node $(WEB)/bench.mjs

bench-go: tools build ## every Go benchmark, as figures of one run (an hour)
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./...

county-day: tools ## export one day of a county in each format, and count with DuckDB what is in it
	$(GO) test -run '^$$' -bench CountyDay -benchtime 1x ./simulator

bench-peers: tools build $(TOOLS)/telegraf ## drain a backlog beside Telegraf and Mosquitto's clients, as ratios
	bin/simulator bench-peers

$(TOOLS)/telegraf:
	@mkdir -p $(TOOLS)
	@echo "building Telegraf (a minute or two, once)"
	@cd / && GOBIN=$(TOOLS) GOFLAGS=-mod=mod $(GO) install -tags $(TELEGRAFTAGS) $(TELEGRAF)

.PHONY: manuals pictures dashboards
manuals: tools ui ## write the manual into bin/manuals: pages that open without a server, and a PDF of each part
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} node $(WEB)/manuals.mjs bin/manuals

pictures: tools ui ## draw the pictures of the manual anew, after the words or looks of screens have changed
	cd $(WEB) && node pictures.mjs

dashboards: tools ## ask a real InfluxDB and Prometheus all that dashboards and alerts ask
	$(GO) test -count=1 ./simulator/dashboards

docs: build ## render DEVICES.md, the command reference and the dashboards
	bin/gatehouse devices --markdown > devices/DEVICES.md
	rm -rf deploy/commands
	bin/gatehouse docs --dir deploy/commands
	rm -rf deploy/grafana/dashboards
	bin/simulator dashboards --dir deploy/grafana

cross: ## build for the gate computers
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./gateway
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./simulator
	GOOS=linux GOARCH=arm GOARM=7 CGO_ENABLED=0 $(GO) build -o /dev/null ./gateway
	GOOS=linux GOARCH=arm GOARM=7 CGO_ENABLED=0 $(GO) build -o /dev/null ./simulator

$(TOOLS)/nfpm: deploy/package/tools/go.mod
	@mkdir -p $(TOOLS)
	@cd deploy/package/tools && GOBIN=$(TOOLS) GOFLAGS=-mod=readonly $(GO) install tool
	@touch $@

$(TOOLS)/cyclonedx-gomod: deploy/supply/package-lock.json
	@mkdir -p $(TOOLS) $(TOOLS)/../sbom
	@cd / && GOBIN=$(TOOLS) GOFLAGS=-mod=mod $(GO) install $(GOSBOM)
	@cp deploy/supply/package.json deploy/supply/package-lock.json $(TOOLS)/../sbom
	@cd $(TOOLS)/../sbom && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

dist: ui $(TOOLS)/nfpm $(TOOLS)/cyclonedx-gomod ## build what is released, with manual, SBOM, licences and checksums, into bin/dist
	deploy/supply/dist.sh bin/dist $(VERSION) $(RELEASE_GO) $(TOOLS)/..

dist-twice: ui $(TOOLS)/nfpm $(TOOLS)/cyclonedx-gomod ## build the release in two places, and compare the bytes
	deploy/supply/twice.sh $(VERSION) $(RELEASE_GO) $(TOOLS)/..

clean: ## remove what was built (tools stay)
	rm -rf bin .demo $(WEB)/dist/*.* $(WEB)/dist/help $(WEB)/node_modules
