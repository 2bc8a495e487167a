/* SPDX-License-Identifier: MIT */
/* pawl.h - the whole public interface of libpawl, a durable job queue in a
 * SQLite file.
 *
 * A program pushes jobs; listeners run them on a pool of threads, now or in
 * 30 days, again until they succeed. Jobs are delivered at least once: a
 * listener may see a job again after a crash, so it must be idempotent.
 *
 * Conventions, stated once for every function below:
 *   result   0 (PAWL_OK) is success; a negative value is an enum pawl_status.
 *            The errors named at a function are those that a caller would
 *            treat apart; any call may also return the common ones: NOMEM, IO,
 *            CORRUPT, POISONED, FORKED, and INVALID for a broken rule of its
 *            arguments.
 *   failure  On failure nothing was changed and outputs are empty (0, NULL),
 *            except where the function says otherwise.
 *   time     int64_t milliseconds. _ms is a span; _at_ms is Unix wall time.
 *   strings  UTF-8, NUL-terminated, borrowed for the length of the call. No
 *            reference to an argument is kept unless the function says so.
 *   err      May be NULL everywhere; filled only when the call fails.
 *   structs  A struct that begins with struct_size grows in later releases.
 *            Fill it with its _INIT macro, or zero it and set struct_size to
 *            sizeof it. A zero in any other field means the default.
 *   Threads  any = safe at once on one handle; owner = the caller serialises.
 *   Blocks   no; commit = for one commit (and the sync it asks for), at most
 *            busy_timeout_ms more when another process holds the write lock;
 *            read = for a read of the store.
 *
 * The library has no global state, installs no signal handlers, starts no
 * thread before pawl_start(), and never prints, aborts or reads the
 * environment. A handle belongs to the process that opened it: after fork()
 * every call in the child returns PAWL_FORKED.
 *
 * While a store on a SQLite file is open, do not open() and close() that file,
 * or its -wal, by other means in the same process: POSIX drops SQLite's locks
 * when any descriptor of the file is closed. */
#ifndef PAWL_H
#define PAWL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAWL_VERSION_STRING "0.1.0" /* the only place it is written */

#ifndef PAWL_API
#if defined(__GNUC__)
#define PAWL_API __attribute__((visibility("default")))
#else
#define PAWL_API
#endif
#endif

/* The version of the library in use, as "0.1.0"; static. Compare it with
 * PAWL_VERSION_STRING, the version compiled against.
 * Blocks: no. Threads: any. */
PAWL_API const char *pawl_version(void);

/* ------------------------------------------------------------------ errors */

/* One code for each thing that a caller would do differently. The numbers are
 * part of the ABI and never change. */
enum pawl_status {
    PAWL_OK = 0,
    PAWL_NOMEM = -1,        /* an allocation failed; nothing changed */
    PAWL_INVALID = -2,      /* the caller broke a documented rule */
    PAWL_BUSY = -3,         /* someone holds the store too long; try again */
    PAWL_EXISTS = -4,       /* the unique key is taken */
    PAWL_NOT_FOUND = -5,    /* no such job, or not in a state that allows it */
    PAWL_STALE = -6,        /* the attempt is no longer the job's current one */
    PAWL_UNKNOWN = -7,      /* the commit met an I/O error: done or not done */
    PAWL_POISONED = -8,     /* refused since an UNKNOWN; open the store again */
    PAWL_FULL = -9,         /* the disk is full; nothing changed */
    PAWL_IO = -10,          /* storage failed; sys_code has the detail */
    PAWL_READONLY = -11,    /* no permission to write there */
    PAWL_CORRUPT = -12,     /* no database, damaged, or tampered with */
    PAWL_SCHEMA = -13,      /* the store was made by a newer Pawl */
    PAWL_UNSUPPORTED = -14, /* this build, driver or file system cannot */
    PAWL_FORKED = -15,      /* the handle was opened before fork() */
    PAWL_MISUSE = -16       /* not now: wrong moment or wrong thread */
};

typedef struct pawl_error { /* caller-owned, fixed size, never freed */
    int code;               /* an enum pawl_status */
    int sys_code;           /* SQLite extended code, errno, or 0 */
    char message[240];      /* one English line, no trailing newline */
} pawl_error;

/* A short English name of a status, such as "unique key is taken"; static,
 * never NULL, also for numbers that are no status.
 * Blocks: no. Threads: any. */
PAWL_API const char *pawl_strerror(int code);

/* ------------------------------------------------------------------- store */

typedef struct pawl_store pawl_store; /* opaque; from pawl_open() */

/* What a push that returned PAWL_OK survives. Both survive kill -9. */
enum pawl_durability {
    PAWL_POWER = 0,  /* power loss too: one sync for each (group) commit */
    PAWL_PROCESS = 1 /* power loss may take the newest work, always a suffix
                        of the history, never the file */
};

enum pawl_log_level { PAWL_ERROR = 1, PAWL_WARN = 2, PAWL_INFO = 3 };

/* Receives one line without newline. Called from any thread of the library or
 * the caller's, without locks held; it may call any function. */
typedef void (*pawl_log_fn)(int level, const char *message, void *user);

/* A clock of the program's own, for tests and simulations. Both functions are
 * required, are called from any thread, and must not block. */
typedef struct pawl_clock {
    int64_t (*wall_ms)(void *user);      /* Unix time */
    int64_t (*monotonic_ms)(void *user); /* never goes back */
    void *user;
} pawl_clock;

/* Changes payloads on their way in and out: compression, encryption. Both
 * functions turn in[0..in_bytes) into a block made with malloc(), which the
 * library frees, and return 0; any other value fails the push, or the attempt.
 * Called from any thread, without locks held. */
typedef struct pawl_codec {
    int (*encode)(const void *in, size_t in_bytes, void **out,
                  size_t *out_bytes, void *user); /* at push */
    int (*decode)(const void *in, size_t in_bytes, void **out,
                  size_t *out_bytes, void *user); /* before listeners */
    void *user;
} pawl_codec;

typedef struct pawl_options {
    size_t struct_size;
    int durability;            /* enum pawl_durability; default PAWL_POWER */
    int durable_acks;          /* 1: acks are synced too; default 0 */
    int64_t busy_timeout_ms;   /* 1..3600000; default 5000 */
    int64_t max_payload_bytes; /* 1..1073741824; default 1 MiB */
    pawl_log_fn log;           /* default NULL: silent */
    void *log_user;
    int log_level;           /* enum pawl_log_level; default PAWL_WARN */
    int switch_to_wal;       /* 1: may switch a program's own database, which
                                has tables, to WAL mode; default 0: refuse */
    int unsafe_file_system;  /* 1: accept NFS, SMB, FUSE, 9p; default 0 */
    int must_exist;          /* 1: do not create the file; default 0 */
    const pawl_clock *clock; /* copied; default NULL: the system's */
    const pawl_codec *codec; /* copied; default NULL: none */
} pawl_options;

#define PAWL_OPTIONS_INIT                                        \
    {                                                            \
        sizeof(pawl_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 \
    }

/* Open a store, creating it where it does not exist.
 *
 * url is a path or "sqlite:PATH" (a SQLite file, which may be the program's
 * own database), or "memory:" (a new, private store in RAM). options may be
 * NULL for all defaults. *store is the caller's, to be closed by pawl_close().
 * Starts no thread. Fails with BUSY, READONLY, CORRUPT, SCHEMA, FULL,
 * UNSUPPORTED (a scheme this build lacks, a network file system).
 * Blocks: commit. Threads: any. */
PAWL_API int pawl_open(const char *url, const pawl_options *options,
                       pawl_store **store, pawl_error *err);

/* Close a store and free all of its handles (queues too). Stops it first, as
 * pawl_stop(store, 0, NULL) does; waits for running listeners to return. Where
 * the store then refuses their outcomes for busy_timeout_ms (a full disk, a
 * lock that another holds), these are given up: the jobs will run again. Jobs
 * pushed with pawl_push_async() are committed and their callbacks called. NULL
 * is allowed. From inside a listener, and after fork, it does nothing.
 * Blocks: yes. Threads: owner. */
PAWL_API void pawl_close(pawl_store *store);

/* ------------------------------------------------------------------- queue */

typedef struct pawl_queue pawl_queue; /* opaque; belongs to its store */

/* Open the queue of that name: the same name gives the same handle. name is
 * 1..64 bytes of printable UTF-8 without control characters. A queue comes
 * into being with its first job or setting. *queue lives as long as the store.
 * Blocks: read. Threads: any. */
PAWL_API int pawl_queue_open(pawl_store *store, const char *name,
                             pawl_queue **queue, pawl_error *err);

/* The queue's name and store; they live as long as the store.
 * Blocks: no. Threads: any. */
PAWL_API const char *pawl_queue_name(const pawl_queue *queue);
PAWL_API pawl_store *pawl_queue_store(const pawl_queue *queue);

#define PAWL_NONE (-1) /* where 0 is the default, -1 is a true zero */

/* A queue's settings are a row in the store, which all processes follow
 * within a second of its change by API, command or plain SQL. */
typedef struct pawl_settings {
    size_t struct_size;
    int32_t parallelism;       /* 0..256 threads in each process; default 0:
                                  the number of CPUs */
    int32_t paused;            /* 1: nothing is claimed; default 0 */
    int64_t length_interval_s; /* gauge interval; 1..86400; default 15 */
    int64_t retention_s;  /* how long done jobs are kept; -1 for ever; default
                             0: not at all. Cancelled jobs stay for the longer
                             of this and a day, failed ones until flushed */
    int32_t max_attempts; /* default for jobs; 1..1000; default 1 */
    int32_t max_abandons; /* deaths of a worker running the job before it goes
                             to failed; 1..1000; default 3 */
    int64_t timeout_ms;   /* default for jobs; 1..3155760000000; default 1 h */
    int64_t backoff_floor_ms;       /* default for jobs; see pawl_job */
    int64_t backoff_ceiling_ms;     /* likewise */
    int32_t backoff_factor_percent; /* likewise */
    int32_t backoff_jitter_percent; /* likewise */
} pawl_settings;

/* Read the settings in force, defaults filled in. settings->struct_size must
 * be set. Blocks: read. Threads: any. */
PAWL_API int pawl_queue_settings(pawl_queue *queue, pawl_settings *settings,
                                 pawl_error *err);

/* Set one setting by its field name, from text: an integer, or for the _ms and
 * _s fields also a span such as "90s", "15m", "2h", "30d", or "default".
 * Fails with INVALID for an unknown name or a value out of range.
 * Blocks: commit. Threads: any. */
PAWL_API int pawl_queue_set(pawl_queue *queue, const char *name,
                            const char *value, pawl_error *err);

/* --------------------------------------------------------------------- job */

/* What a producer says of a job and a listener reads. */
typedef struct pawl_job {
    size_t struct_size;
    const char *type;       /* 1..128 bytes, printable UTF-8; routes the job */
    const void *payload;    /* payload_bytes bytes, any content; copied */
    size_t payload_bytes;   /* 0..max_payload_bytes */
    int64_t delay_ms;       /* 0..3155760000000 (100 years); default 0: now */
    int64_t ready_at_ms;    /* instead of delay_ms; 0..7258118400000 (the year
                               2200); default 0: see delay_ms; past: now */
    int64_t timeout_ms;     /* for all listeners of one attempt together;
                               1..3155760000000; default: the queue's (1 h) */
    const char *unique_key; /* 1..255 bytes, or NULL for none (default). At
                               most one job of the queue holds a key */
    int64_t unique_ms;      /* the job holds its key until it is done, failed
                               or cancelled, and at least this long after the
                               push; 0..3155760000000; default 0 */
    int32_t max_attempts;   /* 1..1000; default: the queue's (1: no retry) */
    int32_t priority;       /* larger runs sooner; -32768..32767; default 0 */
    int64_t backoff_floor_ms;   /* wait before the first retry and least wait;
                                   1..3155760000000; default 1 s */
    int64_t backoff_ceiling_ms; /* most wait; floor..3155760000000; default
                                   10 min */
    int32_t backoff_factor_percent; /* growth from wait to wait; 100..1000;
                                       default 200: doubling */
    int32_t backoff_jitter_percent; /* 1..100, or PAWL_NONE; default 50: times
                                       0.5 to 1.5, then held to floor and
                                       ceiling */
} pawl_job;

/* pawl_job job = PAWL_JOB("welcome", text, length); */
#if defined(__cplusplus)
#define PAWL_JOB(type_, payload_, payload_bytes_)                            \
    {                                                                        \
        sizeof(pawl_job), (type_), (payload_), (payload_bytes_), 0, 0, 0, 0, \
            0, 0, 0, 0, 0, 0, 0                                              \
    }
#else
#define PAWL_JOB(type_, payload_, payload_bytes_)                \
    {                                                            \
        .struct_size = sizeof(pawl_job), .type = (type_),        \
        .payload = (payload_), .payload_bytes = (payload_bytes_) \
    }
#endif

/* Push one job; durable when it returns PAWL_OK.
 *
 * id may be NULL. *id is set on success (ids rise from 1 and are never used
 * again), and on EXISTS to the id of the job that holds the key. Fails with
 * BUSY, EXISTS, FULL, READONLY, and UNKNOWN: the commit met an I/O error and
 * the job may be there or not; the store is poisoned then, and the push may be
 * repeated on a newly opened one with the same unique_key.
 * Blocks: commit. Threads: any, also inside a listener. */
PAWL_API int pawl_push(pawl_queue *queue, const pawl_job *job, int64_t *id,
                       pawl_error *err);

/* Push n jobs (0..1000000) in one transaction: all or none, in order. All have
 * the same struct_size. ids may be NULL, else has room for n. On EXISTS, as on
 * any failure, nothing is pushed; err->message says which job it was.
 * Errors as pawl_push(). Blocks: commit. Threads: any. */
PAWL_API int pawl_push_many(pawl_queue *queue, const pawl_job *jobs, size_t n,
                            int64_t *ids, pawl_error *err);

/* Told once when an asynchronous push is durable (code PAWL_OK, id > 0), or
 * failed (code and err->message; on EXISTS id is the holder's). Called from
 * whichever thread made the commit, without locks held; keep it short. It may
 * call pawl_push_async(), but nothing that blocks on this store. */
typedef void (*pawl_pushed_fn)(int code, int64_t id, const pawl_error *err,
                               void *user);

/* Push one job without waiting for the commit. The job is copied; fn (may be
 * NULL) is called exactly once if and only if PAWL_OK is returned.
 *
 * Many pushes in flight share one commit, so a single thread reaches the
 * throughput of many. The store's own thread commits them when it is started;
 * before pawl_start() they are committed by the next blocking push, by
 * pawl_sync(), by pawl_close(), or by the 256th of them.
 * Blocks: no, except when 4096 are in flight: commit. Threads: any. */
PAWL_API int pawl_push_async(pawl_queue *queue, const pawl_job *job,
                             pawl_pushed_fn fn, void *user, pawl_error *err);

/* Wait until every asynchronous push made before this call is durable or has
 * failed, and its callback has returned. PAWL_OK says only that all were told.
 * Not from inside a pawl_pushed_fn (MISUSE).
 * Blocks: commit. Threads: any. */
PAWL_API int pawl_sync(pawl_store *store, pawl_error *err);

/* ---------------------------------------------------------------- listeners */

typedef struct pawl_attempt pawl_attempt; /* one run of a job's listeners */

/* Runs one job. Returns 0 for success; anything else fails the attempt, and
 * the job is retried whole while attempts are left. attempt and job are valid
 * until it returns. Called on a thread of the library with no lock held and no
 * transaction open; it may call any function of the library, but not
 * pawl_stop() or pawl_close() on its own store (MISUSE). */
typedef int (*pawl_listener)(pawl_attempt *attempt, const pawl_job *job,
                             void *user);

/* Listen to jobs of a type. A type may have several listeners: they run in the
 * order of registration, the first failure ends the attempt. type NULL listens
 * to all types that have no listener of their own in this handle. Jobs of
 * types that nobody listens to stay waiting. Fails with MISUSE once the store
 * is started. user is borrowed until pawl_close().
 * Blocks: no. Threads: any. */
PAWL_API int pawl_listen(pawl_queue *queue, const char *type,
                         pawl_listener listener, void *user, pawl_error *err);

/* Start the pools of all queues that have listeners, and the store's own
 * thread. Fails with MISUSE when already started.
 * Blocks: commit. Threads: owner. */
PAWL_API int pawl_start(pawl_store *store, pawl_error *err);

/* Stop the pools: no new jobs are claimed or started, running listeners are
 * told (pawl_attempt_should_stop) and get grace_ms (0..86400000) to finish,
 * jobs not started are given back untouched. PAWL_OK: all have finished; the
 * store may be started again. PAWL_BUSY: some listeners still run; call again
 * to wait on, or leave them: when the process ends their jobs are rescued.
 * Not started: PAWL_OK. From inside a listener: MISUSE.
 * Blocks: up to grace_ms, then commit. Threads: any. */
PAWL_API int pawl_stop(pawl_store *store, int64_t grace_ms, pawl_error *err);

/* Wait until the queues with listeners of a started store have nothing left to
 * run: no job of a type listened to here is waiting, reserved (by any
 * process) or backing off. Jobs that are delayed for another reason do not
 * count. timeout_ms is 0..3155760000000; PAWL_BUSY when it is over.
 * Blocks: up to timeout_ms. Threads: any but listeners (MISUSE). */
PAWL_API int pawl_drain(pawl_store *store, int64_t timeout_ms, pawl_error *err);

/* Call the listeners of job->type at once in this thread, storing nothing; the
 * same registry as the pools use. Returns PAWL_OK when there is none or all
 * succeeded, else the first listener's own non-zero result; err->message has
 * its reason. The attempt's number is 1, its job id 0.
 * Blocks: as the listeners do. Threads: any. */
PAWL_API int pawl_dispatch(pawl_queue *queue, const pawl_job *job,
                           pawl_error *err);

/* Look for work and due times now. Only needed by programs with a clock of
 * their own, after moving it. Blocks: no. Threads: any. */
PAWL_API void pawl_wake(pawl_store *store);

/* ----------------------------------------------------------------- attempt */
/* All of these are for use inside a listener, on its own attempt. They do not
 * block. Threads: any, until the listener returns. */

/* Which attempt this is: 1, 2, 3, ... (attempts that failed, plus one). */
PAWL_API int pawl_attempt_number(const pawl_attempt *attempt);
PAWL_API int64_t pawl_attempt_job_id(const pawl_attempt *attempt);
PAWL_API pawl_queue *pawl_attempt_queue(const pawl_attempt *attempt);

/* When the attempt times out. From that moment its result changes nothing. */
PAWL_API int64_t pawl_attempt_deadline_at_ms(const pawl_attempt *attempt);

/* Move the deadline to ms from now (1..3155760000000). STALE when it has
 * passed already. */
PAWL_API int pawl_attempt_extend(pawl_attempt *attempt, int64_t ms,
                                 pawl_error *err);

enum pawl_stop_reason {
    PAWL_STOP_NONE = 0,      /* go on */
    PAWL_STOP_TIMEOUT = 1,   /* the deadline has passed */
    PAWL_STOP_CANCELLED = 2, /* the job was cancelled or flushed */
    PAWL_STOP_SHUTDOWN = 3   /* pawl_stop() was called; finish soon */
};

/* Is it time to stop, and why: an enum pawl_stop_reason. */
PAWL_API int pawl_attempt_should_stop(const pawl_attempt *attempt);

/* A descriptor that becomes readable when pawl_attempt_should_stop() is no
 * longer NONE, for poll(); the library's, do not read or close it. -1 when no
 * descriptor could be made. */
PAWL_API int pawl_attempt_stop_fd(pawl_attempt *attempt);

/* Give the reason that people will read when the listener fails; at most 1000
 * bytes are kept. Returns a non-zero value: return pawl_attempt_fail(a, "…").
 * The last reason counts. */
PAWL_API int pawl_attempt_fail(pawl_attempt *attempt, const char *why);

/* Likewise, and the job is not retried. */
PAWL_API int pawl_attempt_abort(pawl_attempt *attempt, const char *why);

/* Likewise, and the retry, if attempts are left, comes after delay_ms
 * (0..3155760000000) instead of the backoff. */
PAWL_API int pawl_attempt_retry_in(pawl_attempt *attempt, int64_t delay_ms,
                                   const char *why);

/* Put the job back for delay_ms (0..3155760000000) without counting this
 * attempt, whatever the listener returns. Returns 0, or INVALID. */
PAWL_API int pawl_attempt_snooze(pawl_attempt *attempt, int64_t delay_ms,
                                 pawl_error *err);

/* Text to keep with the job when it is done (on queues with retention); at
 * most 64 KiB. */
PAWL_API int pawl_attempt_result(pawl_attempt *attempt, const char *text,
                                 pawl_error *err);

/* ------------------------------------------------------------------ events */

enum pawl_event_kind { /* bits, for masks */
                       PAWL_ON_PUSHED =
                           1, /* a push by this handle is durable */
                       PAWL_ON_STARTED =
                           2, /* before the listeners are called */
                       PAWL_ON_SUCCEEDED = 4, /* the listeners succeeded */
                       PAWL_ON_RETRY =
                           8, /* before a retry; error, next_at_ms */
                       PAWL_ON_ABORT =
                           16, /* before a job goes to failed; error */
                       PAWL_ON_TIMED_OUT =
                           32, /* the deadline passed; RETRY or ABORT follows */
                       PAWL_ON_RESCUED =
                           64, /* this process took a job from a dead worker */
                       PAWL_ON_CANCELLED = 128, /* cancelled by this handle */
                       PAWL_ON_ALL = 255
};

typedef struct pawl_event {
    size_t struct_size;
    int kind;    /* one enum pawl_event_kind */
    int attempt; /* its number; 0 where there is none */
    pawl_queue *queue;
    const pawl_job *job; /* NULL for RESCUED and CANCELLED */
    int64_t job_id;
    const char *error;  /* the reason, or NULL */
    int64_t next_at_ms; /* RETRY: when */
} pawl_event;

/* Called without locks held, on the thread where it happened; event is valid
 * until it returns. It cannot harm the job. */
typedef void (*pawl_event_fn)(const pawl_event *event, void *user);

/* Be told of events of a queue in this process. events is a mask of
 * pawl_event_kind. Subscribe before pawl_start() (else MISUSE).
 * Blocks: no. Threads: any. */
PAWL_API int pawl_subscribe(pawl_queue *queue, unsigned events,
                            pawl_event_fn fn, void *user, pawl_error *err);

/* --------------------------------------------------------- looking at jobs */

enum pawl_state {                    /* bits, for masks */
                  PAWL_WAITING = 1,  /* ready now */
                  PAWL_DELAYED = 2,  /* ready at a later time, or backing off */
                  PAWL_RESERVED = 4, /* claimed by a worker */
                  PAWL_TIMEOUT =
                      8, /* ran past its limit and is out of attempts */
                  PAWL_FAILED = 16, /* out of attempts */
                  PAWL_DONE = 32,   /* only where the queue keeps history */
                  PAWL_CANCELLED = 64,
                  PAWL_ANY_STATE = 127
};

/* "waiting", "delayed", …; static; "unknown" for anything else.
 * Blocks: no. Threads: any. */
PAWL_API const char *pawl_state_name(int state);

/* A stored job. Strings belong to it. */
typedef struct pawl_job_info {
    size_t struct_size;
    int64_t id;
    const char *queue;
    int state;              /* one enum pawl_state */
    int32_t attempts;       /* attempts that failed so far */
    int32_t abandons;       /* workers that died while running it */
    int64_t pushed_at_ms;   /* 0 when pushed by plain SQL that says nothing */
    int64_t finished_at_ms; /* 0 while not finished */
    const char *error;      /* the last reason, or NULL */
    const char *result;     /* or NULL */
    int64_t worker;         /* the worker that holds it, or 0 */
    pawl_job job; /* as stored: the payload is decoded only for listeners;
                     delay_ms is 0, ready_at_ms says when; defaults filled
                     in */
} pawl_job_info;

/* Get one job. *info is the caller's, to be freed by pawl_job_info_free().
 * NOT_FOUND when there is none. Blocks: read. Threads: any. */
PAWL_API int pawl_get(pawl_store *store, int64_t id, pawl_job_info **info,
                      pawl_error *err);
PAWL_API void pawl_job_info_free(pawl_job_info *info); /* NULL allowed */

typedef struct pawl_filter {
    size_t struct_size;
    const char *queue; /* NULL: all */
    const char *type;  /* NULL: all */
    unsigned states;   /* mask of enum pawl_state; default 0: all */
    int newest_first;  /* 1: by falling id; default 0: by rising id */
    int64_t after_id;  /* the page begins after this id in that order; the
                          last id of the page before; default 0: the start */
    int64_t limit;     /* 1..1000000; default 100 */
} pawl_filter;

#define PAWL_FILTER_INIT                      \
    {                                         \
        sizeof(pawl_filter), 0, 0, 0, 0, 0, 0 \
    }

/* Called for each job of a list, without locks held and no transaction open;
 * info is valid until it returns. Returns 0 to go on, anything else to end. */
typedef int (*pawl_list_fn)(const pawl_job_info *info, void *user);

/* List jobs, page by page. filter may be NULL. PAWL_OK also when fn ended the
 * list. Blocks: read. Threads: any. */
PAWL_API int pawl_list(pawl_store *store, const pawl_filter *filter,
                       pawl_list_fn fn, void *user, pawl_error *err);

/* ---------------------------------------------------------- changing jobs */

/* Put one finished job (timeout, failed, cancelled), or one that is delayed,
 * back to waiting; its count of attempts stays. NOT_FOUND when it is none of
 * these, EXISTS when another job holds its unique key.
 * Blocks: commit. Threads: any. */
PAWL_API int pawl_retry(pawl_store *store, int64_t id, pawl_error *err);

/* Cancel one job that is waiting, delayed or reserved. A running attempt is
 * told (within a second from another process) and its result changes nothing.
 * NOT_FOUND when it is none of these. Blocks: commit. Threads: any. */
PAWL_API int pawl_cancel(pawl_store *store, int64_t id, pawl_error *err);

/* Move all jobs in the given states, a mask of PAWL_TIMEOUT, PAWL_FAILED and
 * PAWL_CANCELLED, of one queue (NULL: of all) back to waiting, outside
 * max_attempts and without resetting the count: each gets one more attempt.
 * *n (may be NULL) is how many moved, also on failure: large numbers go in
 * several transactions. Jobs whose unique key is taken stay.
 * Blocks: commit, several times. Threads: any. */
PAWL_API int pawl_reload(pawl_store *store, const char *queue, unsigned states,
                         int64_t *n, pawl_error *err);

/* Delete all jobs in the given states, a mask of any but PAWL_RESERVED; with
 * them goes their hold on unique keys. Otherwise as pawl_reload().
 * Blocks: commit, several times. Threads: any. */
PAWL_API int pawl_flush(pawl_store *store, const char *queue, unsigned states,
                        int64_t *n, pawl_error *err);

/* -------------------------------------------------------------------- info */

typedef struct pawl_info { /* jobs of one queue by state */
    size_t struct_size;
    int64_t waiting, delayed, reserved, timeout, failed, done, cancelled;
    int64_t oldest_waiting_at_ms; /* when the longest-waiting job became
                                     ready; 0 when none waits */
    int32_t paused;
    int32_t workers; /* processes registered on the store */
} pawl_info;

/* Count one queue. info->struct_size must be set. The counts are of one
 * moment. Cost grows with the number of jobs: not for a hot loop.
 * Blocks: read. Threads: any. */
PAWL_API int pawl_queue_info(pawl_queue *queue, pawl_info *info,
                             pawl_error *err);

/* Called for each queue, by name. Returns 0 to go on. */
typedef int (*pawl_info_fn)(const char *queue, const pawl_info *info,
                            void *user);

/* Count all queues of the store. Blocks: read. Threads: any. */
PAWL_API int pawl_store_info(pawl_store *store, pawl_info_fn fn, void *user,
                             pawl_error *err);

typedef void (*pawl_gauge_fn)(const char *queue, const pawl_info *info,
                              void *user);

/* Call fn for each queue opened on this store, every interval_ms (1..86400000;
 * 0: each queue's length_interval_s) while it is started, on the store's own
 * thread. One gauge a store: the last call counts, fn NULL removes it. Set it
 * before pawl_start() (else MISUSE). Blocks: no. Threads: any. */
PAWL_API int pawl_gauge(pawl_store *store, int64_t interval_ms,
                        pawl_gauge_fn fn, void *user, pawl_error *err);

/* Receives the next piece of a text. Returns 0 to go on. */
typedef int (*pawl_write_fn)(const char *text, size_t bytes, void *user);

/* Write the store's metrics in Prometheus' text format 0.0.4: jobs by queue
 * and state, age of the oldest waiting job, and what this handle has pushed,
 * started, succeeded, retried, failed, timed out and rescued.
 * Blocks: read. Threads: any. */
PAWL_API int pawl_prometheus(pawl_store *store, pawl_write_fn write, void *user,
                             pawl_error *err);

/* ------------------------------------------------------------------ doctor */

enum pawl_severity {
    PAWL_FINDING_OK = 0,      /* looked at, and as it should be */
    PAWL_FINDING_NOTE = 1,    /* good to know */
    PAWL_FINDING_WARNING = 2, /* somebody should look at it */
    PAWL_FINDING_ERROR = 3    /* work is refused, lost or held up */
};

typedef struct pawl_finding {
    size_t struct_size;
    int severity;     /* an enum pawl_severity */
    const char *name; /* "wal-pinned"; the names stay from release to release */
    const char *what; /* one sentence, with the figures */
    const char *todo; /* one sentence; empty where there is nothing to do */
} pawl_finding;

/* Called for each finding, without locks held; finding is valid until it
 * returns. Returns 0 to go on, anything else to end. */
typedef int (*pawl_finding_fn)(const pawl_finding *finding, void *user);

/* Examine a store that need not be open, nor one that pawl_open() would take:
 * the file and what lies beside it, SQLite's locks and who holds them, the
 * content of every page, the tables, workers and jobs. Changes nothing in the
 * store. PAWL_OK whatever was found; NOT_FOUND where there is no file. Of
 * options only busy_timeout_ms, unsafe_file_system and clock count.
 *
 * It reads the whole file, and the log cannot be reused meanwhile. Locks are
 * left out while this process has the file open by any means; no other thread
 * may open it during the call. Blocks: read, and a second more where the write
 * lock is held. Threads: any. */
PAWL_API int pawl_doctor(const char *url, const pawl_options *options,
                         pawl_finding_fn fn, void *user, pawl_error *err);

#ifdef __cplusplus
}
#endif
#endif /* PAWL_H */
