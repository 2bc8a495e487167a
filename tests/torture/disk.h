/* SPDX-License-Identifier: MIT */
/* disk.h - a disk that loses its power: what SQLite did to its files is
 * recorded call by call, and any moment of it made into files again.
 *
 * A VFS records the writes, truncations, syncs, creations and deletions of the
 * database, its -wal and its -journal. A sync is not passed on: it only says
 * from when on the bytes are safe. Of what was not yet synced when the power
 * goes, any part may have reached the disk: whole writes, some of their
 * 512-byte sectors, only the growth of the file (zeros), an entry of the
 * folder or not. That is what SQLite itself assumes of disks (its
 * atomiccommit.html, "Hardware Assumptions"). */
#ifndef PAWL_TESTS_TORTURE_DISK_H
#define PAWL_TESTS_TORTURE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which syncs are lies, for the controls that must fail. */
enum disk_lie { DISK_HONEST, DISK_LOG_SYNC_LOST, DISK_NO_SYNC };

/* Before SQLite opens anything: become the default VFS. */
void disk_register(void);

/* Record what is done to the database at path from now on; forgets the last
 * recording. */
void disk_record(const char *path, enum disk_lie lie);
void disk_stop(void);
void disk_clear(void);

/* Calls recorded so far. */
size_t disk_n(void);
/* Was the call a sync of the -wal that was kept? */
bool disk_is_log_sync(size_t i);

/* How much of what was not synced survives. */
enum disk_loss { DISK_LOSE_ALL, DISK_LOSE_NONE, DISK_LOSE_SOME };

/* Make the files that a power cut after the first n calls leaves, at path.
 * random: the state of a generator, moved on. */
void disk_cut(size_t n, enum disk_loss loss, uint64_t *random,
              const char *path);

/* xorshift64 (Marsaglia 2003). */
unsigned disk_random(uint64_t *state, unsigned below);

#endif
