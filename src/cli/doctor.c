/* SPDX-License-Identifier: MIT */
/* doctor.c - pawl doctor: what is wrong with a store, and what to do. */
#include "cli.h"

#include <string.h>

struct doctor_state {
    const char *url;
    bool json, colours;
    int n;           /* findings */
    int n_severe[4]; /* of each severity */
};

static const char *
doctor_severity(int severity)
{
    static const char *const names[] = {"ok", "note", "warning", "error"};

    return severity >= 0 && severity <= PAWL_FINDING_ERROR ? names[severity]
                                                           : "error";
}

/* The first one begins the object: where the store cannot be examined nothing
 * is printed. */
static void
doctor_put_json(const struct doctor_state *s, const pawl_finding *f)
{
    if (s->n == 0) {
        printf("{\"store\":");
        cli_put_json(stdout, s->url, strlen(s->url));
        printf(",\"findings\":[\n");
    }
    printf("%s{\"severity\":\"%s\",\"name\":", s->n > 0 ? ",\n" : "",
           doctor_severity(f->severity));
    cli_put_json(stdout, f->name, strlen(f->name));
    printf(",\"what\":");
    cli_put_json(stdout, f->what, strlen(f->what));
    printf(",\"todo\":");
    cli_put_json(stdout, f->todo, strlen(f->todo));
    printf("}");
}

static void
doctor_put_text(const pawl_finding *f, bool colours)
{
    const char *on = f->severity == PAWL_FINDING_ERROR     ? "\033[31m"
                     : f->severity == PAWL_FINDING_WARNING ? "\033[33m"
                                                           : "";

    printf("%s%-7s%s  %s: ", colours ? on : "", doctor_severity(f->severity),
           colours && *on != '\0' ? "\033[0m" : "", f->name);
    cli_put_text(stdout, f->what, strlen(f->what), 0);
    if (f->todo[0] != '\0') {
        printf("\n         -> ");
        cli_put_text(stdout, f->todo, strlen(f->todo), 0);
    }
    printf("\n");
}

static int
doctor_finding(const pawl_finding *f, void *user)
{
    struct doctor_state *s = user;

    if (s->n == 0)
        cli_progress_end();
    if (f->severity >= 0 && f->severity <= PAWL_FINDING_ERROR)
        s->n_severe[f->severity]++;
    if (s->json)
        doctor_put_json(s, f);
    else
        doctor_put_text(f, s->colours);
    s->n++;
    return ferror(stdout);
}

static void
doctor_sum(const struct doctor_state *s)
{
    int warnings = s->n_severe[PAWL_FINDING_WARNING];
    int errors = s->n_severe[PAWL_FINDING_ERROR];

    if (warnings + errors == 0)
        printf("nothing is wrong\n");
    else
        printf("%d error%s, %d warning%s\n", errors, errors == 1 ? "" : "s",
               warnings, warnings == 1 ? "" : "s");
}

static int
doctor_examine(const char *url, bool json)
{
    struct doctor_state s;
    pawl_error err;

    memset(&s, 0, sizeof s);
    s.url = url;
    s.json = json;
    s.colours = cli_colours();
    cli_progress("reading", -1);
    if (pawl_doctor(url, NULL, doctor_finding, &s, &err) != PAWL_OK)
        return cli_fail(url, &err); /* told before anything is printed */
    if (json)
        printf("]}\n");
    else
        doctor_sum(&s);
    return s.n_severe[PAWL_FINDING_WARNING] + s.n_severe[PAWL_FINDING_ERROR] > 0
               ? CLI_FAILED
               : CLI_OK;
}

static const struct option doctor_options[] = {{"json", no_argument, NULL, 'j'},
                                               {NULL, 0, NULL, 0}};

static int
doctor_run(int argc, char **argv)
{
    bool json = false;
    int option;

    while ((option = getopt_long(argc, argv, "", doctor_options, NULL)) != -1) {
        if (option == '?')
            return cli_usage_told(&cli_doctor);
        json = true;
    }
    if (argc - optind != 1)
        return cli_usage(&cli_doctor, "give STORE");
    return cli_finish(doctor_examine(argv[optind], json));
}

const struct cli_command cli_doctor = {
    "doctor", "STORE [--json]", "Examine a store, and tell what to do",
    "  --json  an object {store, findings: [{severity, name, what, todo}]}\n"
    "Works on a damaged file and on one that is held by others; changes "
    "nothing.\n"
    "The exit code is 1 where there are warnings or errors.\n",
    doctor_run};
