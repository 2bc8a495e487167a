# pawl.1 is installed by src/cli/local.mk.
dist_man_MANS += doc/pawl.3 doc/pawl.7
dist_doc_DATA += doc/guide.md doc/operations.md doc/design.md \
	doc/reliability.md
