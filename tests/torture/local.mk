# The campaign of doc/reliability.md. make check runs each program for a moment;
# make torture runs them at length (tests/torture/run.sh).
EXTRA_DIST += tests/torture/run.sh

if HAVE_CHECK
check_LTLIBRARIES += libpawl_torture.la
libpawl_torture_la_SOURCES = tests/torture/log.c tests/torture/log.h \
	tests/torture/check.c tests/torture/check.h \
	tests/torture/fuse.c tests/torture/fuse.h \
	tests/torture/load.c tests/torture/load.h
libpawl_torture_la_CPPFLAGS = $(test_cppflags)
torture_ldadd = libpawl_torture.la $(test_ldadd)

torture_tests = tests/torture/test_check tests/torture/kill \
	tests/torture/power tests/torture/small_disk
torture_tests += tests/torture/race tests/torture/hostile \
	tests/torture/faults_threads tests/torture/poison
check_PROGRAMS += $(torture_tests) tests/torture/faults tests/torture/soak
TESTS += $(torture_tests) tests/torture/test-faults.sh \
	tests/torture/test-soak.sh
endif
EXTRA_DIST += tests/torture/test-faults.sh tests/torture/test-soak.sh

torture: $(check_LTLIBRARIES) $(check_PROGRAMS)
	sh $(srcdir)/tests/torture/run.sh
.PHONY: torture

tests_torture_test_check_CPPFLAGS = $(test_cppflags)
tests_torture_test_check_LDADD = $(torture_ldadd)
tests_torture_kill_CPPFLAGS = $(test_cppflags)
tests_torture_kill_LDADD = $(torture_ldadd)
tests_torture_power_SOURCES = tests/torture/power.c tests/torture/disk.c \
	tests/torture/disk.h
tests_torture_power_CPPFLAGS = $(test_cppflags)
tests_torture_power_LDADD = $(torture_ldadd)
tests_torture_small_disk_CPPFLAGS = $(test_cppflags)
tests_torture_small_disk_LDADD = $(torture_ldadd)
tests_torture_faults_CPPFLAGS = $(test_cppflags)
tests_torture_faults_SOURCES = tests/torture/faults.c \
	tests/torture/system.c tests/torture/system.h
tests_torture_faults_LDADD = $(test_ldadd)
system_ldflags = $(AM_LDFLAGS) \
	-Wl,--wrap=open64 -Wl,--wrap=fstat64 -Wl,--wrap=stat64 \
	-Wl,--wrap=statx -Wl,--wrap=statfs64 -Wl,--wrap=access \
	-Wl,--wrap=realpath -Wl,--wrap=ftruncate64 \
	-Wl,--wrap=posix_fallocate64 -Wl,--wrap=mmap64 -Wl,--wrap=fcntl64 \
	-Wl,--wrap=eventfd -Wl,--wrap=timerfd_create \
	-Wl,--wrap=inotify_init1 -Wl,--wrap=inotify_add_watch \
	-Wl,--wrap=opendir -Wl,--wrap=read -Wl,--wrap=pread64 \
	-Wl,--wrap=pthread_create
tests_torture_faults_LDFLAGS = $(system_ldflags)
tests_torture_faults_threads_CPPFLAGS = $(test_cppflags)
tests_torture_faults_threads_SOURCES = tests/torture/faults_threads.c \
	tests/torture/system.c tests/torture/system.h
tests_torture_faults_threads_LDADD = $(torture_ldadd)
tests_torture_faults_threads_LDFLAGS = $(system_ldflags)
tests_torture_race_CPPFLAGS = $(test_cppflags)
tests_torture_race_LDADD = $(test_ldadd)
tests_torture_hostile_CPPFLAGS = $(test_cppflags)
tests_torture_hostile_LDADD = $(torture_ldadd)
tests_torture_poison_CPPFLAGS = $(test_cppflags)
tests_torture_poison_LDADD = $(torture_ldadd)
tests_torture_soak_CPPFLAGS = $(test_cppflags)
tests_torture_soak_LDADD = $(torture_ldadd)
