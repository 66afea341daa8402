# make test   installs what the tests need into .tools, then runs everything
# make bench  measures Roost beside named baselines and prints ratios
# make check  what make test runs before the tests: formatting, vet, lint, cross-compiling
# make release  static binaries for linux and darwin, with checksums, in dist/

export ROOST_TEST_ALL = 1
# A checkout that belongs to somebody else than the user builds as well.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

.PHONY: test check tools bench release clean

test: tools check
	go run ./test/summary -race -timeout 30m ./...

tools:
	./test/tools/install

check:
	./test/check

bench: tools
	go run ./bench

release:
	./test/release

clean:
	rm -rf .tools dist
