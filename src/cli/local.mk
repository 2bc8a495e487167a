# The command, on top of the installed header and the shared library alone.
bin_PROGRAMS += pawl
pawl_SOURCES = src/cli/main.c src/cli/cli.h src/cli/change.c src/cli/child.c \
	src/cli/doctor.c src/cli/info.c src/cli/lines.c src/cli/list.c src/cli/parse.c \
	src/cli/print.c src/cli/progress.c src/cli/push.c src/cli/queue.c \
	src/cli/work.c
pawl_CPPFLAGS = -I$(top_srcdir)/include
pawl_LDADD = libpawl.la

dist_man_MANS += doc/pawl.1

completiondir = $(datadir)/bash-completion/completions
completion_DATA = src/cli/pawl
EXTRA_DIST += src/cli/pawl.bash
CLEANFILES += src/cli/pawl
src/cli/pawl: $(top_srcdir)/src/cli/pawl.bash
	$(AM_V_GEN)$(MKDIR_P) src/cli && cp $(top_srcdir)/src/cli/pawl.bash $@
