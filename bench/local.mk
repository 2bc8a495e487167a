# The benchmark: built by make check, run by make bench.
check_PROGRAMS += bench/bench
bench_bench_SOURCES = bench/main.c bench/work.h \
	bench/bench.c bench/bench.h \
	bench/hist.c bench/hist.h \
	bench/side.c bench/side.h \
	bench/race.c bench/race.h \
	bench/children.c bench/children.h \
	bench/table.c bench/table.h \
	bench/crew.c bench/crew.h \
	bench/load.c bench/load.h \
	bench/side_pawl.c \
	bench/raw_push.c bench/raw_drain.c bench/thread_queue.c \
	bench/sql_side.h \
	bench/wire.c bench/wire.h \
	bench/peer_redis.c bench/peer_beanstalkd.c \
	bench/work_limits.c bench/work_push.c bench/work_drain.c \
	bench/work_mix.c bench/work_wake.c bench/work_backlog.c \
	bench/work_room.c bench/work_checkpoint.c bench/work_open.c
bench_bench_LDADD = libpawl.la $(SQLITE3_LIBS)

EXTRA_DIST += bench/README.md bench/run.sh bench/plot.sh \
	bench/targets.awk bench/targets.txt
CLEANFILES += bench-results.jsonl bench-results.svg

# make bench BENCH_FLAGS="--quick -d /mnt/other-disk"
BENCH_FLAGS =
.PHONY: bench
bench: bench/bench$(EXEEXT)
	sh $(srcdir)/bench/run.sh $(BENCH_FLAGS)
dist_doc_DATA += doc/performance.md
