# One program per group of public calls, on both drivers.
api_tests = tests/api/test_open tests/api/test_queue tests/api/test_push \
	tests/api/test_async tests/api/test_listen tests/api/test_attempt \
	tests/api/test_events tests/api/test_dispatch tests/api/test_look \
	tests/api/test_change tests/api/test_info tests/api/test_hooks \
	tests/api/test_bad_input tests/api/test_consume tests/api/test_admin \
	tests/api/test_pool tests/api/test_refusal tests/api/test_doctor
kit_ldadd = libpawl_kit.la $(test_ldadd)

if HAVE_CHECK
check_LTLIBRARIES += libpawl_kit.la
libpawl_kit_la_SOURCES = tests/api/kit.c tests/api/kit.h \
	tests/crash/rig.c tests/crash/rig.h
libpawl_kit_la_CPPFLAGS = $(test_cppflags)

check_PROGRAMS += $(api_tests)
TESTS += $(api_tests)
endif

tests_api_test_open_SOURCES = tests/api/test_open.c
tests_api_test_open_CPPFLAGS = $(test_cppflags)
tests_api_test_open_LDADD = $(kit_ldadd)
tests_api_test_queue_SOURCES = tests/api/test_queue.c
tests_api_test_queue_CPPFLAGS = $(test_cppflags)
tests_api_test_queue_LDADD = $(kit_ldadd)
tests_api_test_push_SOURCES = tests/api/test_push.c
tests_api_test_push_CPPFLAGS = $(test_cppflags)
tests_api_test_push_LDADD = $(kit_ldadd)
tests_api_test_async_SOURCES = tests/api/test_async.c
tests_api_test_async_CPPFLAGS = $(test_cppflags)
tests_api_test_async_LDADD = $(kit_ldadd)
tests_api_test_listen_SOURCES = tests/api/test_listen.c
tests_api_test_listen_CPPFLAGS = $(test_cppflags)
tests_api_test_listen_LDADD = $(kit_ldadd)
tests_api_test_attempt_SOURCES = tests/api/test_attempt.c
tests_api_test_attempt_CPPFLAGS = $(test_cppflags)
tests_api_test_attempt_LDADD = $(kit_ldadd)
tests_api_test_events_SOURCES = tests/api/test_events.c
tests_api_test_events_CPPFLAGS = $(test_cppflags)
tests_api_test_events_LDADD = $(kit_ldadd)
tests_api_test_dispatch_SOURCES = tests/api/test_dispatch.c
tests_api_test_dispatch_CPPFLAGS = $(test_cppflags)
tests_api_test_dispatch_LDADD = $(kit_ldadd)
tests_api_test_look_SOURCES = tests/api/test_look.c
tests_api_test_look_CPPFLAGS = $(test_cppflags)
tests_api_test_look_LDADD = $(kit_ldadd)
tests_api_test_change_SOURCES = tests/api/test_change.c
tests_api_test_change_CPPFLAGS = $(test_cppflags)
tests_api_test_change_LDADD = $(kit_ldadd)
tests_api_test_info_SOURCES = tests/api/test_info.c
tests_api_test_info_CPPFLAGS = $(test_cppflags)
tests_api_test_info_LDADD = $(kit_ldadd)
tests_api_test_hooks_SOURCES = tests/api/test_hooks.c
tests_api_test_hooks_CPPFLAGS = $(test_cppflags)
tests_api_test_hooks_LDADD = $(kit_ldadd)
tests_api_test_bad_input_SOURCES = tests/api/test_bad_input.c
tests_api_test_bad_input_CPPFLAGS = $(test_cppflags)
tests_api_test_bad_input_LDADD = $(kit_ldadd)
tests_api_test_consume_SOURCES = tests/api/test_consume.c
tests_api_test_consume_CPPFLAGS = $(test_cppflags)
tests_api_test_consume_LDADD = $(kit_ldadd)
tests_api_test_admin_SOURCES = tests/api/test_admin.c
tests_api_test_admin_CPPFLAGS = $(test_cppflags)
tests_api_test_admin_LDADD = $(kit_ldadd)
tests_api_test_refusal_SOURCES = tests/api/test_refusal.c
tests_api_test_refusal_CPPFLAGS = $(test_cppflags)
tests_api_test_refusal_LDADD = $(kit_ldadd)
tests_api_test_pool_SOURCES = tests/api/test_pool.c
tests_api_test_pool_CPPFLAGS = $(test_cppflags)
tests_api_test_pool_LDADD = $(kit_ldadd)
tests_api_test_doctor_SOURCES = tests/api/test_doctor.c
tests_api_test_doctor_CPPFLAGS = $(test_cppflags)
tests_api_test_doctor_LDADD = $(kit_ldadd)
