# Fuzz targets: here each replays its corpus; tests/fuzz/run.sh fuzzes.
fuzz_targets = text url options file schema argv
EXTRA_DIST += tests/fuzz/run.sh tests/fuzz/test-corpora.sh tests/fuzz/corpus
fuzz_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -DPAWL_TESTING=1
fuzz_ldadd = libpawl_fuzz.la libpawl_internal.la $(SQLITE3_LIBS)

check_LTLIBRARIES += libpawl_fuzz.la
libpawl_fuzz_la_SOURCES = tests/fuzz/fuzz.c tests/fuzz/fuzz.h \
	tests/fuzz/replay.c
libpawl_fuzz_la_CPPFLAGS = $(fuzz_cppflags)

check_PROGRAMS += tests/fuzz/fuzz_text tests/fuzz/fuzz_url \
	tests/fuzz/fuzz_options tests/fuzz/fuzz_file tests/fuzz/fuzz_schema \
	tests/fuzz/fuzz_argv
TESTS += tests/fuzz/test-corpora.sh

tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c src/cli/cli.h \
	src/cli/parse.c src/cli/print.c
tests_fuzz_fuzz_text_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_text_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_url_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_url_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_options_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_options_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_file_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_file_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_schema_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_schema_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_argv_SOURCES = tests/fuzz/fuzz_argv.c $(pawl_SOURCES)
tests_fuzz_fuzz_argv_CPPFLAGS = $(fuzz_cppflags) -Dmain=cli_main
tests_fuzz_fuzz_argv_LDADD = $(fuzz_ldadd)
tests_fuzz_fuzz_argv_CFLAGS = $(AM_CFLAGS) -Wno-missing-prototypes
