if HAVE_CHECK
driver_tests = tests/driver/test_conformance tests/driver/test_model \
	tests/driver/test_sqlite tests/driver/test_system \
	tests/driver/test_no_memory tests/driver/test_cost
check_PROGRAMS += $(driver_tests)
TESTS += $(driver_tests)

tests_driver_test_conformance_SOURCES = tests/driver/test_conformance.c \
	tests/driver/harness.c tests/driver/harness.h
tests_driver_test_conformance_CPPFLAGS = $(test_cppflags)
tests_driver_test_conformance_LDADD = $(test_ldadd)

tests_driver_test_model_SOURCES = tests/driver/test_model.c \
	tests/driver/harness.c tests/driver/harness.h
tests_driver_test_model_CPPFLAGS = $(test_cppflags)
tests_driver_test_model_LDADD = $(test_ldadd)

tests_driver_test_sqlite_SOURCES = tests/driver/test_sqlite.c \
	tests/driver/harness.c tests/driver/harness.h
tests_driver_test_sqlite_CPPFLAGS = $(test_cppflags)
tests_driver_test_sqlite_LDADD = $(test_ldadd)

tests_driver_test_system_SOURCES = tests/driver/test_system.c \
	tests/driver/harness.c tests/driver/harness.h
tests_driver_test_system_CPPFLAGS = $(test_cppflags)
tests_driver_test_system_LDFLAGS = -Wl,--wrap=statfs64 -Wl,--wrap=fcntl64 \
	-Wl,--wrap=inotify_init1
tests_driver_test_system_LDADD = $(test_ldadd)

tests_driver_test_no_memory_SOURCES = tests/driver/test_no_memory.c \
	tests/driver/harness.c tests/driver/harness.h
tests_driver_test_no_memory_CPPFLAGS = $(test_cppflags)
tests_driver_test_no_memory_LDADD = $(test_ldadd)

tests_driver_test_cost_SOURCES = tests/driver/test_cost.c \
	tests/driver/harness.c tests/driver/harness.h
tests_driver_test_cost_CPPFLAGS = $(test_cppflags)
tests_driver_test_cost_LDADD = $(test_ldadd)
endif
