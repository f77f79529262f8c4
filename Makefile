# SPDX-License-Identifier: GPL-2.0
#
# The one entry for everything; `make help` lists it. Kbuild reads the file of that name instead.

# The guests' kernel, architecture and variant: 6.12, 7 or stock, x86_64 or arm64, see
# scripts/versions.sh. CAPTURE_KERNEL and CAPTURE_VARIANT are those of the kernel that saves the dump, where it is
# another one; CAPTURE_VARIANT=plain is the one without a variant.
#
# KDIR is a kernel tree of the user's own. The module is built against it, in rust_kexec/; where guests are
# asked for, they boot its kernel, as KERNEL=own.
.DEFAULT_GOAL := help
ifdef KDIR
.DEFAULT_GOAL := module
in_guests := $(filter demo test scenarios guest,$(MAKECMDGOALS))
ifeq ($(in_guests),)
export KDIR
else
unexport KDIR
export TREE := $(abspath $(KDIR))
KERNEL ?= own
ARCH ?= $(if $(shell grep -sx CONFIG_ARM64=y $(TREE)/.config),arm64,x86_64)
endif
endif
export KERNEL ARCH VARIANT
capture_kernel := $(or $(CAPTURE_KERNEL),$(KERNEL))
capture_variant := $(filter-out plain,$(or $(CAPTURE_VARIANT),$(VARIANT)))
target = $(shell KERNEL=$(1) VARIANT=$(2) ARCH=$(ARCH) sh -c '. scripts/versions.sh && echo "$$TARGET"')
export TARGET := $(call target,$(KERNEL),$(VARIANT))
export CAPTURE_TARGET := $(call target,$(capture_kernel),$(capture_variant))


TIMED := scripts/timed
PYTHON := build/venv/bin/python
# Python's own byte code stays out of the sources.
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache

# The results of the scenarios for CI systems.
JUNIT := --junitxml=build/junit/$(TARGET).xml
# Arguments for pytest, the demo and the benchmarks, as in `make test PYTEST="-k registers --seed=7"`.
PYTEST ?=
# A pattern for the names of rows, as in `make crash-matrix ROWS='oops|nmi'`.
ROWS ?=
DEMO ?=
BENCHCRASH ?=
BENCHLOAD ?=
BENCHVMCORE ?=
BENCHHOOK ?=
BENCHDUMP ?=
BENCHMEMORY ?=
BENCHREBOOT ?=
export KDUMP_TOOLS ?=
# How many bits `make corruption` flips, and how many crashes `make crash-stress` wants.
N ?=
# A crash of `make crash-stress` that is to be repeated, and how many guests run at a time.
SEED ?=
JOBS ?=

# A target with two hashes is for everybody, one with three for developers of the project.
.PHONY: help
help: ## list the targets
	@echo "rust_kexec: kexec and kdump as a loadable Rust module"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 21
	@echo
	@echo "  make KDIR=/path/to/tree   build the module against your own kernel tree"
	@echo "  make test PYTEST='-k registers'   run some of the scenarios"
	@echo
	@echo "For developers of the project:"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*### \(.*\)/  make \1\t\2/p' Makefile | expand -t 21
	@echo
	@echo "KERNEL=6.12, 7 or stock, ARCH=x86_64 or arm64, VARIANT= one of qemu/kernel/*.config, and"
	@echo "CAPTURE_KERNEL= and CAPTURE_VARIANT= for a capture kernel of another line or variant,"
	@echo "go with demo, test, scenarios and bench."

.PHONY: demo
ifeq ($(KERNEL)$(VARIANT)$(filter-out x86_64,$(ARCH)),)
demo: ## crash Debian's own kernel in a guest, and show what the dump says
	@$(MAKE) --no-print-directory -j2 demo KERNEL=$$(scripts/demo-kernel)
else
demo: guest python
	@$(TIMED) "demo" env PYTHONPATH=qemu $(PYTHON) -m harness.commands.demo $(DEMO)
	@scripts/timings
endif

.PHONY: test
test: guest python tools ## run all tests: cargo's, and the scenarios in QEMU
	@$(TIMED) "cargo tests" scripts/cargo-tests
	@$(TIMED) "scenarios" $(PYTHON) -m pytest -c qemu/pytest.ini $(JUNIT) qemu/tests $(PYTEST)
	@scripts/timings

.PHONY: scenarios
scenarios: guest python tools ### run the scenarios in QEMU only
	@$(TIMED) "scenarios" $(PYTHON) -m pytest -c qemu/pytest.ini $(JUNIT) qemu/tests $(PYTEST)
	@scripts/timings

# What a kernel of another page size or with other defences could break. Each of these kernels takes
# minutes to build, so they are not in `make test`.
.PHONY: matrix
matrix: ### run with each variant of the arm64 kernel the scenarios that it could break
	@for variant in hardened pages-16k pages-64k; do \
		$(MAKE) --no-print-directory scenarios ARCH=arm64 VARIANT=$$variant \
			PYTEST="-k 'test_dump or corrupt or protection or refused or mapped' $(PYTEST)" || exit; \
	done
	@$(MAKE) --no-print-directory scenarios ARCH=arm64 VARIANT=va-48 \
		PYTEST="-n 1 -k 'crash_backtraces or test_crash or dump_filter or vmcore_tools' $(PYTEST)"

# What the means by which functions are hooked could break. test_crash_matrix is about ftrace's.
.PHONY: no-ftrace
no-ftrace: ### run the scenarios that matter with a kernel that has no ftrace
	@$(MAKE) --no-print-directory scenarios VARIANT=no-ftrace PYTEST="-k 'test_dump or no_ftrace \
		or corrupt or claim or refused or replac or protection or report or leaks' $(PYTEST)"

# The kernel that saves the dump is one with CRASH_DUMP.
.PHONY: no-kexec
no-kexec: ### crash a kernel that has neither KEXEC nor CRASH_DUMP
	@$(MAKE) --no-print-directory scenarios VARIANT=no-kexec CAPTURE_VARIANT=plain \
		PYTEST="-k no_kexec $(PYTEST)"

# Only rows without a good result run. They need a kernel with what kills kernels: VARIANT=matrix,
# or one that has more.
crash_matrix_variant = $(or $(VARIANT),matrix)
.PHONY: crash-matrix
crash-matrix: ### kill kernels in every way, and write docs/crash-matrix.md: ROWS= for some
	@$(MAKE) --no-print-directory guest VARIANT=$(crash_matrix_variant)
	@$(MAKE) --no-print-directory python
	@$(TIMED) "crash matrix" env PYTHONPATH=qemu \
		TARGET=$(call target,$(KERNEL),$(crash_matrix_variant)) \
		CAPTURE_TARGET=$(call target,$(KERNEL),$(crash_matrix_variant)) \
		$(PYTHON) -m harness.commands.crash_matrix '$(ROWS)'

# A kernel that takes long to build, and whose every access takes long.
.PHONY: debug
debug: ### crash a guest with lockdep, KASAN and UBSAN, and expect no report of theirs
	@$(MAKE) --no-print-directory scenarios VARIANT=debug PYTEST="-n 1 -k test_debug $(PYTEST)"

.PHONY: stress
stress: ### load, unload and shrink from four processes at once for five minutes, then crash
	@$(MAKE) --no-print-directory scenarios \
		PYTEST="-n 1 -k test_stress --stress-seconds=300 $(PYTEST)"

.PHONY: reboots
reboots: ### reboot a guest N=50 times in a row without firmware, under load
	@$(MAKE) --no-print-directory scenarios \
		PYTEST="-n 1 -k test_again_and_again --reboots=$(or $(N),50) $(PYTEST)"

.PHONY: corruption
corruption: ### flip N=40 random bits of loaded images, each in a guest of its own
	@$(MAKE) --no-print-directory scenarios \
		PYTEST="-n 1 -k test_corrupt_at_random --flips=$(or $(N),40) $(PYTEST)"

# What is missing of N results is run, so that a long run can be made in pieces.
.PHONY: crash-stress
crash-stress: guest python ### N=1000 random crashes, and how many dumps were lost; SEED= repeats one
	@$(TIMED) "random crashes" env PYTHONPATH=qemu $(PYTHON) -m harness.commands.crash_stress \
		$(or $(N),1000) $(if $(SEED),--seed=$(SEED)) $(if $(JOBS),--jobs=$(JOBS))

.PHONY: tools
tools: setup
	@$(TIMED) "tools" scripts/tools

# One worker: each of these keeps more than one CPU of the host busy.
.PHONY: vmcore
vmcore: ### compare /proc/vmcore with the kernel's own, and open dumps with every tool
	@$(MAKE) --no-print-directory scenarios VARIANT=vmcore PYTEST="-n 1 -k test_vmcore --every-level $(PYTEST)"
	@$(MAKE) --no-print-directory scenarios PYTEST="-n 1 -k test_vmcore --every-level $(PYTEST)"

.PHONY: bench
bench: ## compare with the kernel's own kexec: times to crash, load and read
	@$(MAKE) --no-print-directory benchcrash
	@$(MAKE) --no-print-directory benchload
	@$(MAKE) --no-print-directory benchvmcore

.PHONY: benchcrash
benchcrash: guest python ### the first part of the benchmark: from the panic to the capture kernel
	@$(TIMED) "benchmark of crashing" env PYTHONPATH=qemu $(PYTHON) -m harness.benchmarks.crash \
		$(BENCHCRASH)

.PHONY: benchload
benchload: guest python tools ### the second part of the benchmark: loading
	@$(TIMED) "benchmark of loading" env PYTHONPATH=qemu $(PYTHON) -m harness.benchmarks.load \
		$(BENCHLOAD)

.PHONY: benchvmcore
benchvmcore: tools ### the third part of the benchmark: reading /proc/vmcore
	@$(MAKE) --no-print-directory guest CAPTURE_VARIANT=vmcore
	@$(TIMED) "benchmark of /proc/vmcore" env PYTHONPATH=qemu \
		CAPTURE_TARGET=$(call target,$(capture_kernel),vmcore) \
		$(PYTHON) -m harness.benchmarks.vmcore $(BENCHVMCORE)

# Debian's own kernel has a /proc/vmcore of its own as it is.
with_vmcore = $(if $(filter stock,$(capture_kernel)),plain,vmcore)
.PHONY: benchmemory
benchmemory: rkdump tools python ### the least memory that a dump needs, with ours and with the kernel's own
	@$(MAKE) --no-print-directory guest CAPTURE_VARIANT=$(with_vmcore)
	@$(TIMED) "benchmark of memory" env PYTHONPATH=qemu \
		CAPTURE_TARGET=$(call target,$(capture_kernel),$(filter-out plain,$(with_vmcore))) \
		$(PYTHON) -m harness.benchmarks.memory $(BENCHMEMORY)

.PHONY: benchhook
benchhook: guest python ### count the crash path's instructions with 1, 4, 16 and 64 CPUs
	@$(TIMED) "instructions of the crash path" env PYTHONPATH=qemu \
		$(PYTHON) -m harness.benchmarks.hook $(BENCHHOOK)

.PHONY: benchreboot
benchreboot: guest python ### compare reboots without firmware: ours, the kernel's own, and UEFI
	@$(TIMED) "benchmark of reboots" env PYTHONPATH=qemu \
		$(PYTHON) -m harness.benchmarks.reboot $(BENCHREBOOT)

# Without a dump in BENCHDUMP a guest is crashed for one.
.PHONY: benchdump
benchdump: kernel rkdump tools python ### save a dump with rkdump and makedumpfile: BENCHDUMP="--vmcore FILE", or of a guest
	@[ -n "$(findstring --vmcore,$(BENCHDUMP))" ] || $(MAKE) --no-print-directory guest
	@$(TIMED) "benchmark of saving" env PYTHONPATH=qemu $(PYTHON) -m harness.benchmarks.dump \
		$(BENCHDUMP)

.PHONY: check
check: python ### check formatting, lints and documentation, the module's last
	@$(TIMED) "checks" scripts/check
	@$(MAKE) --no-print-directory lint

.PHONY: lint
lint: module ### check the module with clippy and rustdoc, as Kbuild compiles it
	@$(TIMED) "lints of the module" scripts/lint

.PHONY: lines
lines: ## count the lines of Rust and of C that run in a kernel
	@scripts/lines

.PHONY: fuzz
fuzz: ### look for inputs that break a parser, FUZZ_SECONDS=60 for each
	@$(TIMED) "fuzzing" scripts/fuzz

.PHONY: coverage
coverage: ### say how much of kexec_core the cargo tests run
	@$(TIMED) "coverage" scripts/coverage

.PHONY: verification
verification: guest python ### write docs/verification.md: what is refused, by us and by the kernel
	@$(TIMED) "verification" env PYTHONPATH=qemu $(PYTHON) -m harness.commands.verification

.PHONY: module
module: $(if $(KDIR),$(if $(in_guests),kernel),kernel) ## build rust_kexec/rust_kexec.ko
	@$(TIMED) "module" scripts/module

.PHONY: rkexec
rkexec: ## build the command line tool, static: build/bin/ARCH/rkexec
	@$(TIMED) "rkexec" scripts/userspace rkexec

.PHONY: rkdump
rkdump: ## build the program that saves dumps, static: build/bin/ARCH/rkdump
	@$(TIMED) "rkdump" scripts/userspace rkdump

# Debian's own kernel is the one that a package with the module can be for.
.PHONY: deb
deb: $(if $(filter stock,$(KERNEL)),module) ## build packages for Debian in build/deb: KERNEL=stock for the module too
	@$(TIMED) "packages" scripts/deb

# The kernel is Debian's own. KDUMP_TOOLS= names a directory with kdump-tools' source package, whose tests run too.
.PHONY: distro
distro: ### install Debian 13 with our packages in a guest, and have its kdump-tools save a dump
	@$(MAKE) --no-print-directory deb KERNEL=stock
	@$(MAKE) --no-print-directory guest python KERNEL=stock
	@$(MAKE) --no-print-directory distro-image KERNEL=stock
	@$(MAKE) --no-print-directory scenarios KERNEL=stock PYTEST="-n 0 -k test_distro $(PYTEST)"

.PHONY: distro-image
distro-image:
	@$(TIMED) "Debian's image" scripts/distro-image

.PHONY: man
man: ## write the manual pages userspace/*/*.8 from the programs' own definitions
	@$(TIMED) "manual pages" scripts/manual

.PHONY: programs
programs: setup
	@$(TIMED) "user space" env CARGO_TERM_QUIET=true scripts/userspace rkexec guest rkdump

.PHONY: firmware
firmware: setup
	@$(TIMED) "firmware" scripts/firmware

.PHONY: guest
guest: module programs firmware ### pack the guests' root file systems
	@$(TIMED) "guest image" scripts/guest-image
	@[ "$(TARGET)" = "$(CAPTURE_TARGET)" ] || \
		$(MAKE) --no-print-directory guest KERNEL=$(capture_kernel) CAPTURE_KERNEL= \
			VARIANT=$(capture_variant) CAPTURE_VARIANT=

.PHONY: kernel
kernel: setup ### build the guest kernel, or find it in the cache
	@$(TIMED) "kernel" scripts/kernel

.PHONY: kernels
kernels: ### build all kernels that CI needs, side by side
	@scripts/timings --reset
	@$(TIMED) "kernels" sh -c '. scripts/versions.sh && scripts/kernels $$CI_KERNELS'

.PHONY: python
python: setup
	@$(TIMED) "Python packages" scripts/python

# What is wrong with a tree is said before anything is installed.
.PHONY: tree
tree:
	@$(if $(TREE),scripts/check-tree "$(TREE)" $(if $(filter demo,$(in_guests)),guest,scenarios))

.PHONY: setup
setup: tree ## install what this machine lacks (apt packages, bindgen)
	@scripts/timings --reset
	@$(TIMED) "setup" scripts/setup

# Shows a step of the set-up that is missing, where this machine has what it would install.
.PHONY: newcomer
newcomer: ### run GOALS=demo in a new DEBIAN=12 with an empty cache, AS=root, sudo or plain (no sudo)
	@scripts/newcomer $(or $(DEBIAN),12) $(or $(AS),root) $(or $(GOALS),demo)

.PHONY: clean
clean: ## remove what was built here; the cache outside the checkout stays
	@scripts/clean
