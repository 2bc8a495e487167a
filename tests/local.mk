# Tests: one small program per module, run side by side by make check.
EXTRA_DIST += tests/README.md
test_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -DPAWL_TESTING=1 $(CHECK_CFLAGS)
test_ldadd = libpawl_test.la libpawl_internal.la $(CHECK_LIBS) $(SQLITE3_LIBS)

if HAVE_CHECK
check_LTLIBRARIES += libpawl_test.la
libpawl_test_la_SOURCES = tests/lib/support.c tests/lib/support.h \
	tests/lib/fault_vfs.c tests/lib/fault_vfs.h \
	tests/lib/pass_vfs.c tests/lib/pass_vfs.h
libpawl_test_la_CPPFLAGS = $(test_cppflags)
endif

include tests/unit/local.mk
include tests/driver/local.mk
include tests/api/local.mk
include tests/promise/local.mk
include tests/crash/local.mk
include tests/torture/local.mk
include tests/cli/local.mk
include tests/model/local.mk
include tests/fuzz/local.mk
include tests/spin/local.mk
include tests/mutants/local.mk
include tests/export/local.mk
