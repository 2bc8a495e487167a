#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Small breaks of our own code, each of which a test must notice.

A mutant replaces one text, which must stand exactly once in its file, and
names the tests that should notice it. In a copy of the sources each is applied
alone, built, and its tests are run until one fails (or hangs): then it is
killed. A mutant that survives is a promise that nothing watches.

    mutants.py [-j N] [NAME ...]     exit 0: all killed

Run it from anywhere; the sources are those beside it."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS = 180  # a test that runs longer hangs
DRIVER = "tests/driver/test_conformance"

# name, file, text, its replacement, tests
MUTANTS = [
    # ---- tokens and settles
    ("token not compared", "src/sqlite/stmt.c",
     '"DELETE FROM pawl_claim WHERE job = ?1 AND token = ?2"',
     '"DELETE FROM pawl_claim WHERE job = ?1 AND ?2 <> 0"', [DRIVER]),
    ("stale settle told ok", "src/sqlite/settle.c",
     "sqlite3_changes(s->w.db) == 1 ? PAWL_OK : PAWL_STALE", "PAWL_OK",
     [DRIVER]),
    ("token is the id", "src/sqlite/claim.c",
     "r->token = pawl__rng_id(&s->w.rng);", "r->token = r->info.id;",
     [DRIVER, "tests/promise/test_promise_04_tokens"]),
    ("release acks", "src/sqlite/settle.c",
     "    case PAWL__RELEASE:\n        break;",
     "    case PAWL__RELEASE:\n        return settle_ack(s, settle, err);",
     [DRIVER]),
    ("retry does not count", "src/sqlite/settle.c",
     "bool counts = settle->outcome == PAWL__RETRY;", "bool counts = false;",
     [DRIVER]),
    ("snooze counts", "src/sqlite/settle.c",
     "bool counts = settle->outcome == PAWL__RETRY;", "bool counts = true;",
     [DRIVER]),
    ("timeout is failed", "src/sqlite/settle.c",
     'settle->job, "timeout", 1', 'settle->job, "failed", 1', [DRIVER]),
    ("error of an ack swallowed", "src/sqlite/settle.c",
     "if (rc != PAWL_OK || !found)", "if (!found)",
     ["tests/torture/faults --step 3 --from 12000 sqlite"]),
    ("cancel keeps the claim", "src/sqlite/stmt.c",
     '"DELETE FROM pawl_claim WHERE job = ?1",',
     '"DELETE FROM pawl_claim WHERE job = -?1",', [DRIVER]),
    # ---- claims
    ("order by falling id", "src/sqlite/claim.c",
     "return x->id < y->id ? -1 : x->id > y->id;",
     "return x->id > y->id ? -1 : x->id < y->id;", [DRIVER]),
    ("low priority first", "src/sqlite/claim.c",
     "return x->priority > y->priority ? -1 : 1;",
     "return x->priority < y->priority ? -1 : 1;", [DRIVER]),
    ("due one ms early", "src/sqlite/claim.c",
     "(void)sqlite3_bind_int64(st, 1, now);\n    (void)sqlite3_bind_int(st, 2",
     "(void)sqlite3_bind_int64(st, 1, now + 1);\n    (void)sqlite3_bind_int(st, 2",
     [DRIVER, "tests/model/test_time"]),
    ("pause ignored", "src/sqlite/claim.c",
     "if (rc != PAWL_OK || x->settings.paused)", "if (rc != PAWL_OK)",
     [DRIVER]),
    ("claim leaves no row", "src/sqlite/claim.c",
     "rc = claim_reserve(s, x, err);", "rc = PAWL_OK;", [DRIVER]),
    ("others are not told of due jobs", "src/sqlite/claim.c",
     "*others = true;", "*others = false;", [DRIVER,
     "tests/model/test_public"]),
    # ---- pushes, ids and keys
    ("ids used again", "src/sqlite/settle.c", "if (id != s->tx_top)",
     "if (id != 0)", [DRIVER]),
    ("key never let go", "src/sqlite/stmt.c",
     '"UPDATE pawl_job SET unique_until = NULL WHERE id = ?1"',
     '"UPDATE pawl_job SET unique_until = unique_until WHERE id = ?1"',
     [DRIVER]),
    ("key not held after the end", "src/sqlite/push.c",
     "if (rc != PAWL_OK || !over)", "if (rc != PAWL_OK || !found)", [DRIVER]),
    ("key kept at the end, memory", "src/memory/store.c",
     "if ((j->record->info.state &\n         (PAWL_WAITING | PAWL_DELAYED | PAWL_RESERVED)) ||",
     "if (", ["tests/driver/test_conformance"]),
    ("payload limit ignored", "src/model/options.c",
     "if (j->payload_bytes > (size_t)max_payload_bytes)",
     "if (j->payload_bytes > SIZE_MAX - 1)", ["tests/api/test_bad_input",
     "tests/promise/test_promise_11_bad_input"]),
    # ---- commit and durability
    ("push not synced", "src/sqlite/commit.c", "durable ? 2 : 1", "1",
     ["tests/promise/test_promise_01_durable_push",
      "tests/torture/power --states 1500"]),
    ("retry not synced", "src/sqlite/change.c",
     "    c.op.apply = change_retry;\n    c.op.durable = true;",
     "    c.op.apply = change_retry;",
     ["tests/torture/power --states 6000 --seed 112214718888289",
      "tests/torture/power --states 6000 --seed 1",
      "tests/torture/power --states 6000 --seed 2"]),
    ("told before the commit", "src/sqlite/commit.c",
     "    pawl__lock(&s->write_mu);\n    commit_batch(s, first);",
     "    pawl__lock(&s->write_mu);\n    pawl__event_set(&b->done);\n"
     "    commit_batch(s, first);",
     ["tests/crash/many_threads", "tests/api/test_push",
      "tests/api/test_async"]),
    ("a statement for each claim", "src/sqlite/claim.c",
     "x->n_claims - i >= PAWL__CLAIMS_TOGETHER ?", "x->n_claims - i >= 100000 ?",
     ["tests/driver/test_cost"]),
    ("a sync for each turn", "src/sqlite/claim.c",
     "s->env.options->durable_acks != 0 && x->n_settles > 0", "true",
     ["tests/driver/test_cost"]),
    ("the file never shrinks", "src/sqlite/sweep.c",
     "        pawl__shrink(s);\n", "", ["tests/driver/test_sqlite"]),
    ("next leader not woken", "src/sqlite/commit.c",
     "    if (next != NULL)\n        pawl__event_set(&next->lead);",
     "    (void)next;", ["tests/crash/many_threads"]),
    ("failed sync told ok", "src/sqlite/commit.c",
     "        commit_rollback(s);\n        return rc;\n    }\n    if (rc != PAWL_OK) {",
     "        commit_rollback(s);\n        return PAWL_OK;\n    }\n    if (rc != PAWL_OK) {",
     ["tests/promise/test_promise_02_unknown_and_poison"]),
    ("no poison", "src/sqlite/commit.c",
     "atomic_store_explicit(&s->poisoned, 1,",
     "atomic_store_explicit(&s->poisoned, 0,",
     ["tests/promise/test_promise_02_unknown_and_poison"]),
    ("a failed operation is kept", "src/sqlite/commit.c",
     "        if (alone && op->rc != PAWL_OK) {\n            commit_rollback(s);",
     "        if (alone && op->rc != PAWL_OK) {\n            (void)commit_end(s, &err);",
     [DRIVER]),
    ("files not looked for", "src/sqlite/commit.c",
     "if (!pawl__place_is_same(&s->place))", "if (s == NULL)",
     ["tests/torture/hostile replace"]),
    ("no guard on the database", "src/sqlite/guard.c",
     "guard_set(fds[i], F_RDLCK) == 0", "fds[i] < 0",
     ["tests/torture/hostile --seconds 8 host"]),
    ("ends of transactions need memory", "src/sqlite/open.c",
     "        rc = pawl__conn_prepare_ends(&s->w, err);",
     "        rc = PAWL_OK;",
     ["tests/torture/faults --step 40 --from 14000 sqlite"]),
    # ---- rescue
    ("rescue without the lock", "src/sqlite/sweep.c",
     "!pawl__side_held(&s->side, w->slot)", "w->slot >= 0",
     ["tests/promise/test_promise_06_rescue", "tests/crash/two_processes",
      "tests/model/test_time"]),
    ("abandon not counted", "src/sqlite/stmt.c", "abandons = abandons + 1",
     "abandons = abandons + 0",
     ["tests/promise/test_promise_07_abandons"]),
    ("abandon counted for the unstarted", "src/sqlite/sweep.c",
     "known && pawl__side_was_running(&s->side, w->slot, r->job)", "known",
     [DRIVER, "tests/promise/test_promise_07_abandons"]),
    ("one abandon too many", "src/sqlite/sweep.c",
     "sqlite3_column_int64(st, 2) + 1 >=", "sqlite3_column_int64(st, 2) >=",
     ["tests/promise/test_promise_07_abandons"]),
    ("unknown boot is another boot", "src/sqlite/side.c",
     "return errno == ENOENT ? 0 : -1;", "return 0;",
     ["tests/torture/faults system"]),
    # ---- full disk
    ("reserve not given back", "src/sqlite/side.c",
     "if (ftruncate(side->fd, SIDE_MAPPED) != 0)", "if (side->fd < 0)",
     ["tests/promise/test_promise_12_full_disk", "tests/torture/small_disk"]),
    ("claims get no reserve", "src/sqlite/claim.c", "c.op.drains = true;",
     "c.op.drains = false;", ["tests/torture/small_disk"]),
    ("the log keeps its room", "src/sqlite/checkpoint.c",
     "    checkpoint_limit(s, low);\n", "    (void)checkpoint_limit;\n",
     ["tests/torture/small_disk"]),
    # ---- a hostile file
    ("triggers run", "src/sqlite/conn.c",
     "SQLITE_DBCONFIG_ENABLE_TRIGGER,", "SQLITE_DBCONFIG_ENABLE_VIEW,",
     ["tests/promise/test_promise_15_hostile_file"]),
    ("schema not compared", "src/sqlite/migrate.c",
     "    return rc == PAWL_OK ? migrate_verify(c, err) : rc;",
     "    (void)migrate_verify;\n    return rc;",
     ["tests/promise/test_promise_15_hostile_file"]),
    ("newer schema accepted", "src/sqlite/migrate.c",
     "if (version > MIGRATE_LAST && min_writer > MIGRATE_LAST)",
     "if (version > MIGRATE_LAST && min_writer < 0)",
     ["tests/promise/test_promise_11_bad_input", "tests/api/test_open"]),
    ("hard links accepted", "src/sqlite/file.c", "if (st.st_nlink > 1)",
     "if (st.st_nlink > 1000)", ["tests/api/test_open",
     "tests/promise/test_promise_11_bad_input"]),
    ("file readable by all", "src/sqlite/file.c",
     "O_NOFOLLOW | O_CLOEXEC, 0600)", "O_NOFOLLOW | O_CLOEXEC, 0644)",
     ["tests/api/test_open", "tests/promise/test_promise_15_hostile_file"]),
    ("log restarts beside a checkpoint", "src/sqlite/vfs.c",
     "if (readers && flags == (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE))",
     "if (readers && flags == 0)", ["tests/unit/test_vfs"]),
    # ---- history, reload, settings
    ("history goes at once", "src/sqlite/sweep.c",
     'queue, "done", now - keep, err)', 'queue, "done", now + keep, err)',
     [DRIVER]),
    ("reload resets the count", "src/sqlite/stmt.c",
     "\"UPDATE pawl_job SET state = 'waiting', ready_at = ?2, \"",
     "\"UPDATE pawl_job SET state = 'waiting', attempts = 0, ready_at = ?2, \"",
     [DRIVER]),
    # ---- engine
    ("unstarted jobs not given back", "src/engine/consumer.c",
     "        if (!c->broken)\n            consumer_add_outcome(c, &settle);\n        pawl__record_free(r);",
     "        pawl__record_free(r);",
     ["tests/promise/test_promise_13_stop"]),
    ("fork not noticed", "src/api/check.c", "if (store->pid != getpid())",
     "if (store->pid == 0)", ["tests/promise/test_promise_14_no_globals",
     "tests/api/test_open"]),
    ("both decide an attempt", "src/engine/attempt.c", "first = !a->decided;",
     "first = true;", ["tests/api/test_attempt", "tests/api/test_events",
      "tests/torture/poison"]),
    # ---- values
    ("backoff beyond its ceiling", "src/model/retry.c",
     "if (wait > job->backoff_ceiling_ms)", "if (wait < 0)",
     ["tests/unit/test_model"]),
    ("no jitter", "src/model/retry.c", "if (jitter > 0)", "if (jitter > 100)",
     ["tests/unit/test_model"]),
    ("sums overflow", "src/base/clock.c", "if (b > 0 && a > INT64_MAX - b)",
     "if (b > 0 && a > INT64_MAX - 1)", ["tests/unit/test_base"]),
    ("busy at two moments", "src/sqlite/look.c",
     "    rc = look_begin_moment(c, err);\n    if (rc == PAWL_OK) {\n"
     "        for (i = 0;",
     "    rc = PAWL_OK;\n    if (rc == PAWL_OK) {\n        for (i = 0;",
     ["tests/driver/test_conformance"]),
    ("a log that was written is forgotten", "src/sqlite/wake.c",
     "        s->wake.written = true;", "        s->wake.written = false;",
     ["tests/driver/test_sqlite"]),
    ("own commits wake the store's thread", "src/sqlite/wake.c",
     "pawl__stmt(&s->w, PAWL__STMT_DATA_VERSION, &ignored)",
     "pawl__stmt(&s->r, PAWL__STMT_DATA_VERSION, &ignored)",
     ["tests/driver/test_sqlite"]),
    ("a turn without its push", "src/sqlite/claim.c",
     "pawl__commit_run_two(s, &p.op, &c.op);",
     "(void)pawl__commit_run(s, &c.op);\n"
     "        (void)pawl__commit_run(s, &p.op);",
     ["tests/driver/test_conformance"]),
    ("a calm folder is trusted for ever", "src/sqlite/place.c",
     "if (known && place->calm && time.tv_sec == place->sec &&\n"
     "        time.tv_nsec == place->nsec)",
     "if (known && place->calm)",
     ["tests/driver/test_sqlite"]),
    ("acks together are not counted", "src/sqlite/settle.c",
     "*done = rc == PAWL_OK && sqlite3_changes(s->w.db) == (int)acks->n;",
     "*done = rc == PAWL_OK;", ["tests/driver/test_conformance"]),
]


def copy_sources(to):
    """What git has, or a tarball holds; the build's own files are left."""
    if os.path.isdir(os.path.join(ROOT, ".git")):
        names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"],
                               cwd=ROOT, check=True, capture_output=True,
                               text=True).stdout.split("\n")
        for name in filter(None, names):
            source = os.path.join(ROOT, name)
            if os.path.isfile(source):
                os.makedirs(os.path.dirname(os.path.join(to, name)), exist_ok=True)
                shutil.copy2(source, os.path.join(to, name))
    else:
        shutil.copytree(ROOT, to, dirs_exist_ok=True)


def run(command, cwd, seconds):
    """Exit status of a shell command; 124 when it hangs."""
    # A build, or a test, makes noise only when it goes wrong.
    process = subprocess.Popen(command, cwd=cwd, shell=True,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return 124


def targets(tests):
    """What make must build for these tests."""
    built = {t.split()[0] for t in tests if not t.endswith(".sh")}
    if any(t.startswith("tests/cli") for t in tests):
        built.add("pawl")
    return " ".join(sorted(built))


def run_test(tree, test):
    env = "PAWL_TEST_QUICK=1 srcdir=. top_srcdir=. top_builddir=. "
    return run(env + "./" + test, tree, SECONDS)


class Worker(threading.Thread):
    def __init__(self, tree, queue, report):
        super().__init__()
        self.tree, self.queue, self.report = tree, queue, report

    def build(self, tests):
        return run("make " + targets(tests), self.tree, 600) == 0

    def one(self, mutant):
        name, path, old, new, tests = mutant
        source = os.path.join(self.tree, path)
        with open(source, encoding="utf-8") as f:
            text = f.read()
        if text.count(old) != 1:
            return "DOES NOT APPLY %s: %d times in %s" % (
                name, text.count(old), path)
        if not self.build(tests):
            return "DOES NOT BUILD %s: not even without it" % name
        with open(source, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
        began = time.time()
        try:
            if not self.build(tests):
                return "DOES NOT BUILD %s" % name
            for test in tests:
                status = run_test(self.tree, test)
                if status not in (0, 77):
                    return "killed %s by %s (%.0f s)" % (
                        name, test, time.time() - began)
            return "SURVIVED %s: %s" % (name, ", ".join(tests))
        finally:
            with open(source, "w", encoding="utf-8") as f:
                f.write(text)

    def run(self):
        while True:
            try:
                mutant = self.queue.pop(0)
            except IndexError:
                return
            self.report(self.one(mutant))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    chosen = [m for m in MUTANTS if not args.names or m[0] in args.names]
    results = []
    lock = threading.Lock()

    def report(line):
        with lock:
            results.append(line)
            print(line, flush=True)

    base = tempfile.mkdtemp(prefix="pawl-mutants-", dir=os.environ.get("TMPDIR"))
    try:
        first = os.path.join(base, "0")
        copy_sources(first)
        if run("test -x configure || ./autogen.sh", first, 600) != 0 or run(
                "./configure --disable-shared CFLAGS=-O1 && make && "
                "make check TESTS=", first, 1800) != 0:
            print("mutants: the sources do not build")
            return 1
        bad = sorted({t for m in chosen for t in m[4] if "torture" not in t and
                      not t.endswith(".sh") and run_test(first, t) not in (0, 77)})
        if bad:
            print("mutants: these fail without any: " + ", ".join(bad))
            return 1
        trees = [first]
        for i in range(1, args.j):
            trees.append(os.path.join(base, str(i)))
            shutil.copytree(first, trees[-1], symlinks=True)
        queue = list(chosen)
        workers = [Worker(tree, queue, report) for tree in trees]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        shutil.rmtree(base, ignore_errors=True)
    killed = sum(r.startswith("killed") for r in results)
    print("mutants: %d killed of %d" % (killed, len(chosen)))
    return 0 if killed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
