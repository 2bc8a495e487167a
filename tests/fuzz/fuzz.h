/* SPDX-License-Identifier: MIT */
/* fuzz.h - what a fuzz target is, and what several share.
 *
 * A target is one file with the function that libFuzzer calls for each input
 * (run.sh); with replay.c it is a plain program that runs its corpus, as make
 * check does. Whatever the input, it must neither crash nor hang, and what it
 * asserts by fuzz_must() must hold. */
#ifndef PAWL_TESTS_FUZZ_H
#define PAWL_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Abort, naming what does not hold. */
void fuzz_must(bool holds, const char *what);

/* The input as a string; the caller's to free. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Is it one JSON value (RFC 8259), in valid UTF-8? */
bool fuzz_is_json(const char *text, size_t bytes);

/* A store for targets that spoil one: a folder of this process, and the files
 * of a small store with jobs in all states, whose log was not copied back. */
const char *fuzz_folder(void);
/* Put the store's files at PATH, the database changed as the caller likes. */
struct fuzz_image {
    uint8_t *db, *wal;
    size_t n_db, n_wal;
};
const struct fuzz_image *fuzz_image(void);
void fuzz_put(const char *path, const uint8_t *bytes, size_t n);

/* Open the store at path by the driver, and if it opens do a little of all
 * there is. */
void fuzz_use_store(const char *path);

#endif
