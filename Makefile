# A thin front for Meson and the scripts in tools/. Each target can be run on a fresh clone:
# it installs the Debian packages it needs (see `packages`) with root or sudo.

BUILD   ?= build
PYTHON  ?= /usr/bin/python3
DESTDIR ?=
PREFIX  ?= /usr/local
NINJA   := ninja
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := all
.PHONY: all demo check test lint format fuzz bench coverage trixie docs install clean help

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

all: $(BUILD)/release/build.ninja ## the program, as it is released: build/release/sekisho
	$(NINJA) -C $(BUILD)/release sekisho

demo: ## the main job on this machine, in a temporary place (DEMO_ONCE=1: ends by itself)
	@tools/install-packages build demo
	@$(MAKE) --no-print-directory all
	@$(PYTHON) demo/demo.py $(BUILD)/release/sekisho

check: ## every test, under ASan and UBSan
	@tools/install-packages build demo check
	@$(MAKE) --no-print-directory test

test: $(BUILD)/check/build.ninja # as check, without looking at packages
	$(NINJA) -C $(BUILD)/check
	@$(PYTHON) tools/run-tests $(BUILD)/check

lint: ## what the compiler does not see
	@tools/install-packages build check lint
	@$(PYTHON) tools/lint --cache $(BUILD)/lint

format: ## lay the C files out
	git ls-files '*.c' '*.h' | xargs clang-format -i

fuzz: ## every parser against libFuzzer, FUZZ_SECONDS each
	@tools/install-packages build lint
	@tools/fuzz-all $(BUILD)/fuzz $(FUZZ_SECONDS)

bench: ## against installed peers, one table
	@tools/install-packages build demo bench
	@$(MAKE) --no-print-directory all
	@$(PYTHON) bench/bench.py $(BUILD)/release/sekisho

coverage: ## which lines the tests reach
	@tools/install-packages build demo check lint
	@tools/coverage $(BUILD)/coverage

trixie: ## unit tests on Debian 13 (OpenSSL 3.5), in build/debian13; DEBIAN13_TESTS=all: every test; root
	@tools/install-packages trixie
	@tools/debian13 $(BUILD)/debian13

docs: all ## the generated parts of docs/
	@$(PYTHON) tools/gen-docs --write --program $(BUILD)/release/sekisho

install: all ## program, manual page, unit and example under PREFIX
	DESTDIR="$(DESTDIR)" meson install -C $(BUILD)/release --no-rebuild

clean: ## forget all builds
	rm -rf $(BUILD)/release $(BUILD)/check $(BUILD)/clang $(BUILD)/fuzz $(BUILD)/coverage $(BUILD)/lint

$(BUILD)/release/build.ninja:
	@command -v meson >/dev/null || tools/install-packages build
	meson setup $(BUILD)/release --buildtype=release --prefix=$(PREFIX) -Doptimization=2 -Ddebug=true \
		-Db_lto=true -Dtests=disabled

$(BUILD)/check/build.ninja:
	meson setup $(BUILD)/check -Db_sanitize=address,undefined -Db_lundef=false
