checks = scripts/check-floors.sh scripts/check-interface.sh \
	scripts/check-header.sh scripts/check-format.sh
TESTS += $(checks)
EXTRA_DIST += $(checks)
