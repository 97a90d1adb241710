# SPDX-License-Identifier: MIT
# sse-tools: one non-recursive makefile.  `make help` lists what it can do; V=1 shows the commands.

VERSION = 0.1.0
# The number in the name of each shared library.  It grows with a change after which a program that was
# linked before could not run.
SOVERSION = 0
FOLLOW_SOVERSION = 0
# Where the project is published, for the .pc and the Debian packages; they are without one if it is empty.
HOMEPAGE ?=

BUILD ?= build
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
DATADIR ?= $(PREFIX)/share/sse-tools

CC ?= cc
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
OBJCOPY ?= objcopy
# SANITIZE=address,undefined or SANITIZE=thread builds with them; give a BUILD of its own.
SANITIZE ?=
# WERROR=1 makes warnings errors, for a compiler that is known to have none.
WERROR ?=
# By another name, so that make -n only shows what would be run.
THIS_MAKE := $(MAKE)
# How long `make fuzz` lets each fuzzer run.
FUZZ_SECONDS ?= 300
Q = $(if $(V),,@)
# $(call quote,TEXT): one word for the shell, whatever is in it.
quote = '$(subst ','\'',$(1))'

# Lists of files are words to make, and these characters mean something to it or to the shell.
SPECIAL := : % ; \# \ ' " ` & | < > ( ) * ? [ ! = ~ $$
ifneq ($(words $(BUILD)) $(strip $(foreach c,$(SPECIAL),$(findstring $(c),$(BUILD)))),1 )
$(error BUILD is '$(BUILD)'; it must be one folder, without spaces and $(SPECIAL) in its name)
endif

# In a folder of somebody else, `sudo make install` builds nothing that only root could build again.
GUEST := $(if $(filter-out install,$(or $(MAKECMDGOALS),all)),,$(shell \
	[ "$$(id -u)" -ne 0 ] || [ -O . ] || echo yes))
# $(call say,CC,file): the short line that stands for the command.
say = @$(if $(GUEST),$(call refuse,$@),$(if $(V),:,printf '  %-5s %s\n' $(1) $(2)))
refuse = echo "sse-tools: $(1) is not there or out of date; run 'make' before 'sudo make install'" >&2; \
	exit 1

WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -Wvla $(if $(WERROR),-Werror)
HARDEN = $(STACK) $(PIC) $(if $(SANITIZE),,$(FORTIFY))
STACK = -fstack-protector-strong
PIC = -fPIE
# A level that is given holds; without optimization the C library would warn of it.
FORTIFY = $(if $(findstring _FORTIFY_SOURCE,$(CC) $(CPPFLAGS) $(CFLAGS)),,$(if $(filter-out \
	-O0,$(lastword $(filter -O%,$(CC) $(CFLAGS)))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
# Nothing that is built names the folder in which it was built.
PREFIX_MAP = $(if $(HAS_PREFIX_MAP),"-ffile-prefix-map=$$PWD=." \
	$(addsuffix =build,$(addprefix -ffile-prefix-map=,$(filter /%,$(BUILD)))))
# Asked for once, and only when something is compiled.
HAS_PREFIX_MAP = $(eval HAS_PREFIX_MAP := $(shell $(CC) -Werror -ffile-prefix-map=a=b -E -x c \
	/dev/null >/dev/null 2>&1 && echo yes))$(HAS_PREFIX_MAP)
SAN = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
BASE_CFLAGS = -std=c17 -D_GNU_SOURCE -DSSE_TOOLS_VERSION='"$(VERSION)"' -Ilib $(addprefix -iquotelib/,common json follow client) -pthread \
	$(WARNINGS) $(HARDEN) $(SAN) $(PREFIX_MAP)
BASE_LDFLAGS = -pie $(GNU_LDFLAGS) -pthread $(SAN)
GNU_LDFLAGS := $(if $(filter Darwin,$(shell uname -s)),,-Wl,-z,relro,-z,now,--as-needed)

PROGRAMS = sse-serve sse-post sse-tail
# What each program and each library is linked with, by pkg-config name.  libunistring has none, and is in no
# folder of its own.
PKGS_sse-serve = libmicrohttpd sqlite3 libcjson libssl libcrypto cjose libseccomp libunistring zlib $(PKGS_nats)
LIBUNISTRING = -lunistring
PKGS_sse-post = $(PKGS_libclient) libcjson
PKGS_sse-tail = $(PKGS_libclient) libcrypto
PKGS_libclient = $(PKGS_libsse-follow)
PKGS_libsse-follow = libcurl
PKGS_libcommon =
PKGS_libsse =
PKGS_units = cmocka

# The C client of NATS is for logs that several nodes share; without it, sse-serve is built without them.
PKGS_nats := $(shell $(PKG_CONFIG) --exists libnats 2>/dev/null && echo libnats)
WITHOUT_sse-serve = $(if $(PKGS_nats),,$(wildcard cmd/sse-serve/log/store_nats*.c) \
	$(filter-out %/servers.c,$(wildcard cmd/sse-serve/nats/*.c)))
WITH_NATS = $(if $(PKGS_nats),-DHAVE_NATS)
NATS_MARK = $(BUILD)/obj/$(if $(PKGS_nats),with,without)-nats

# libsse and libsse-follow are what others link; libcommon is what the three programs share beside
# libsse, libfollow the parts of libsse-follow, and libclient what the two clients share as programs:
# the last two need libcurl.
SSE_SRC = $(wildcard lib/*.c)
FOLLOW_SRC = $(wildcard lib/follow/*.c)
CLIENT_SRC = $(wildcard lib/client/*.c)
COMMON_SRC = $(wildcard lib/common/*.c lib/json/*.c)

.PHONY: all
all: $(PROGRAMS) libsse libsse-follow ## build the programs and the libraries, archive and shared (the default)

# --- the programs and the library -------------------------------------------

OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIBS_sse-serve = $(LIBS_libcommon)
LIBS_sse-post = $(LIBS_libclient)
LIBS_sse-tail = $(LIBS_libclient)
LIBS_libclient = $(BUILD)/libclient.a $(LIBS_libfollow)
LIBS_libfollow = $(BUILD)/libfollow.a $(LIBS_libcommon)
LIBS_libcommon = $(BUILD)/libcommon.a $(LIBS_libsse)
LIBS_libsse = $(BUILD)/libsse.a
EXTRA_sse-serve = $(BUILD)/obj/web.o

cflags = $(call ask,--cflags,$(1))
libs = $(call ask,--libs,$(1)) $(if $(filter libunistring,$(1)),$(LIBUNISTRING))
ask = $(if $(2),$(shell $(PKG_CONFIG) $(1) $(filter-out libunistring,$(2)) 2>/dev/null))
# The rules that it writes name BUILD as a variable: they hold however the folder is spelt.
compile = $(Q)mkdir -p $(@D) && $(CC) $(BASE_CFLAGS) $(call cflags,$(PKGS)) $(MORE) \
	-MMD -MP -MT '$$(BUILD)$(patsubst $(BUILD)%,%,$@)' $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
# $(call link,objects and archives,packages)
link = $(Q)mkdir -p $(@D) && $(CC) $(BASE_CFLAGS) $(CFLAGS) -o $@ $(1) $(BASE_LDFLAGS) $(LDFLAGS) \
	$(call libs,$(2)) $(LDLIBS)

# Stops with advice where the compiler, or a package of a program or a library, is not installed.
NEEDS = $(addprefix need-,$(PROGRAMS) libsse libsse-follow libcommon libclient units)
.PHONY: $(NEEDS)
$(NEEDS): need-%:
	@$(if $(GUEST),:,$(DEPS) need $* $(PKGS_$*))

# A program, and its parts but main.o as an archive, for its unit tests.  A header of another of its
# folders is included as "FOLDER/NAME.h".
define program
.PHONY: $(1)
$(1): $(BUILD)/bin/$(1)
OBJ_$(1) = $$(call OBJ,$$(filter-out $$(WITHOUT_$(1)),$$(wildcard cmd/$(1)/*.c cmd/$(1)/*/*.c))) $$(EXTRA_$(1))
$$(OBJ_$(1)): PKGS = $$(PKGS_$(1))
$$(OBJ_$(1)): MORE = -iquotecmd/$(1) $(WITH_NATS)
$(OBJ_$(1)): $(NATS_MARK)
$$(OBJ_$(1)): | need-$(1)
$(BUILD)/$(1).a: $$(filter-out %/main.o,$$(OBJ_$(1)))
$(BUILD)/bin/$(1): $$(OBJ_$(1)) $$(LIBS_$(1))
	$$(call say,LINK,$$@)
	$$(call link,$$^,$$(PKGS_$(1)))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))
# What was built without the client of NATS is built again when it is installed, and the other way round: the
# new mark is newer, and the old one goes.
$(NATS_MARK):
	@$(if $(GUEST),$(call refuse,$@),mkdir -p $(@D) && rm -f $(BUILD)/obj/*-nats && touch $@)

# The shared library exports what lib/libsse.map lists.  It is made where the linker has such lists (ELF).
SHARED := $(if $(filter Darwin,$(shell uname -s)),,libsse.so)
SONAME = libsse.so.$(SOVERSION)
.PHONY: libsse
libsse: $(BUILD)/libsse.a $(SHARED:%=$(BUILD)/$(SONAME))
$(BUILD)/$(SONAME): $(call OBJ,$(SSE_SRC)) lib/libsse.map
	$(call say,LINK,$@)
	$(Q)$(CC) $(BASE_CFLAGS) $(CFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=lib/libsse.map \
		-o $@ $(filter %.o,$^) $(GNU_LDFLAGS) $(SAN) $(LDFLAGS)
# One object is for both.  What the header does not declare is called directly, and cannot be seen.
$(call OBJ,$(SSE_SRC) $(FOLLOW_SRC) $(COMMON_SRC)): PIC = -fPIC -fvisibility=hidden
$(BUILD)/libsse.a: $(call OBJ,$(SSE_SRC))

# libsse-follow, where libsse is shared: one object of all that it needs beside libsse and libcurl.  What
# is hidden in it becomes local, so that the archive has no name that a program may have, too.
FOLLOW := $(SHARED:libsse.so=libsse-follow.so)
FOLLOW_SONAME = libsse-follow.so.$(FOLLOW_SOVERSION)
.PHONY: libsse-follow
libsse-follow: $(FOLLOW:%.so=$(BUILD)/%.a) $(FOLLOW:%=$(BUILD)/$(FOLLOW_SONAME))
$(BUILD)/$(FOLLOW_SONAME): $(BUILD)/sse-follow.o $(BUILD)/$(SONAME) lib/follow/libsse-follow.map
	$(call say,LINK,$@)
	$(Q)$(CC) $(BASE_CFLAGS) $(CFLAGS) -shared -Wl,-soname,$(FOLLOW_SONAME) \
		-Wl,--version-script=lib/follow/libsse-follow.map -o $@ $(filter-out %.map,$^) \
		$(GNU_LDFLAGS) $(SAN) $(LDFLAGS) $(call libs,$(PKGS_libsse-follow))
$(BUILD)/libsse-follow.a: $(BUILD)/sse-follow.o
$(BUILD)/sse-follow.o: $(call OBJ,$(FOLLOW_SRC)) $(BUILD)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(if $(findstring -flto,$(CC) $(CFLAGS)),-flinker-output=nolto-rel) -r -nostdlib \
		-o $@.tmp $^ && $(OBJCOPY) --localize-hidden $@.tmp $@ && rm -f $@.tmp
$(BUILD)/libcommon.a: $(call OBJ,$(COMMON_SRC))
$(BUILD)/libfollow.a: $(call OBJ,$(FOLLOW_SRC))
$(BUILD)/libclient.a: $(call OBJ,$(CLIENT_SRC))
$(call OBJ,$(COMMON_SRC)): PKGS = $(PKGS_libcommon)
$(call OBJ,$(COMMON_SRC)): | need-libcommon
$(call OBJ,$(FOLLOW_SRC) $(CLIENT_SRC)): PKGS = $(PKGS_libsse-follow)
$(call OBJ,$(FOLLOW_SRC)): | need-libsse-follow
$(call OBJ,$(CLIENT_SRC)): | need-libclient
# The parser's inner loop: a canary in each function that passes a struct costs it a quarter, and
# -O3 gains as much.
FAST = $(call OBJ,$(SSE_SRC) $(wildcard tests/bench/*.c))
$(FAST): STACK = -fstack-protector
$(FAST): override CFLAGS := $(patsubst -O2,-O3,$(CFLAGS))
$(BUILD)/%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c Makefile | need-libsse
	$(call say,CC,$<)
	$(compile)

# The pages become bytes in the program.
WEB = $(wildcard cmd/sse-serve/web/*)
$(BUILD)/web.c: $(WEB) cmd/sse-serve/embed.sh Makefile
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D) && sh cmd/sse-serve/embed.sh $(WEB) >$@.tmp && mv $@.tmp $@
$(BUILD)/obj/web.o: $(BUILD)/web.c
	$(call say,CC,$<)
	$(compile)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- running ----------------------------------------------------------------

.PHONY: run
run: ## install what is missing, build, run sse-serve with its page (PORT=8000 ARGS='--tick 1s')
	@$(DEPS) install build run
	@$(MAKE) --no-print-directory all
	@exec $(BUILD)/bin/sse-serve $(if $(filter command,$(origin PORT)),--listen $(PORT)) $(ARGS)

.PHONY: cluster
cluster: ## the same, as three nodes on three NATS servers behind nginx, to try (PORT=8000)
	@$(DEPS) install build run cluster
	@$(MAKE) --no-print-directory all
	@exec sh .ci/cluster $(call quote,$(BUILD)/bin) $(ARGS)

.PHONY: deps deps-build deps-deb deps-check
DEPS = CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' PKG_CONFIG='$(PKG_CONFIG)' sh .ci/deps
deps: ## install what is missing (apt-get), or name the packages
	@$(DEPS) install build run check
deps-build: ## ... only what building needs
	@$(DEPS) install build
deps-deb: ## ... only what `make deb` needs
	@$(DEPS) install build unit deb
deps-check: ## ... only what the tests need
	@$(DEPS) install build check

# --- tests ------------------------------------------------------------------

TEST_SRC = $(filter-out tests/unit/example_% tests/fault/shim_% \
	$(if $(PKGS_nats),,tests/bench/jetstream_client.c),$(wildcard tests/unit/*.c \
	tests/scenario/*.c \
	tests/fault/*.c tests/bench/*.c tests/interop/*.c tests/fuzz/*.c))
test_bins = $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(wildcard $(1))))
UNIT = $(call test_bins,tests/unit/test_*.c)
SHIMS = $(patsubst tests/fault/%.c,$(BUILD)/tests/%.so,$(wildcard tests/fault/shim_*.c))
HELPERS = $(filter-out $(BUILD)/tests/shim_%,$(call test_bins,tests/scenario/*.c \
	tests/fault/*.c tests/interop/*.c tests/bench/*_server.c)) $(BUILD)/tests/load $(SHIMS)
BENCH = $(call test_bins,$(filter tests/bench/%,$(TEST_SRC))) $(BUILD)/tests/load
FUZZERS = $(call test_bins,tests/fuzz/fuzz_*.c)
# What makes a fuzzer a program of its own, PROGRAM SECONDS; libFuzzer brings a main().
FUZZ_CFLAGS ?= -DFUZZ_STANDALONE

# What a test, a helper or a benchmark is linked with follows from its name: *_serve_*, *_post_* and
# *_tail_* with the parts of that program, test_sse_* with libsse alone, test_client_* and follow* with
# libclient, all others with libcommon; and with PKGS_name.
PKGS_kill = sqlite3
PKGS_cluster = sqlite3
PKGS_tls_memory = libssl libcrypto
PKGS_jetstream_client = libnats
program_of = $(strip $(foreach p,serve post tail,$(if $(findstring _$(p)_,$(1)),sse-$(p))))
part_of = $(or $(call program_of,$(1)),$(if $(findstring /test_sse_,$(1)),libsse),$(if \
	$(findstring /scenario/follow,$(1))$(findstring /test_client_,$(1)),libclient),libcommon)
# $(call test_program,source,its part,its packages)
define test_program
$(call OBJ,$(1)): PKGS = $(3)
$(call OBJ,$(1)): MORE = $(addprefix -iquotecmd/,$(call program_of,$(1))) \
	$(if $(findstring /fuzz/,$(1)),$$(FUZZ_CFLAGS))
$(call OBJ,$(1)): | need-$(2) $(if $(findstring /unit/,$(1)),need-units)
$(BUILD)/tests/$(basename $(notdir $(1))): $(call OBJ,$(1)) \
		$(addprefix $(BUILD)/,$(addsuffix .a,$(if $(findstring /unit/test_serve_,$(1)),libunit) \
			$(call program_of,$(1)) \
			$(if $(findstring /fault/,$(1)),libfault) $(if $(findstring /fuzz/,$(1)),libfuzz))) \
		$(LIBS_$(2))
	$$(call say,LINK,$$@)
	$$(call link,$$^,$(3)) $(if $(findstring /fuzz/,$(1)),$$(FUZZ_LDFLAGS))
endef
$(foreach s,$(TEST_SRC),$(eval $(call test_program,$(s),$(call part_of,$(s)),$(strip \
	$(if $(findstring /unit/,$(s)),$(PKGS_units)) $(PKGS_$(basename $(notdir $(s)))) \
	$(PKGS_$(call part_of,$(s)))))))
# The load generator is of many parts.
LOAD = $(call OBJ,$(wildcard tests/bench/load/*.c))
$(LOAD): PKGS = libssl libcrypto
$(BUILD)/tests/load: $(LOAD) $(BUILD)/libcommon.a
	$(call say,LINK,$@)
	$(call link,$^,libssl libcrypto)
# What the unit tests of sse-serve share.
UNIT_PARTS = $(call OBJ,$(wildcard tests/unit/parts/*.c))
$(UNIT_PARTS): PKGS = $(PKGS_units) libssl libcrypto
$(UNIT_PARTS): MORE = -iquotecmd/sse-serve $(WITH_NATS)
$(UNIT_PARTS): $(NATS_MARK)
$(UNIT_PARTS): | need-units
$(BUILD)/libunit.a: $(UNIT_PARTS)
# What the fault tests share.
FAULT_PARTS = $(call OBJ,$(wildcard tests/fault/parts/*.c))
$(FAULT_PARTS): PKGS = sqlite3
$(BUILD)/libfault.a: $(FAULT_PARTS)
# What they put between the server and the system; never with a sanitizer.
$(BUILD)/tests/shim_%.so: tests/fault/shim_%.c Makefile | need-libsse
	$(call say,SHIM,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=c17 -D_GNU_SOURCE $(WARNINGS) -O2 -g -fPIC -shared -o $@ $<
# What the fuzzers share.
$(BUILD)/libfuzz.a: $(call OBJ,$(wildcard tests/fuzz/parts/*.c) tests/fault/parts/random.c)

.PHONY: units helpers benches fuzzers libsse-units
units: $(UNIT)
helpers: $(HELPERS)
benches: $(BENCH)
fuzzers: $(FUZZERS)
LIBSSE_UNIT = $(filter $(BUILD)/tests/test_sse_%,$(UNIT))
libsse-units: $(LIBSSE_UNIT) ## build and run the unit tests of libsse; they need only cmocka
	@for t in $^; do $$t || exit 1; done

.PHONY: check test installcheck lint bench bench-deps fuzz fault
check: ## install what the tests need, and run all or only SUITE='unit scenario/post'
	@BUILD='$(BUILD)' MAKE='$(THIS_MAKE)' CC='$(CC)' DEPS=install bash tests/run $(SUITE)
test: ## run the tests that need nothing more than is installed; installs nothing
	@BUILD='$(BUILD)' MAKE='$(THIS_MAKE)' CC='$(CC)' DEPS=none bash tests/run $(SUITE)
installcheck: ## run the tests of whole programs against the installed ones
	@bin=$$(cd $(call quote,$(DESTDIR)$(BINDIR)) && pwd) && \
		BUILD='$(BUILD)' MAKE='$(THIS_MAKE)' CC='$(CC)' DEPS=none INSTALLED="$$bin" \
		bash tests/run $(or $(SUITE),scenario examples)
lint: ## check scripts, man pages and sources with static tools
	@! command -v cppcheck >/dev/null || cppcheck -q --enable=warning,performance,portability \
		--suppress=unknownMacro -Ilib -Ilib/common -Ilib/json -Ilib/follow -Ilib/client -Icmd/sse-serve lib cmd
	@! command -v clang-format >/dev/null || for f in $(wildcard lib/*.[ch] lib/*/*.[ch] cmd/*/*.[ch] cmd/*/*/*.[ch]); do \
		clang-format --dry-run -Werror $$f 2>/dev/null || echo "clang-format would change $$f"; done
	@BUILD='$(BUILD)' MAKE='$(THIS_MAKE)' bash tests/run lint
fault: all helpers ## kill the server 1,000 times (FAULT_ROUNDS), and test other faults at length
	@BUILD='$(BUILD)' sh tests/fault.sh
bench: all benches ## run the benchmarks; BENCH_QUICK=1 briefly, RESULTS=1 into tests/bench/RESULTS.md
	@BUILD='$(BUILD)' sh tests/bench.sh
bench-deps: ## install the servers to compare with: nginx with nchan, and those of npm
	@$(DEPS) install build bench
fuzz: ## fuzz each target for FUZZ_SECONDS (300), with libFuzzer if clang is installed
	@BUILD='$(BUILD)' MAKE='$(THIS_MAKE)' sh tests/fuzz.sh $(FUZZ_SECONDS)

# --- installing -------------------------------------------------------------

.PHONY: completions
completions: $(PROGRAMS) ## generate completions/ from the programs' option tables
	@mkdir -p completions/bash completions/zsh completions/fish
	$(Q)for p in $(PROGRAMS); do \
		$(BUILD)/bin/$$p --completions bash >completions/bash/$$p && \
		$(BUILD)/bin/$$p --completions zsh >completions/zsh/_$$p && \
		$(BUILD)/bin/$$p --completions fish >completions/fish/$$p.fish || exit 1; \
	done

# A section 3 page is found by the name of each function that it is about, too.
man_links = $(addsuffix .3,$(filter-out $(basename $(notdir $(1))),$(sort $(shell \
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([a-z0-9_]*\).*/\1/p' $(1)))))

define newline


endef
# What is installed: $(call installed,PUT) is $(call PUT,folder,mode,files) for each folder, a line
# each; of a link, mode is "link to NAME".  Folders may have spaces in their names.
define installed
$(call $(1),$(BINDIR),755,$(PROGRAMS:%=$(BUILD)/bin/%))
$(call $(1),$(LIBDIR),644,$(BUILD)/libsse.a $(SHARED:%=$(BUILD)/$(SONAME)))
$(call $(1),$(LIBDIR),644,$(FOLLOW:%.so=$(BUILD)/%.a) $(FOLLOW:%=$(BUILD)/$(FOLLOW_SONAME)))
$(call $(1),$(LIBDIR),link to $(SONAME),$(SHARED))
$(call $(1),$(LIBDIR),link to $(FOLLOW_SONAME),$(FOLLOW))
$(call $(1),$(LIBDIR)/pkgconfig,644,lib/libsse.pc)
$(call $(1),$(LIBDIR)/pkgconfig,644,$(FOLLOW:%.so=lib/follow/%.pc))
$(call $(1),$(INCLUDEDIR),644,lib/sse.h $(if $(FOLLOW),lib/follow/sse_follow.h))
$(call $(1),$(MANDIR)/man1,644,$(wildcard man/*.1))
$(call $(1),$(MANDIR)/man3,644,$(wildcard man/*.3))
$(foreach page,$(wildcard man/*.3),$(call $(1),$(MANDIR)/man3,link to $(notdir $(page)),$(call \
	man_links,$(page)))$(newline))
$(call $(1),$(MANDIR)/man7,644,$(wildcard man/*.7))
$(call $(1),$(BASHDIR),644,$(PROGRAMS:%=completions/bash/%))
$(call $(1),$(ZSHDIR),644,$(PROGRAMS:%=completions/zsh/_%))
$(call $(1),$(FISHDIR),644,$(PROGRAMS:%=completions/fish/%.fish))
$(call $(1),$(UNITDIR),644,cmd/sse-serve/systemd/sse-serve.socket)
$(call $(1),$(UNITDIR),644,cmd/sse-serve/systemd/sse-serve.service)
$(call $(1),$(SYSUSERSDIR),644,cmd/sse-serve/systemd/sse-serve.conf)
$(call $(1),$(DATADIR)/grafana,644,cmd/sse-serve/grafana/sse-serve.json)
endef

# A file is copied; a .pc and a .service are made of their .in, with the folders of this call.
put = $(if $(3),$(Q)umask 022 && to=$(call quote,$(DESTDIR)$(1)) && mkdir -p "$$to" && \
	$(or $(if $(filter %.pc,$(3)),$(make_pc)),$(if $(filter %.service,$(3)),$(make_unit)),$(if \
	$(filter link,$(2)),$(make_links)),install -m $(2) $(3) "$$to/") && \
	printf '  INST  %s\n' $(patsubst %,"$$to/%",$(notdir $(3))))
make_links = for name in $(3); do ln -sf $(lastword $(2)) "$$to/$$name" || exit 1; done
make_pc = sed $(if $(HOMEPAGE),,-e '/@HOMEPAGE@/d') $(foreach v,PREFIX LIBDIR INCLUDEDIR VERSION \
	HOMEPAGE,-e $(call quote,s|@$(v)@|$(call \
	replacement,$(call in_prefix,$(v)))|)) $(3).in >"$$to/$(notdir $(3))" && \
	chmod $(2) "$$to/$(notdir $(3))"
# In a unit % begins a specifier, and its value is quoted.
make_unit = sed -e $(call quote,s|@BINDIR@|$(call replacement,$(call in_unit,$(BINDIR)))|) $(3).in \
	>"$$to/$(notdir $(3))" && chmod $(2) "$$to/$(notdir $(3))"
in_unit = $(subst %,%%,$(subst ",\",$(subst \,\\,$(1))))
replacement = $(subst |,\|,$(subst &,\&,$(subst \,\\,$(1))))
# The folder that a variable names, by ${prefix} if it is in there.
in_prefix = $(subst @@,,$(subst @@$(PREFIX)/,$${prefix}/,@@$($(1))))
take = $(if $(3),$(Q)sh .ci/remove $(call quote,$(DESTDIR)) $(call quote,$(PREFIX)) $(call quote,$(1)) $(notdir $(3)))

.PHONY: install uninstall
install: all ## install under PREFIX (/usr/local), in DESTDIR if given
	$(call installed,put)
uninstall: ## remove the installed files, and the folders that are then empty
	$(call installed,take)

.PHONY: dist deb npm clean help
DIST = sse-tools-$(VERSION)
dist: ## pack the files that git tracks into a tarball in build/
	$(Q)mkdir -p $(BUILD) && sh .ci/dist $(DIST) $(BUILD)/$(DIST).tar.gz
	@echo $(BUILD)/$(DIST).tar.gz
# Whoever builds packages for others names himself.
MAINTAINER ?= the sse-tools authors <sse-tools@example.org>
deb: dist ## build Debian packages in build/deb (MAINTAINER='A B <a@b>', HOMEPAGE)
	$(Q)sh .ci/deb sse-tools $(VERSION) $(BUILD)/$(DIST).tar.gz $(BUILD)/deb \
		$(call quote,$(MAINTAINER)) $(call quote,$(HOMEPAGE))
	@ls $(BUILD)/deb/*.deb
npm: ## pack the npm package of sse.js, with types, in build/npm (needs npm)
	@$(DEPS) npm tests/package
	$(Q)sh .ci/npm $(VERSION) $(BUILD)/npm
	@ls $(BUILD)/npm/*.tgz
clean: ## remove build output and the tests' npm packages
	rm -rf $(BUILD) tests/*/node_modules tests/bench/express/node_modules
help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
