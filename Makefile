# SPDX-License-Identifier: GPL-2.0
# What each target does is in tools/; `make help` names them.

# Without BASE: drm-misc-next, and check is for all.
export BASE KERNEL_SRC DEPS FULL OLD TOPIC ID BUILD_DIR MINUTES SEED TEST REV CONFIG

help: ## list the targets
	@echo "usage: make TARGET [BASE=drm-misc-next|linux-6.12.y] [KERNEL_SRC=git-tree[:revision]|tarball|package] [DEPS=no] [BUILD_DIR=folder]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

demo: ## show a held fence after its issuer was unloaded, base and series side by side (TOPIC=amdgpu|xe|kasan)
	@tools/demo.sh

check: ## run the checks, of both series unless BASE is set; ends with "N passed, N failed" (PATTERN=name, MINUTES=, AGAIN=yes, FULL=yes)
	@tools/check.sh $(if $(PATTERN),"$(PATTERN)")

test: ## run one KUnit suite, case or kselftest on the work tree (TEST=, REV=base|tests|series|N, CONFIG=; without TEST: more)
	@tools/test.sh

shell: ## open a shell in a VM with the work tree (REV=, CONFIG=vm)
	@tools/shell.sh

prove: ## show that each test of a defect fails on the base
	@tools/prove.sh

mutate: ## put one fault at a time into the series and check that a test sees it (TOPIC=, ID=, MINUTES=)
	@tools/mutate.sh

tree: ## make build/BASE/linux, a git tree with one commit per patch
	@tools/tree.sh

export: ## write the commits of that tree back to series/BASE (TOPIC=folder for new ones)
	@tools/export.sh

diff: ## show what changed in the series since OLD=commit, for a new version (TOPIC=folder)
	@tools/diff.sh

debian: ## make patches with DEP-3 headers, apply them to the source package and build it (BASE=linux-6.12.y)
	@tools/debian.sh

bisect: ## build and test after every patch (TOPIC=folder, MINUTES=)
	@tools/bisect.sh

mail: ## write what git send-email would send of TOPIC=folder; send nothing
	@tools/mail.sh

bench: ## measure base against series, print the ratios (PAIRS=10, MINUTES=, AGAIN=yes)
	@tools/bench.sh

stress: ## run the kselftest in random order on KASAN, PREEMPT_RT and KCSAN kernels (MINUTES=10, SEED=, CONFIG=)
	@tools/stress.sh

selftest: ## test these tools
	@tools/selftest.sh

clean: ## remove what was built, but not the downloads and the kernels of the base
	@tools/clean.sh

distclean: ## remove all of build/BASE; like clean, refuses if there are commits to export
	@tools/clean.sh --all

.PHONY: help demo check test shell prove mutate tree export diff debian bisect mail bench stress selftest clean distclean
