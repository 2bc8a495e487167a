if HAVE_CHECK
unit_tests = tests/unit/test_base tests/unit/test_thread tests/unit/test_model \
	tests/unit/test_set tests/unit/test_vfs
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

tests_unit_test_base_CPPFLAGS = $(test_cppflags)
tests_unit_test_base_LDADD = $(test_ldadd)
tests_unit_test_thread_CPPFLAGS = $(test_cppflags)
tests_unit_test_thread_LDADD = $(test_ldadd)
tests_unit_test_model_CPPFLAGS = $(test_cppflags)
tests_unit_test_model_LDADD = $(test_ldadd)
tests_unit_test_set_CPPFLAGS = $(test_cppflags)
tests_unit_test_set_LDADD = $(test_ldadd)
tests_unit_test_vfs_CPPFLAGS = $(test_cppflags)
tests_unit_test_vfs_LDADD = $(test_ldadd)
