library_sources += \
	src/engine/attempt.c src/engine/attempt.h \
	src/engine/consumer.c src/engine/consumer.h \
	src/engine/dispatcher.c src/engine/dispatcher.h \
	src/engine/event.c src/engine/event.h \
	src/engine/gate.c src/engine/gate.h \
	src/engine/queue.c src/engine/queue.h \
	src/engine/store.c src/engine/store.h \
	src/engine/timer.c src/engine/timer.h
