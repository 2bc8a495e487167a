# The command: shell scripts that run ./pawl in the build folder, and what it
# reads and prints as a unit.
cli_tests = tests/cli/test-commands.sh tests/cli/test-work.sh \
	tests/cli/test-signals.sh tests/cli/test-doctor.sh \
	tests/cli/test-errors.sh tests/cli/test-terminal.sh
TESTS += $(cli_tests)
EXTRA_DIST += $(cli_tests) tests/cli/lib.sh

if HAVE_CHECK
check_PROGRAMS += tests/cli/test_text
TESTS += tests/cli/test_text
tests_cli_test_text_SOURCES = tests/cli/test_text.c src/cli/cli.h \
	src/cli/parse.c src/cli/print.c
tests_cli_test_text_CPPFLAGS = $(test_cppflags)
tests_cli_test_text_LDADD = $(test_ldadd)
endif
