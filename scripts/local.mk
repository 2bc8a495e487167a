checks = scripts/check-floors.sh scripts/check-interface.sh \
	scripts/check-header.sh scripts/check-format.sh
TESTS += $(checks)
EXTRA_DIST += $(checks) scripts/coverage.sh

# In a build folder configured with --enable-coverage.
coverage:
	srcdir=$(abs_top_srcdir) sh $(top_srcdir)/scripts/coverage.sh
.PHONY: coverage
