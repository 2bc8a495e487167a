# Processes that are killed, or that work on one file at the same time.
if HAVE_CHECK
crash_tests = tests/crash/two_processes tests/crash/many_threads
check_PROGRAMS += $(crash_tests)
TESTS += $(crash_tests)
endif

tests_crash_two_processes_SOURCES = tests/crash/two_processes.c
tests_crash_two_processes_CPPFLAGS = $(test_cppflags)
tests_crash_two_processes_LDADD = $(kit_ldadd)
tests_crash_many_threads_SOURCES = tests/crash/many_threads.c
tests_crash_many_threads_CPPFLAGS = $(test_cppflags)
tests_crash_many_threads_LDADD = $(kit_ldadd)
