if HAVE_CHECK
promise_tests = \
	tests/promise/test_promise_01_durable_push \
	tests/promise/test_promise_02_unknown_and_poison \
	tests/promise/test_promise_03_at_least_once \
	tests/promise/test_promise_04_tokens \
	tests/promise/test_promise_05_settled_is_final \
	tests/promise/test_promise_06_rescue \
	tests/promise/test_promise_07_abandons \
	tests/promise/test_promise_08_order \
	tests/promise/test_promise_09_backlog \
	tests/promise/test_promise_10_own_transaction \
	tests/promise/test_promise_11_bad_input \
	tests/promise/test_promise_12_full_disk \
	tests/promise/test_promise_13_stop \
	tests/promise/test_promise_14_no_globals \
	tests/promise/test_promise_15_hostile_file
check_PROGRAMS += $(promise_tests)
TESTS += $(promise_tests)
check_LTLIBRARIES += libpawl_promise.la
libpawl_promise_la_SOURCES = tests/promise/promise.c tests/promise/promise.h
libpawl_promise_la_CPPFLAGS = $(test_cppflags)
promise_ldadd = libpawl_promise.la $(test_ldadd)

tests_promise_test_promise_01_durable_push_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_01_durable_push_LDADD = $(promise_ldadd)
tests_promise_test_promise_02_unknown_and_poison_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_02_unknown_and_poison_LDADD = $(promise_ldadd)
tests_promise_test_promise_03_at_least_once_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_03_at_least_once_LDADD = $(promise_ldadd)
tests_promise_test_promise_04_tokens_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_04_tokens_LDADD = $(promise_ldadd)
tests_promise_test_promise_05_settled_is_final_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_05_settled_is_final_LDADD = $(promise_ldadd)
tests_promise_test_promise_06_rescue_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_06_rescue_LDADD = $(promise_ldadd)
tests_promise_test_promise_07_abandons_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_07_abandons_LDADD = $(promise_ldadd)
tests_promise_test_promise_08_order_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_08_order_LDADD = $(promise_ldadd)
tests_promise_test_promise_09_backlog_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_09_backlog_LDADD = $(promise_ldadd)
tests_promise_test_promise_10_own_transaction_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_10_own_transaction_LDADD = $(promise_ldadd)
tests_promise_test_promise_11_bad_input_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_11_bad_input_LDADD = $(promise_ldadd)
tests_promise_test_promise_12_full_disk_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_12_full_disk_LDADD = $(promise_ldadd)
tests_promise_test_promise_13_stop_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_13_stop_LDADD = $(promise_ldadd)
tests_promise_test_promise_14_no_globals_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_14_no_globals_LDADD = $(promise_ldadd)
tests_promise_test_promise_15_hostile_file_CPPFLAGS = $(test_cppflags)
tests_promise_test_promise_15_hostile_file_LDADD = $(promise_ldadd)
endif
