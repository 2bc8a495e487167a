# Models of the protocols, checked with spin; skipped where there is none.
spin_tests = tests/spin/run.sh
TESTS += $(spin_tests)
EXTRA_DIST += $(spin_tests) tests/spin/claim.pml tests/spin/commit.pml \
	tests/spin/wake.pml
