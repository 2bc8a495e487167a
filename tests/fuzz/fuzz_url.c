/* SPDX-License-Identifier: MIT */
/* fuzz_url.c - URLs of stores. Nothing is made: only what exists is opened. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/driver.h"
#include "fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct pawl__driver *driver = NULL;
    const char *location = NULL;
    pawl_options options = PAWL_OPTIONS_INIT;
    pawl_store *store = NULL;
    pawl_error err = {0};
    char *url = fuzz_text(data, size);
    int rc = pawl__driver_find(url, &driver, &location, &err);

    if (rc == PAWL_OK)
        fuzz_must(driver != NULL && location >= url &&
                      location <= url + strlen(url),
                  "the location is a part of the URL");
    else
        fuzz_must(rc == err.code && err.message[0] != '\0',
                  "a refusal has a name and a sentence");
    fuzz_must(chdir(fuzz_folder()) == 0, "the folder is there");
    options.must_exist = 1;
    if (strchr(url, '/') == NULL &&
        pawl_open(url, &options, &store, &err) == PAWL_OK)
        pawl_close(store);
    free(url);
    return 0;
}
