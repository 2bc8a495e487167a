/* SPDX-License-Identifier: CC0-1.0 */
/* minimal.c - push one job and run it. Free to copy, without conditions.
 *
 * The program of README.md, line for line: test-examples.sh compares them. */
#include <pawl.h>
#include <stdio.h>

static int
greet(pawl_attempt *attempt, const pawl_job *job, void *user)
{
    (void)user;
    printf("job %lld says hello, %.*s\n",
           (long long)pawl_attempt_job_id(attempt), (int)job->payload_bytes,
           (const char *)job->payload);
    return 0; /* anything else fails the attempt */
}

int
main(int argc, char **argv)
{
    pawl_job job = PAWL_JOB("greet", "world", 5);
    pawl_store *store = NULL;
    pawl_queue *queue = NULL;
    pawl_error err = {0, 0, "usage: app STORE"};
    int failed = argc != 2 || pawl_open(argv[1], NULL, &store, &err) ||
                 pawl_queue_open(store, "main", &queue, &err) ||
                 pawl_listen(queue, "greet", greet, NULL, &err) ||
                 pawl_start(store, &err) ||
                 pawl_push(queue, &job, NULL, &err) || /* durable from here */
                 pawl_drain(store, 10000, &err);

    if (failed)
        fprintf(stderr, "%s\n", err.message);
    pawl_close(store);
    return failed;
}
