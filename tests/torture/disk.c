/* SPDX-License-Identifier: MIT */
/* disk.c - a disk that loses its power.
 *
 * Each creation of a file makes a new body (an inode), which the name leads to
 * until it is deleted. A body's safe bytes are those of its last sync. The
 * name itself is safe once the body was synced (SQLite's VFS syncs the folder
 * with it) or its deletion asked for that. */
#include "torture/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/pass_vfs.h"

#define DISK_NAMES 3 /* the database, -wal, -journal: enum pass_file */
#define DISK_BODIES 64
#define DISK_SECTOR 512

enum disk_kind {
    DISK_CREATE,
    DISK_WRITE,
    DISK_TRUNCATE,
    DISK_SYNC,
    DISK_DELETE
};

struct disk_op {
    enum disk_kind kind;
    int name, body;
    int64_t at; /* WRITE: offset; TRUNCATE: size; SYNC, DELETE: 1: the folder
                   is synced too */
    size_t n;
    unsigned char *bytes;
};

static struct {
    char paths[DISK_NAMES][512];
    enum disk_lie lie;
    bool on;
    struct disk_op *ops;
    size_t n, room;
    int body_of[DISK_NAMES]; /* the body that the name leads to; -1: none */
    int n_bodies;
} disk;

static const char *const disk_suffix[DISK_NAMES] = {"", "-wal", "-journal"};

unsigned
disk_random(uint64_t *state, unsigned below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (unsigned)(*state >> 20) % below;
}

/* -------------------------------------------------------------- recording */

static struct disk_op *
disk_add(enum disk_kind kind, int name)
{
    struct disk_op *op;

    if (disk.n == disk.room) {
        disk.room = disk.room != 0 ? disk.room * 2 : 1024;
        disk.ops = realloc(disk.ops, disk.room * sizeof *disk.ops);
        if (disk.ops == NULL)
            abort();
    }
    op = &disk.ops[disk.n++];
    memset(op, 0, sizeof *op);
    op->kind = kind;
    op->name = name;
    op->body = disk.body_of[name];
    return op;
}

static int
disk_name_of(const char *path)
{
    int i;

    for (i = 0; disk.on && path != NULL && i < DISK_NAMES; i++)
        if (strcmp(path, disk.paths[i]) == 0)
            return i;
    return -1;
}

static void
disk_create(int name)
{
    if (disk.n_bodies == DISK_BODIES)
        abort();
    disk.body_of[name] = disk.n_bodies++;
    (void)disk_add(DISK_CREATE, name);
}

static void
disk_set_paths(const char *path)
{
    int i;

    for (i = 0; i < DISK_NAMES; i++)
        (void)snprintf(disk.paths[i], sizeof disk.paths[i], "%s%s", path,
                       disk_suffix[i]);
}

void
disk_record(const char *path, enum disk_lie lie)
{
    int i;

    disk_clear();
    disk_set_paths(path);
    disk.lie = lie;
    for (i = 0; i < DISK_NAMES; i++)
        disk.body_of[i] = -1;
    disk.n_bodies = 0;
    disk.on = true;
}

void
disk_stop(void)
{
    disk.on = false;
}

void
disk_clear(void)
{
    while (disk.n > 0)
        free(disk.ops[--disk.n].bytes);
}

size_t
disk_n(void)
{
    return disk.n;
}

bool
disk_is_log_sync(size_t i)
{
    return disk.ops[i].kind == DISK_SYNC && disk.ops[i].name == 1;
}

/* -------------------------------------------------------------------- VFS */

static int
disk_before(const struct pass_io *io)
{
    /* Memory is quick, and that is all it is for: nothing is ever synced. */
    return io->call == PASS_SYNC ? PASS_SKIP : SQLITE_OK;
}

static void
disk_wrote(int name, const struct pass_io *io)
{
    struct disk_op *op = disk_add(DISK_WRITE, name);

    op->at = io->at;
    op->n = (size_t)io->n;
    op->bytes = malloc(op->n);
    if (op->bytes == NULL)
        abort();
    memcpy(op->bytes, io->data, op->n);
}

static void
disk_synced(int name, const struct pass_io *io)
{
    if (disk.lie != DISK_NO_SYNC &&
        (disk.lie != DISK_LOG_SYNC_LOST || name != 1))
        disk_add(DISK_SYNC, name)->at = io->at;
}

/* A name was opened or deleted. The database is made by the library before
 * SQLite opens it. */
static void
disk_named(const struct pass_io *io)
{
    int name = disk_name_of(io->path);

    if (name < 0)
        return;
    if (io->call == PASS_OPEN && disk.body_of[name] < 0)
        disk_create(name);
    if (io->call == PASS_DELETE && disk.body_of[name] >= 0) {
        disk_add(DISK_DELETE, name)->at = disk.lie == DISK_NO_SYNC ? 0 : io->at;
        disk.body_of[name] = -1;
    }
}

static void
disk_after(const struct pass_io *io, int rc)
{
    if (!disk.on || rc != SQLITE_OK)
        return;
    if (io->path != NULL)
        disk_named(io);
    else if (io->call == PASS_WRITE)
        disk_wrote((int)io->file, io);
    else if (io->call == PASS_TRUNCATE)
        disk_add(DISK_TRUNCATE, (int)io->file)->at = io->at;
    else if (io->call == PASS_SYNC)
        disk_synced((int)io->file, io);
}

void
disk_register(void)
{
    pass_vfs_register(disk_before, disk_after);
}

/* ------------------------------------------------------------- power cuts */

struct image {
    unsigned char *bytes;
    size_t n, room;
};

static void
image_grow(struct image *im, size_t n)
{
    if (n > im->room) {
        im->room = n * 2;
        im->bytes = realloc(im->bytes, im->room);
        if (im->bytes == NULL)
            abort();
    }
    if (n > im->n) {
        memset(im->bytes + im->n, 0, n - im->n);
        im->n = n;
    }
}

static void
image_put(struct image *im, size_t at, const unsigned char *bytes, size_t n)
{
    image_grow(im, at + n);
    memcpy(im->bytes + at, bytes, n);
}

static void
image_apply(struct image *im, const struct disk_op *op)
{
    if (op->kind == DISK_WRITE)
        image_put(im, (size_t)op->at, op->bytes, op->n);
    else if (op->kind == DISK_TRUNCATE && (size_t)op->at < im->n)
        im->n = (size_t)op->at;
    else if (op->kind == DISK_TRUNCATE)
        image_grow(im, (size_t)op->at);
}

/* Some sectors of a write, and perhaps the growth that it brought. */
static void
image_tear(struct image *im, const struct disk_op *op, uint64_t *random)
{
    size_t from = (size_t)op->at, to, end = from + op->n;

    if (disk_random(random, 2) == 0)
        image_grow(im, end);
    for (; from < end; from = to) {
        to = (from / DISK_SECTOR + 1) * DISK_SECTOR;
        if (to > end)
            to = end;
        if (disk_random(random, 2) == 0)
            image_put(im, from, op->bytes + (from - (size_t)op->at), to - from);
    }
}

/* One call that was not synced. keep: of ten such calls so many survive. */
static void
image_perhaps(struct image *im, const struct disk_op *op, unsigned keep,
              uint64_t *random)
{
    if (op->kind == DISK_WRITE && disk_random(random, 4) == 0)
        image_tear(im, op, random);
    else if (disk_random(random, 10) < keep)
        image_apply(im, op);
    else if (op->kind == DISK_WRITE && disk_random(random, 8) == 0)
        image_grow(im, (size_t)op->at + op->n);
}

static void
disk_body(int body, size_t n, enum disk_loss loss, uint64_t *random,
          struct image *im)
{
    unsigned keep = disk_random(random, 11);
    size_t synced = 0, i;

    im->n = 0;
    for (i = 0; i < n; i++)
        if (disk.ops[i].body == body && disk.ops[i].kind == DISK_SYNC)
            synced = i;
    for (i = 0; i < n; i++) {
        if (disk.ops[i].body != body)
            continue;
        if (i < synced || loss == DISK_LOSE_NONE)
            image_apply(im, &disk.ops[i]);
        else if (loss == DISK_LOSE_SOME)
            image_perhaps(im, &disk.ops[i], keep, random);
    }
}

/* The body that the name leads to after the cut, -1: none. A sync of the folder
 * saves all of its entries, and entries reach the disk in their order. */
static int
disk_entry(int name, size_t n, enum disk_loss loss, uint64_t *random)
{
    const struct disk_op *op;
    int safe = -1, now = -1;
    size_t i;

    for (i = 0; i < n; i++) {
        op = &disk.ops[i];
        if (op->name == name && op->kind == DISK_CREATE)
            now = op->body;
        else if (op->name == name && op->kind == DISK_DELETE)
            now = -1;
        if (((op->kind == DISK_SYNC || op->kind == DISK_DELETE) &&
             op->at == 1) ||
            (op->kind == DISK_SYNC && op->body == now) ||
            loss == DISK_LOSE_NONE ||
            (loss == DISK_LOSE_SOME && op->name == name &&
             disk_random(random, 2) == 0))
            safe = now;
    }
    return safe;
}

static void
disk_put(const char *path, const struct image *im)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, im->bytes, im->n) != (ssize_t)im->n) {
        perror(path);
        exit(99);
    }
    (void)close(fd);
}

void
disk_cut(size_t n, enum disk_loss loss, uint64_t *random, const char *path)
{
    struct image im = {NULL, 0, 0};
    char name_path[600];
    int name, body;

    for (name = 0; name < DISK_NAMES; name++) {
        (void)snprintf(name_path, sizeof name_path, "%s%s", path,
                       disk_suffix[name]);
        body = disk_entry(name, n, loss, random);
        (void)unlink(name_path);
        if (body < 0)
            continue;
        disk_body(body, n, loss, random, &im);
        disk_put(name_path, &im);
    }
    (void)snprintf(name_path, sizeof name_path, "%s-shm", path);
    (void)unlink(name_path); /* memory: it never survives */
    free(im.bytes);
}
