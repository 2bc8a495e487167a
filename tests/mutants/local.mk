# Mutants are tried by make mutants, in a copy of the sources.
EXTRA_DIST += tests/mutants/mutants.py

mutants:
	$(top_srcdir)/tests/mutants/mutants.py
.PHONY: mutants
