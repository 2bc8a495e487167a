/* SPDX-License-Identifier: MIT */
/* doctor.c - examine a SQLite store, opened or not, whole or damaged.
 *
 *   file    what stat() and statfs() tell: rights, links, file system, room
 *   locks   who holds SQLite's locks, and who pins the log
 *   inside  the schema and every page, by a connection that only reads
 *   life    workers, by the side file, and the jobs that they hold
 *
 * The order matters. POSIX drops all locks of a process on a file when any of
 * its descriptors is closed; so the locks are looked at first, before SQLite
 * opens anything here, and not at all where this process has the file open.
 *
 * Nothing is written. The connection may have to make the -wal and -shm to
 * read; where the log was there before it is left as it is (no checkpoint at
 * close), else they go again when it closes. */
#include "sqlite/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sqlite/doctor_part.h"
#include "sqlite/file.h"

static const char *const doctor_suffix[PAWL__DOCTOR_N_BESIDE] = {
    "-wal", "-shm", "-pawl", "-journal"};

/* ---------------------------------------------------------------- findings */

static struct pawl__finding *
doctor_next(struct pawl__doctor *d)
{
    struct pawl__finding *grown;
    size_t room = d->room != 0 ? d->room * 2 : 32;

    if (d->out->n == d->room) {
        grown = pawl__realloc(d->out->all, room, sizeof *grown);
        if (grown == NULL) {
            d->nomem = true;
            return NULL;
        }
        d->out->all = grown;
        d->room = room;
    }
    return &d->out->all[d->out->n++];
}

void
pawl__doctor_say(struct pawl__doctor *d, int severity, const char *name,
                 const char *todo, const char *format, ...)
{
    struct pawl__finding *f = doctor_next(d);
    va_list args;
    char *c;

    if (f == NULL)
        return;
    f->severity = severity;
    f->name = name;
    f->todo = todo;
    va_start(args, format);
    (void)vsnprintf(f->what, sizeof f->what, format, args);
    va_end(args);
    for (c = f->what; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20) /* names in a file may hold anything */
            *c = '?';
}

/* How many findings are worse than ok: has a part said anything? */
size_t
pawl__doctor_n_ill(const struct pawl__doctor *d)
{
    size_t i, n = 0;

    for (i = 0; i < d->out->n; i++)
        n += d->out->all[i].severity != PAWL_FINDING_OK;
    return n;
}

/* --------------------------------------------------------------- all of it */

static void
doctor_check_inside(struct pawl__doctor *d)
{
    if (d->barred) {
        pawl__doctor_say(d, PAWL_FINDING_NOTE, "not-looked-inside",
                         "Move it, or set unsafe_file_system.",
                         "the database was not opened on that file system");
        return;
    }
    if (!pawl__doctor_open(d))
        return;
    pawl__doctor_check_journal(d);
    pawl__doctor_check_integrity(d);
    pawl__doctor_check_schema(d);
    if (d->tables_ok) {
        pawl__doctor_check_life(d);
        pawl__doctor_check_jobs(d);
    }
    pawl__conn_close(&d->c);
}

static void
doctor_look_beside(struct pawl__doctor *d)
{
    int i;

    for (i = 0; i < PAWL__DOCTOR_N_BESIDE; i++) {
        (void)snprintf(d->beside[i], sizeof d->beside[i], "%s%s", d->path,
                       doctor_suffix[i]);
        d->is_beside[i] = lstat(d->beside[i], &d->st_beside[i]) == 0;
    }
}

/* The file as pawl_open() sees it. What it would refuse is a finding, as long
 * as there is a file at all. */
static int
doctor_run(struct pawl__doctor *d, const char *location, pawl_error *err)
{
    pawl_error why;
    char *path = NULL;
    unsigned mode = 0;
    int verdict;

    verdict = pawl__file_prepare(location, true,
                                 d->env->options->unsafe_file_system != 0,
                                 &path, &mode, &why);
    pawl__free(path);
    if ((verdict != PAWL_OK && verdict != PAWL_UNSUPPORTED &&
         verdict != PAWL_READONLY) ||
        realpath(location, d->path) == NULL || stat(d->path, &d->st) != 0 ||
        !S_ISREG(d->st.st_mode)) {
        if (verdict == PAWL_OK) /* it went away meanwhile */
            return pawl__fail(err, PAWL_NOT_FOUND, 0, "there is no store %s",
                              location);
        *err = why;
        return verdict;
    }
    doctor_look_beside(d);
    pawl__doctor_check_file(d, location);
    pawl__doctor_check_open(d, verdict, &why);
    pawl__doctor_check_locks(d);
    pawl__doctor_check_version(d);
    doctor_check_inside(d);
    return d->nomem ? pawl__fail_nomem(err) : PAWL_OK;
}

int
pawl__sqlite_doctor(const char *location, const struct pawl__env *env,
                    struct pawl__findings *findings, pawl_error *err)
{
    struct pawl__doctor *d = pawl__calloc(1, sizeof *d);
    pawl_error local;
    int rc;

    memset(findings, 0, sizeof *findings);
    if (d == NULL)
        return pawl__fail_nomem(err);
    d->env = env;
    d->out = findings;
    d->side.fd = -1;
    rc = doctor_run(d, location, &local);
    if (rc != PAWL_OK) {
        pawl__free(findings->all);
        memset(findings, 0, sizeof *findings);
        if (err != NULL)
            *err = local;
    }
    pawl__free(d);
    return rc;
}
