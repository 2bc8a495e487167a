/* SPDX-License-Identifier: MIT */
/* driver.c - which driver a URL means. */
#include "driver/driver.h"

#include <string.h>

static const struct pawl__driver *const drivers[] = {&pawl__sqlite_driver,
                                                     &pawl__memory_driver};

/* The length of a scheme (RFC 3986, 3.1) before the first ':', 0 for none. One
 * letter is none. */
static size_t
driver_scheme(const char *url)
{
    size_t n = 0;

    while ((url[n] >= 'a' && url[n] <= 'z') ||
           (n > 0 && ((url[n] >= '0' && url[n] <= '9') || url[n] == '+' ||
                      url[n] == '.' || url[n] == '-')))
        n++;
    return url[n] == ':' && n > 1 ? n : 0;
}

int
pawl__driver_find(const char *url, const struct pawl__driver **driver,
                  const char **location, pawl_error *err)
{
    size_t n = driver_scheme(url), i;

    for (i = 0; n > 0 && i < sizeof drivers / sizeof drivers[0]; i++)
        if (strlen(drivers[i]->scheme) == n &&
            memcmp(drivers[i]->scheme, url, n) == 0) {
            *driver = drivers[i];
            *location = url + n + 1;
            return PAWL_OK;
        }
    if (n > 0 &&
        (strncmp(url + n, "://", 3) == 0 || strncmp(url, "redis", 5) == 0))
        return pawl__fail(err, PAWL_UNSUPPORTED, 0,
                          "this build of libpawl has no driver for %.*s: URLs; "
                          "it has sqlite: and memory:",
                          (int)n, url);
    *driver = &pawl__sqlite_driver;
    *location = url;
    return PAWL_OK;
}
