library_sources += \
	src/sqlite/change.c src/sqlite/change.h \
	src/sqlite/checkpoint.c src/sqlite/checkpoint.h \
	src/sqlite/claim.c src/sqlite/claim.h \
	src/sqlite/commit.c src/sqlite/commit.h \
	src/sqlite/conn.c src/sqlite/conn.h \
	src/sqlite/doctor.c src/sqlite/doctor.h \
	src/sqlite/doctor_file.c \
	src/sqlite/doctor_life.c \
	src/sqlite/doctor_lock.c \
	src/sqlite/doctor_part.h \
	src/sqlite/doctor_schema.c \
	src/sqlite/file.c src/sqlite/file.h \
	src/sqlite/guard.c src/sqlite/guard.h \
	src/sqlite/place.c src/sqlite/place.h \
	src/sqlite/look.c src/sqlite/look.h \
	src/sqlite/migrate.c src/sqlite/migrate.h \
	src/sqlite/open.c src/sqlite/open.h \
	src/sqlite/push.c src/sqlite/push.h \
	src/sqlite/row.c src/sqlite/row.h \
	src/sqlite/schema.h \
	src/sqlite/settle.c src/sqlite/settle.h \
	src/sqlite/shrink.c src/sqlite/shrink.h \
	src/sqlite/side.c src/sqlite/side.h \
	src/sqlite/sql.h \
	src/sqlite/sqlite.c \
	src/sqlite/stmt.c src/sqlite/stmt.h \
	src/sqlite/store.h \
	src/sqlite/sweep.c src/sqlite/sweep.h \
	src/sqlite/vfs.c src/sqlite/vfs.h \
	src/sqlite/wake.c src/sqlite/wake.h
