# The benchmarks: built by make check, run by make bench.
bench_programs = bench/bench_push bench/bench_drain bench/bench_async \
	bench/bench_wake
check_PROGRAMS += $(bench_programs)
bench_common = bench/bench.c bench/race.c bench/bench.h
bench_peers = bench/peer.c bench/peer_redis.c bench/peer_beanstalkd.c \
	bench/peer.h bench/wire.h
bench_libs = libpawl.la $(SQLITE3_LIBS)

bench_bench_push_SOURCES = bench/bench_push.c $(bench_common) $(bench_peers)
bench_bench_push_LDADD = $(bench_libs)
bench_bench_drain_SOURCES = bench/bench_drain.c $(bench_common) $(bench_peers)
bench_bench_drain_LDADD = $(bench_libs)
bench_bench_async_SOURCES = bench/bench_async.c $(bench_common)
bench_bench_async_LDADD = $(bench_libs)
bench_bench_wake_SOURCES = bench/bench_wake.c $(bench_common)
bench_bench_wake_LDADD = $(bench_libs)

EXTRA_DIST += bench/README.md bench/run.sh
CLEANFILES += bench-results.jsonl

# make bench BENCH_FLAGS="-d /mnt/other-disk"
BENCH_FLAGS =
.PHONY: bench
bench: $(bench_programs)
	sh $(srcdir)/bench/run.sh -j bench-results.jsonl $(BENCH_FLAGS)
dist_doc_DATA += doc/performance.md
