# The examples see the public header only; src/ is not on their path.
examples_cppflags = -I$(top_srcdir)/include

noinst_PROGRAMS += examples/minimal examples/delayed examples/retry_events \
	examples/two_queues examples/metrics

examples_minimal_SOURCES = examples/minimal.c
examples_minimal_CPPFLAGS = $(examples_cppflags)
examples_minimal_LDADD = libpawl.la

examples_delayed_SOURCES = examples/delayed.c
examples_delayed_CPPFLAGS = $(examples_cppflags)
examples_delayed_LDADD = libpawl.la

examples_retry_events_SOURCES = examples/retry_events.c
examples_retry_events_CPPFLAGS = $(examples_cppflags)
examples_retry_events_LDADD = libpawl.la

examples_two_queues_SOURCES = examples/two_queues.c
examples_two_queues_CPPFLAGS = $(examples_cppflags)
examples_two_queues_LDADD = libpawl.la

examples_metrics_SOURCES = examples/metrics.c
examples_metrics_CPPFLAGS = $(examples_cppflags)
examples_metrics_LDADD = libpawl.la

if HAVE_NETTLE
noinst_PROGRAMS += examples/digests
examples_digests_SOURCES = examples/digests.c
examples_digests_CPPFLAGS = $(examples_cppflags) $(NETTLE_CFLAGS)
examples_digests_LDADD = libpawl.la $(NETTLE_LIBS)
endif

TESTS += examples/test-examples.sh
EXTRA_DIST += examples/test-examples.sh
