/* SPDX-License-Identifier: MIT */
/* fuzz_file.c - a store whose files were damaged. Four bytes of input are one
 * change: where (16 bits, over the whole file), how, and a byte. The first byte
 * chooses the database or its log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

static void
fuzz_change(uint8_t *bytes, size_t *n, const uint8_t change[4])
{
    size_t at = *n * (change[0] | (size_t)change[1] << 8) / 65536;

    if (*n == 0)
        return;
    if (change[2] < 128)
        bytes[at] = change[3];
    else if (change[2] < 192) /* among the headers of pages, where it counts */
        bytes[at / 4096 * 4096 + change[2] % 110] = change[3];
    else if (change[2] < 250)
        bytes[at] ^= (uint8_t)(1u << change[2] % 8);
    else
        *n = at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fuzz_image *image = fuzz_image();
    bool log = size > 0 && data[0] % 2 != 0;
    size_t n_db = image->n_db, n_wal = image->n_wal, i;
    uint8_t *db = malloc(n_db + 4096), *wal = malloc(n_wal + 4096);
    char path[260], beside[270];

    memcpy(db, image->db, n_db);
    memcpy(wal, image->wal, n_wal);
    for (i = 1; i + 4 <= size; i += 4)
        fuzz_change(log ? wal : db, log ? &n_wal : &n_db, data + i);
    (void)snprintf(path, sizeof path, "%s/damaged.db", fuzz_folder());
    fuzz_put(path, db, log ? 0 : n_db);
    (void)snprintf(beside, sizeof beside, "%s-shm", path);
    (void)unlink(beside);
    (void)snprintf(beside, sizeof beside, "%s-wal", path);
    (void)unlink(beside);
    if (log) {
        fuzz_put(path, image->db, image->n_db);
        fuzz_put(beside, wal, n_wal);
    }
    fuzz_use_store(path);
    free(db);
    free(wal);
    return 0;
}
