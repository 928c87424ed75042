# SPDX-License-Identifier: GPL-2.0
# What each target does is in tools/; `make help` names them.

# Without BASE: drm-misc-next, and check is for all.
export BASE KERNEL_SRC DEPS TOPIC ID BUILD_DIR MINUTES SEED TEST REV CONFIG

help: ## this list
	@echo "usage: make TARGET [BASE=drm-misc-next|linux-6.12.y] [KERNEL_SRC=git-tree-or-tarball] [DEPS=no] [BUILD_DIR=folder]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

demo: ## shows a held fence after its issuer is gone, plain kernel and series side by side (TOPIC=amdgpu|xe: of that driver; TOPIC=kasan: with KASAN and lockdep)
	@tools/demo.sh

check: ## runs the checks (without BASE for all series), ends with "N passed, N failed" (PATTERN= of a name, MINUTES=, AGAIN=yes)
	@tools/check.sh $(if $(PATTERN),"$(PATTERN)")

test: ## runs one test of the tree as it is (TEST=suite, suite.case or kselftest; REV=base|tests|series|N, CONFIG=; without TEST: more on it)
	@tools/test.sh

shell: ## opens a shell in a VM with the tree as it is (REV=, CONFIG=vm)
	@tools/shell.sh

prove: ## shows that each test of a defect fails on the base
	@tools/prove.sh

mutate: ## puts one fault at a time into the series, checks that a test sees it (TOPIC=, ID=, MINUTES=; see tools/mutate.sh -h)
	@tools/mutate.sh

tree: ## makes build/BASE/linux, a git tree with one commit per patch, to work in
	@tools/tree.sh

export: ## writes that tree's commits back to series/BASE (TOPIC=folder for new ones)
	@tools/export.sh

debian: ## makes patches with DEP-3 headers for Debian, tries them on the source package, and builds it (BASE=linux-6.12.y)
	@tools/debian.sh

bisect: ## builds and tests after every patch (TOPIC=folder, MINUTES=)
	@tools/bisect.sh

mail: ## writes what git send-email would send of TOPIC=folder, sends nothing
	@tools/mail.sh

bench: ## measures base against series, prints the ratios (PAIRS=10, MINUTES=, AGAIN=yes)
	@tools/bench.sh

stress: ## runs the kselftest in random order on KASAN, PREEMPT_RT, KCSAN (MINUTES=10 in all, SEED= of an earlier run, CONFIG= for one)
	@tools/stress.sh

selftest: ## tests these tools
	@tools/selftest.sh

clean: ## removes what was built, but not the download and the kernels of the base; refuses while build/BASE/linux has commits to export
	@tools/clean.sh

distclean: ## removes all of build/BASE; refuses as clean does
	@tools/clean.sh --all

.PHONY: help demo check test shell prove mutate tree export debian bisect mail bench stress selftest clean distclean
