/* SPDX-License-Identifier: MIT */
/* doctor_part.h - what the parts of the examination share; see doctor.c. */
#ifndef PAWL_SQLITE_DOCTOR_PART_H
#define PAWL_SQLITE_DOCTOR_PART_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "driver/driver.h"
#include "sqlite/conn.h"
#include "sqlite/side.h"

#define PAWL__DOCTOR_MIB ((int64_t)1 << 20)
/* The ballast of side.c. */
#define PAWL__DOCTOR_RESERVE (8 * PAWL__DOCTOR_MIB)

enum pawl__beside {
    PAWL__DOCTOR_WAL,
    PAWL__DOCTOR_SHM,
    PAWL__DOCTOR_SIDE,
    PAWL__DOCTOR_JOURNAL
};
#define PAWL__DOCTOR_N_BESIDE 4

struct pawl__doctor {
    const struct pawl__env *env;
    struct pawl__findings *out;
    size_t room;
    bool nomem;

    char path[PATH_MAX];
    char beside[PAWL__DOCTOR_N_BESIDE][PATH_MAX + 16];
    struct stat st;
    struct stat st_beside[PAWL__DOCTOR_N_BESIDE];
    bool is_beside[PAWL__DOCTOR_N_BESIDE];
    bool barred;  /* a file system on which SQLite would do harm */
    bool db_busy; /* someone is writing to it by the rollback journal */

    struct pawl__conn c;
    bool failed;    /* a statement did, and was told */
    bool damaged;   /* integrity_check said so */
    bool tables_ok; /* ours are as we made them: they may be asked */

    struct pawl__side side; /* fd only; no mapping */
    int64_t mark, boot;
    int64_t n_alive;
    char pids[64]; /* of those alive, the first few */
};

/* Note a finding; name and todo are static. */
void pawl__doctor_say(struct pawl__doctor *d, int severity, const char *name,
                      const char *todo, const char *format, ...)
    PAWL__PRINTF(5, 6);
/* How many findings are worse than ok: has a part said anything? */
size_t pawl__doctor_n_ill(const struct pawl__doctor *d);

/* doctor_file.c: before anything is opened. location is what was given, verdict
 * and why what pawl_open() would say. */
void pawl__doctor_check_file(struct pawl__doctor *d, const char *location);
void pawl__doctor_check_open(struct pawl__doctor *d, int verdict,
                             const pawl_error *why);

/* doctor_lock.c: before SQLite opens anything. */
void pawl__doctor_check_locks(struct pawl__doctor *d);
bool pawl__doctor_is_stopped(pid_t pid);

/* doctor_schema.c: the connection, and what its file holds. */
void pawl__doctor_check_version(struct pawl__doctor *d);
bool pawl__doctor_open(struct pawl__doctor *d);
void pawl__doctor_check_journal(struct pawl__doctor *d);
void pawl__doctor_check_integrity(struct pawl__doctor *d);
void pawl__doctor_check_schema(struct pawl__doctor *d);
/* A statement to be finalized by the caller; NULL where one failed before, or
 * this does. The first failure is told. */
sqlite3_stmt *pawl__doctor_prepare(struct pawl__doctor *d, const char *sql);
void pawl__doctor_db_failed(struct pawl__doctor *d);
const char *pawl__doctor_text(sqlite3_stmt *st, int i); /* never NULL */
/* The first column of the first row; otherwise where there is none. */
int64_t pawl__doctor_int(struct pawl__doctor *d, const char *sql,
                         int64_t otherwise);

/* doctor_life.c: workers, then jobs. */
void pawl__doctor_check_life(struct pawl__doctor *d);
void pawl__doctor_check_jobs(struct pawl__doctor *d);

#endif
