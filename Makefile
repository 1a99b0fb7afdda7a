# The two commands of flexmix: `make demo` does the main job on real text, `make test` passes the tests.
# Each does all of its own set-up. What is slow lies in the user's cache and not in the clone.

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flexmix
FLEXMIX_TARGET ?= $(CACHE)/target/flexmix
TORCH_TARGET ?= $(CACHE)/target/torch
DEMO_OUT ?= demo-out
PYTHON ?= python3
NEXTEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)

# Cargo is always called with one of two selections, each with its own target folder, so that features unify one way.
MAIN := --workspace --exclude training --locked
TORCH := -p training --locked
ALONE := env -u LIBTORCH -u LD_LIBRARY_PATH CARGO_TARGET_DIR=$(FLEXMIX_TARGET)
WITH_TORCH = env LIBTORCH="$$($(PYTHON) training/libtorch.py)" CARGO_TARGET_DIR=$(TORCH_TARGET)
PROGRAMS := FLEXMIX=$(FLEXMIX_TARGET)/debug/flexmix FLEXMIX_TORCH=$(TORCH_TARGET)/debug/flexmix-torch

FUZZ_SECONDS ?= 60
FUZZ := $(patsubst tests/fuzz/targets/%.rs,%,$(wildcard tests/fuzz/targets/*.rs))

.PHONY: all demo test bench fuzz flexmix flexmix-torch lint test-flexmix test-torch test-whole deny clean-demo

all: flexmix flexmix-torch

# Builds a licensed corpus of real text, trains, stamps, merges, and answers under two policies.
demo: flexmix flexmix-torch
	$(PROGRAMS) $(PYTHON) pipeline/demo/demo.py --out $(DEMO_OUT) --inputs $(CACHE)/demo-packages

test: lint test-flexmix test-torch test-whole deny

flexmix:
	$(ALONE) cargo build $(MAIN) --bins

flexmix-torch:
	$(WITH_TORCH) cargo build $(TORCH) --bins

# The flexmix side is linted, documented and tested with no libtorch visible.
lint:
	cargo fmt --all --check
	$(ALONE) cargo clippy $(MAIN) --all-targets -- -D warnings
	$(ALONE) RUSTDOCFLAGS="-D warnings" cargo doc $(MAIN) --no-deps --lib
	$(WITH_TORCH) cargo clippy $(TORCH) --all-targets -- -D warnings
	$(WITH_TORCH) RUSTDOCFLAGS="-D warnings" cargo doc $(TORCH) --no-deps --lib

test-flexmix: flexmix
ifeq ($(NEXTEST),yes)
	$(ALONE) cargo nextest run $(MAIN) -E 'not package(flexmix-tests)'
else
	$(ALONE) cargo test $(MAIN) --exclude flexmix-tests
endif

test-torch: flexmix-torch
ifeq ($(NEXTEST),yes)
	$(WITH_TORCH) cargo nextest run $(TORCH)
else
	$(WITH_TORCH) cargo test $(TORCH)
endif

# The real programs, end to end, on a small committed corpus.
test-whole: flexmix flexmix-torch
ifeq ($(NEXTEST),yes)
	$(PROGRAMS) CARGO_TARGET_DIR=$(FLEXMIX_TARGET) cargo nextest run $(MAIN) -E 'package(flexmix-tests)'
else
	$(PROGRAMS) CARGO_TARGET_DIR=$(FLEXMIX_TARGET) cargo test $(MAIN) -p flexmix-tests
endif

# Our own licenses first: what we link must be under terms that we reviewed.
deny: $(CACHE)/tools/bin/cargo-deny
	$(CACHE)/tools/bin/cargo-deny --locked --workspace check licenses bans

$(CACHE)/tools/bin/cargo-deny:
	CARGO_TARGET_DIR=$(CACHE)/target/tools cargo install cargo-deny --version 0.20.2 --locked --debug --root $(CACHE)/tools

# Throughput of the text stages, one thread; FLEXMIX_TEXT names a file of your own text.
bench:
	$(ALONE) cargo bench --profile dev $(MAIN) --bench text

# Foreign bytes by the million (docs/threat-model.md); needs a nightly compiler. What it finds lies in tests/fuzz/corpus.
fuzz: $(CACHE)/tools/bin/cargo-fuzz
	cd tests/fuzz && for target in $(FUZZ); do \
	  CARGO_TARGET_DIR=$(CACHE)/target/fuzz PATH=$(CACHE)/tools/bin:$$PATH cargo +nightly fuzz run --fuzz-dir . -s none $$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -rss_limit_mb=2048 -timeout=20 || exit 1; \
	done

$(CACHE)/tools/bin/cargo-fuzz:
	CARGO_TARGET_DIR=$(CACHE)/target/tools cargo install cargo-fuzz --version 0.13.2 --locked --debug --root $(CACHE)/tools

clean-demo:
	rm -rf $(DEMO_OUT)
