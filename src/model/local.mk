library_sources += \
	src/model/job.c src/model/job.h \
	src/model/options.c src/model/options.h \
	src/model/retry.c src/model/retry.h
