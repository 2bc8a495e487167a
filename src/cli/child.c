/* SPDX-License-Identifier: MIT */
/* child.c - run a program for a job.
 *
 * One poll() serves all: feed its standard input, pass its standard error on
 * while keeping the end of it, collect standard output if asked, and watch for
 * the time to stop. A program that does not read its input, or closes it, or
 * leaves others behind that hold its pipes, neither kills nor blocks us: once
 * the program itself has ended we wait no longer for its pipes.
 *
 * Invariant: the program is reaped last. Until then its number, which is also
 * its group's, cannot be given to another, so that a signal to the group meets
 * nobody else. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_KILL_MS 2000 /* from SIGTERM to SIGKILL */
#define CHILD_TICK_MS 100  /* how often to look, where nothing wakes us */

struct child {
    struct cli_child *c;
    pid_t pid;
    int in, out, errors, pid_fd; /* -1: closed */
    const char *input;
    size_t left, n_tail, n_output;
    bool ask;           /* look for the time to stop at each tick */
    int64_t kill_at_ms; /* 0: not told to stop */
    bool killed, ended;
};

static int64_t
child_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
child_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* ------------------------------------------------------------------- start */

static int
child_can_run(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || access(path, X_OK) != 0)
        return errno;
    return S_ISREG(st.st_mode) ? 0 : EACCES;
}

int
cli_child_find(const char *program)
{
    const char *path = getenv("PATH"), *end;
    char full[4096];
    int rc, worst = ENOENT;

    if (strchr(program, '/') != NULL)
        return child_can_run(program);
    for (path = path != NULL ? path : "/bin:/usr/bin";; path = end + 1) {
        end = strchr(path, ':');
        if (end == NULL)
            end = path + strlen(path);
        (void)snprintf(full, sizeof full, "%.*s%s%s", (int)(end - path), path,
                       end > path ? "/" : "./", program);
        rc = child_can_run(full);
        if (rc == 0)
            return 0;
        worst = rc == EACCES ? rc : worst;
        if (*end == '\0')
            return worst;
    }
}

/* What we have changed of signals is the program's as usual. */
static int
child_set_signals(posix_spawnattr_t *attr)
{
    sigset_t none, defaults;
    int rc;

    (void)sigemptyset(&none);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    (void)sigaddset(&defaults, SIGTERM);
    rc = posix_spawnattr_setsigmask(attr, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attr, &defaults);
    if (rc == 0)
        rc = posix_spawnattr_setpgroup(attr, 0);
    if (rc == 0)
        rc = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
                                                POSIX_SPAWN_SETSIGMASK |
                                                POSIX_SPAWN_SETSIGDEF);
    return rc;
}

/* out -1: it keeps ours. */
static int
child_spawn(struct child *k, int in, int out, int errors)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc;

    (void)posix_spawn_file_actions_init(&actions); /* cannot fail in glibc */
    (void)posix_spawnattr_init(&attr);
    rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (rc == 0 && out >= 0)
        rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (rc == 0)
        rc = child_set_signals(&attr);
    if (rc == 0)
        rc = posix_spawnp(&k->pid, k->c->argv[0], &actions, &attr, k->c->argv,
                          k->c->envp);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* 0, or an errno. */
static int
child_start(struct child *k)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1}, rc;

    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0 ||
        (k->c->keep_output && pipe2(out, O_CLOEXEC) != 0))
        rc = errno;
    else
        rc = child_spawn(k, in[0], out[1], errors[1]);
    child_close(&in[0]);
    child_close(&out[1]);
    child_close(&errors[1]);
    k->in = in[1];
    k->out = out[0];
    k->errors = errors[0];
    if (rc != 0)
        return rc;
    (void)fcntl(k->in, F_SETFL, O_NONBLOCK);
#ifdef SYS_pidfd_open
    k->pid_fd = (int)syscall(SYS_pidfd_open, k->pid, 0);
#endif
    return 0;
}

/* -------------------------------------------------------------------- pipes */

static void
child_feed(struct child *k)
{
    ssize_t n;

    if (k->left > 0) {
        n = write(k->in, k->input, k->left);
        if (n > 0) {
            k->input += n;
            k->left -= (size_t)n;
        } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        } else {
            k->left = 0; /* it does not want it */
        }
    }
    if (k->left == 0)
        child_close(&k->in);
}

/* Keep the last bytes. */
static void
child_keep_tail(struct child *k, const char *bytes, size_t n)
{
    char *tail = k->c->tail;
    size_t drop;

    drop = k->n_tail + n > CLI_TAIL_MAX ? k->n_tail + n - CLI_TAIL_MAX : 0;
    if (n > CLI_TAIL_MAX) {
        bytes += n - CLI_TAIL_MAX;
        n = CLI_TAIL_MAX;
    }
    drop = drop < k->n_tail ? drop : k->n_tail;
    memmove(tail, tail + drop, k->n_tail - drop);
    k->n_tail -= drop;
    memcpy(tail + k->n_tail, bytes, n);
    k->n_tail += n;
}

static void
child_keep_output(struct child *k, const char *bytes, size_t n)
{
    char **output = &k->c->output;

    if (*output == NULL)
        *output = calloc(1, CLI_OUTPUT_MAX + 1);
    if (*output == NULL)
        return;
    if (n > CLI_OUTPUT_MAX - k->n_output)
        n = CLI_OUTPUT_MAX - k->n_output;
    memcpy(*output + k->n_output, bytes, n);
    k->n_output += n;
}

static void
child_take(struct child *k, int *fd)
{
    char bytes[4096]; /* not more than a pipe takes whole */
    ssize_t n = read(*fd, bytes, sizeof bytes);

    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0) {
        child_close(fd);
    } else if (fd == &k->errors) {
        child_keep_tail(k, bytes, (size_t)n);
        (void)!write(STDERR_FILENO, bytes, (size_t)n);
    } else {
        child_keep_output(k, bytes, (size_t)n);
    }
}

/* What a pipe holds now that the program has ended. At most what fits in it:
 * others may go on writing. */
static void
child_take_rest(struct child *k, int *fd)
{
    struct pollfd p = {*fd, POLLIN, 0};
    int i;

    for (i = 0; i < 64 && *fd >= 0 && poll(&p, 1, 0) > 0; i++)
        child_take(k, fd);
    child_close(fd);
}

static bool
child_inside_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* As text: no NUL in it. */
static void
child_end_text(char *text, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    text[n] = '\0';
}

/* Neither begin nor end with half of a character. */
static void
child_finish_texts(struct child *k)
{
    char *tail = k->c->tail, *output = k->c->output;
    size_t skip = 0, n = k->n_output;

    while (skip < k->n_tail && skip < 3 && child_inside_character(tail[skip]))
        skip++;
    memmove(tail, tail + skip, k->n_tail - skip);
    child_end_text(tail, k->n_tail - skip);
    if (output == NULL)
        return;
    if (n == CLI_OUTPUT_MAX) {
        while (n > 0 && child_inside_character(output[n - 1]))
            n--;
        n -= n > 0 && ((unsigned char)output[n - 1] & 0x80) != 0;
    }
    child_end_text(output, n);
}

/* ---------------------------------------------------------------------- end */

static void
child_signal_group(struct child *k, int64_t now)
{
    if (k->kill_at_ms == 0) {
        k->kill_at_ms = now + CHILD_KILL_MS;
        k->c->stopped = true;
        (void)kill(-k->pid, SIGTERM);
    } else if (now >= k->kill_at_ms && !k->killed) {
        k->killed = true;
        (void)kill(-k->pid, SIGKILL);
    }
}

/* Is process number name a living one of the group? */
static bool
child_is_member(const char *name, pid_t group)
{
    char path[64], text[512], state = 'Z';
    const char *behind;
    ssize_t n;
    int fd, its = 0;

    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    behind = strrchr(text, ')'); /* a name may hold anything, also ')' */
    return behind != NULL &&
           sscanf(behind + 1, " %c %*d %d", &state, &its) == 2 &&
           its == group && state != 'Z';
}

/* The program itself has ended: is anybody of its group left? */
static bool
child_group_lives(const struct child *k)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    bool lives = dir == NULL; /* who knows */

    while (dir != NULL && !lives && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            lives = child_is_member(entry->d_name, k->pid);
    if (dir != NULL)
        (void)closedir(dir);
    return lives;
}

/* Ended, and where it was told to stop, its group with it. */
static bool
child_is_over(struct child *k)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    if (!k->ended)
        k->ended = waitid(P_PID, (id_t)k->pid, &info,
                          WEXITED | WNOHANG | WNOWAIT) != 0 ||
                   info.si_pid == k->pid;
    return k->ended &&
           (k->kill_at_ms == 0 || k->killed || !child_group_lives(k));
}

/* --------------------------------------------------------------------- loop */

enum child_source {
    CHILD_IN,
    CHILD_OUT,
    CHILD_ERRORS,
    CHILD_STOP,
    CHILD_PID,
    CHILD_N
};

static void
child_poll(struct child *k, struct pollfd fds[CHILD_N])
{
    int timeout = -1;

    k->ask = k->ask || k->c->stop_fd < 0;
    if (k->kill_at_ms != 0 || k->ask || k->pid_fd < 0)
        timeout = CHILD_TICK_MS;
    memset(fds, 0, CHILD_N * sizeof *fds);
    fds[CHILD_IN].fd = k->in;
    fds[CHILD_OUT].fd = k->out;
    fds[CHILD_ERRORS].fd = k->errors;
    fds[CHILD_STOP].fd = k->ask || k->kill_at_ms != 0 ? -1 : k->c->stop_fd;
    fds[CHILD_PID].fd = k->ended ? -1 : k->pid_fd;
    fds[CHILD_IN].events = POLLOUT;
    fds[CHILD_OUT].events = fds[CHILD_ERRORS].events = POLLIN;
    fds[CHILD_STOP].events = fds[CHILD_PID].events = POLLIN;
    if (poll(fds, CHILD_N, timeout) < 0)
        memset(fds, 0, CHILD_N * sizeof *fds);
}

static void
child_step(struct child *k)
{
    struct pollfd fds[CHILD_N];

    child_poll(k, fds);
    if (fds[CHILD_IN].revents != 0)
        child_feed(k);
    if (fds[CHILD_OUT].revents != 0)
        child_take(k, &k->out);
    if (fds[CHILD_ERRORS].revents != 0)
        child_take(k, &k->errors);
    if (k->kill_at_ms == 0 && !k->ask && fds[CHILD_STOP].revents == 0)
        return;
    if (k->kill_at_ms != 0 || k->c->must_stop(k->c->user))
        child_signal_group(k, child_now_ms());
    else
        k->ask = true; /* it may finish now; later perhaps not */
}

static void
child_wait(struct child *k)
{
    int status = 0;

    while (!child_is_over(k))
        child_step(k);
    child_take_rest(k, &k->errors);
    child_take_rest(k, &k->out);
    child_finish_texts(k);
    (void)waitpid(k->pid, &status, 0);
    k->c->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    k->c->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void
cli_child_run(struct cli_child *c)
{
    struct child k;

    memset(&k, 0, sizeof k);
    k.c = c;
    k.in = k.out = k.errors = k.pid_fd = -1;
    k.input = c->input;
    k.left = c->input_bytes;
    c->start_errno = child_start(&k);
    if (c->start_errno == 0)
        child_wait(&k);
    child_close(&k.in);
    child_close(&k.out);
    child_close(&k.errors);
    child_close(&k.pid_fd);
}
