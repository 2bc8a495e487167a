library_sources += \
	src/api/check.c src/api/check.h \
	src/api/doctor.c \
	src/api/info.c \
	src/api/jobs.c \
	src/api/listen.c \
	src/api/push.c \
	src/api/queue.c \
	src/api/store.c
