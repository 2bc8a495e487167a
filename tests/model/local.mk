# Library against model, history against automaton. make check runs each for a
# moment; at length: test_public --ops 1000000, test_time --steps 300000,
# test_history --histories 100 --ops 20000.
if HAVE_CHECK
model_tests = tests/model/test_public tests/model/test_time \
	tests/model/test_history
check_PROGRAMS += $(model_tests)
TESTS += $(model_tests)

tests_model_test_public_SOURCES = tests/model/test_public.c \
	tests/model/world.c tests/model/world.h \
	tests/model/model.c tests/model/model.h
tests_model_test_public_CPPFLAGS = $(test_cppflags)
tests_model_test_public_LDADD = $(test_ldadd)
tests_model_test_time_CPPFLAGS = $(test_cppflags)
tests_model_test_time_LDADD = $(test_ldadd)
tests_model_test_history_CPPFLAGS = $(test_cppflags)
tests_model_test_history_LDADD = $(test_ldadd)
endif
