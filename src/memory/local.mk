library_sources += \
	src/memory/memory.c \
	src/memory/set.c src/memory/set.h \
	src/memory/store.c src/memory/store.h
