# make demo and make test need Go and make, nothing else.
GO      ?= go
BIN     := bin/cefgo
VERSION ?=
LDFLAGS := -s -w $(if $(VERSION),-X main.version=$(VERSION))
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64

export CGO_ENABLED ?= 0

.PHONY: build test race lint cross demo interop bench field compare fuzz clean

build:
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/cefgo

test: cross
	$(GO) vet ./...
	$(GO) test ./...

# The race detector needs a C compiler.
race:
	CGO_ENABLED=1 $(GO) test -race ./...

cross:
	@for p in $(PLATFORMS); do \
		echo "build $$p"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -o /dev/null ./cmd/cefgo || exit 1; \
	done

lint:
	@out=$$(gofmt -l cmd internal); [ -z "$$out" ] || { echo "gofmt: $$out"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

demo: build
	sh scripts/demo.sh $(BIN)

# The same cases against real Cefore programs; says which are not installed.
interop: build
	CEFGO_INTEROP=1 $(GO) test -count=1 -timeout 20m -v -run Interop ./...

# Benchmarks, and tables of simulated paths.
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...
	CEFGO_BENCH=1 $(GO) test -count=1 -timeout 30m -v -cpu 1 -run 'TestLongPath|TestFairness|TestPathChanges|TestMix|TestShapes' ./internal/pipeline

# Rates, memory and bad days with real Cefore programs; takes most of an hour, and a quiet
# machine. FIELD=small to see that it works, PART=/live for one part.
FIELD ?= 1
field:
	CEFGO_FIELD=$(FIELD) $(GO) test ./cmd/cefgo -run 'TestField$(PART)' -v -count=1 -timeout 60m

# get against cefapp through the same cefnetd, where both are installed.
compare: build
	sh scripts/compare.sh $(BIN)

# Each fuzz target for FUZZTIME.
FUZZTIME ?= 1m
fuzz:
	sh scripts/fuzz.sh $(FUZZTIME)

clean:
	rm -rf bin dist
