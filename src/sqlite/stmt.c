/* SPDX-License-Identifier: MIT */
/* stmt.c - the text of all statements.
 *
 * Values are only ever bound. INDEXED BY pins a plan: SQLite refuses the
 * statement rather than scan the table. A condition on finished_at stands
 * wherever the index of finished jobs is meant, which holds only rows where it
 * is not null. */
#include "sqlite/stmt.h"

/* What pawl__row_read() expects, in its order. */
#define STMT_ROW                                                            \
    "j.id, j.queue, j.type, j.state, j.priority, j.ready_at, j.pushed_at, " \
    "j.attempts, j.abandons, j.max_attempts, j.timeout_ms, j.unique_key, "  \
    "j.unique_until, j.backoff_floor_ms, j.backoff_ceiling_ms, "            \
    "j.backoff_factor_percent, j.backoff_jitter_percent, j.finished_at, "   \
    "j.error, j.result, j.payload"

#define STMT_UNCLAIMED \
    "NOT EXISTS (SELECT 1 FROM pawl_claim AS c WHERE c.job = j.id)"

#define STMT_STATE_BIT                                                    \
    "CASE WHEN c.job IS NOT NULL THEN 4 ELSE CASE j.state "               \
    "WHEN 'waiting' THEN 1 WHEN 'delayed' THEN 2 WHEN 'timeout' THEN 8 "  \
    "WHEN 'failed' THEN 16 WHEN 'done' THEN 32 WHEN 'cancelled' THEN 64 " \
    "ELSE 0 END END"

/* ?1 queue or NULL, ?2 type or NULL, ?3 mask of states, ?4 id, ?5 limit */
#define STMT_LIST(from_, where_, order_)                                \
    "SELECT " STMT_ROW ", c.worker FROM " from_ " WHERE " where_        \
    " AND (?1 IS NULL OR j.queue = ?1) AND (?2 IS NULL OR j.type = ?2)" \
    " AND (" STMT_STATE_BIT ") & ?3 ORDER BY j.id " order_ " LIMIT ?5"
#define STMT_ALL \
    "pawl_job AS j NOT INDEXED LEFT JOIN pawl_claim AS c ON c.job = j.id"
#define STMT_FINISHED                             \
    "pawl_job AS j INDEXED BY pawl_job_finished " \
    "LEFT JOIN pawl_claim AS c ON c.job = j.id"
#define STMT_RESERVED "pawl_claim AS c CROSS JOIN pawl_job AS j ON j.id = c.job"

static const char *const stmt_text[PAWL__N_STMTS] = {
    [PAWL__STMT_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [PAWL__STMT_BEGIN_READ] = "BEGIN",
    [PAWL__STMT_COMMIT] = "COMMIT",
    [PAWL__STMT_ROLLBACK] = "ROLLBACK",
    [PAWL__STMT_SAVEPOINT] = "SAVEPOINT pawl_op",
    [PAWL__STMT_SAVEPOINT_UNDO] = "ROLLBACK TO pawl_op",
    [PAWL__STMT_SAVEPOINT_END] = "RELEASE pawl_op",
    [PAWL__STMT_DATA_VERSION] = "PRAGMA data_version",
    [PAWL__STMT_PAGES] = "PRAGMA page_count",
    [PAWL__STMT_FREE_PAGES] = "PRAGMA freelist_count",
    [PAWL__STMT_SHRINK] = "PRAGMA incremental_vacuum(500)",

    [PAWL__STMT_JOB_ADD] =
        "INSERT INTO pawl_job(queue, type, state, priority, ready_at, "
        "pushed_at, max_attempts, timeout_ms, unique_key, unique_until, "
        "backoff_floor_ms, backoff_ceiling_ms, backoff_factor_percent, "
        "backoff_jitter_percent, payload) VALUES "
        "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    [PAWL__STMT_QUEUE_ADD] = "INSERT OR IGNORE INTO pawl_queue(name) "
                             "VALUES (?1)",
    [PAWL__STMT_KEY_HOLDER] =
        "SELECT id, finished_at IS NOT NULL AND unique_until <= ?3 "
        "FROM pawl_job INDEXED BY pawl_job_unique "
        "WHERE queue = ?1 AND unique_key = ?2 AND unique_until IS NOT NULL",
    [PAWL__STMT_KEY_RELEASE] =
        "UPDATE pawl_job SET unique_until = NULL WHERE id = ?1",

    [PAWL__STMT_TOP_ID] = "SELECT max(id) FROM pawl_job",
    [PAWL__STMT_JOB_DELETE] = "DELETE FROM pawl_job WHERE id = ?1",
    [PAWL__STMT_JOB_MARK] =
        "UPDATE pawl_job SET queue = '', type = '', state = 'deleted', "
        "finished_at = 0, unique_key = NULL, error = NULL, result = NULL, "
        "payload = x'' WHERE id = ?1",
    [PAWL__STMT_JOB_HOLD] =
        "UPDATE pawl_job SET type = '', state = 'deleted', "
        "finished_at = unique_until, error = NULL, result = NULL, "
        "payload = x'' WHERE id = ?1",
    [PAWL__STMT_MARKS_CLEAR] =
        "DELETE FROM pawl_job WHERE queue = '' AND state = 'deleted' "
        "AND finished_at IS NOT NULL AND id <> ?1",

    [PAWL__STMT_CLAIM_DELETE] =
        "DELETE FROM pawl_claim WHERE job = ?1 AND token = ?2",
    [PAWL__STMT_CLAIM_DROP] = "DELETE FROM pawl_claim WHERE job = ?1",
    [PAWL__STMT_CLAIM_HELD] =
        "SELECT 1 FROM pawl_claim WHERE job = ?1 AND token = ?2",
    [PAWL__STMT_JOB_ACK] =
        "DELETE FROM pawl_job WHERE id = ?1 AND queue = ?2 AND "
        "state = 'waiting' AND (unique_key IS NULL OR unique_until <= ?3)",
    /* (+: by id, not by the index of waiting jobs) */
    [PAWL__STMT_JOBS_ACK] =
        "DELETE FROM pawl_job WHERE id IN (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
        "?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) AND +queue = ?1 AND "
        "+state = 'waiting' AND (unique_key IS NULL OR unique_until <= ?2)",
    [PAWL__STMT_JOB_END_FACTS] =
        "SELECT j.queue, coalesce(q.retention_s, 0), "
        "j.unique_key IS NOT NULL AND j.unique_until > ?2, j.state "
        "FROM pawl_job AS j LEFT JOIN pawl_queue AS q ON q.name = j.queue "
        "WHERE j.id = ?1",
    [PAWL__STMT_JOB_FINISH] =
        "UPDATE pawl_job SET state = ?2, finished_at = ?3, "
        "attempts = attempts + ?4, error = coalesce(?5, error), result = ?6, "
        "unique_until = CASE WHEN unique_until > ?3 THEN unique_until END "
        "WHERE id = ?1 AND finished_at IS NULL",
    [PAWL__STMT_JOB_PUT_OFF] =
        "UPDATE pawl_job SET state = ?2, ready_at = ?3, "
        "attempts = attempts + ?4, error = coalesce(?5, error) "
        "WHERE id = ?1 AND state = 'waiting'",

    [PAWL__STMT_SETTINGS] =
        "SELECT parallelism, paused, length_interval_s, retention_s, "
        "max_attempts, max_abandons, timeout_ms, backoff_floor_ms, "
        "backoff_ceiling_ms, backoff_factor_percent, backoff_jitter_percent "
        "FROM pawl_queue WHERE name = ?1",
    [PAWL__STMT_NEXT_DUE] =
        "SELECT ready_at FROM pawl_job INDEXED BY pawl_job_delayed "
        "WHERE state = 'delayed' ORDER BY ready_at LIMIT 1",
    [PAWL__STMT_PROMOTE] =
        "UPDATE pawl_job SET state = 'waiting' WHERE id IN "
        "(SELECT id FROM pawl_job INDEXED BY pawl_job_delayed "
        "WHERE state = 'delayed' AND ready_at <= ?1 "
        "ORDER BY ready_at, queue LIMIT ?2) RETURNING queue",
    [PAWL__STMT_TYPE_NEXT] =
        "SELECT min(type) FROM pawl_job INDEXED BY pawl_job_waiting "
        "WHERE state = 'waiting' AND queue = ?1 AND type > ?2",
    [PAWL__STMT_CLAIM_TYPE] =
        "SELECT " STMT_ROW ", 0 FROM pawl_job AS j "
        "INDEXED BY pawl_job_waiting WHERE j.state = 'waiting' "
        "AND j.queue = ?1 AND j.type = ?2 AND " STMT_UNCLAIMED
        " ORDER BY j.priority DESC, j.ready_at, j.id LIMIT ?3",
    [PAWL__STMT_CLAIM_CANDIDATES] =
        "SELECT j.id, j.priority, j.ready_at FROM pawl_job AS j "
        "INDEXED BY pawl_job_waiting WHERE j.state = 'waiting' "
        "AND j.queue = ?1 AND j.type = ?2 AND " STMT_UNCLAIMED
        " ORDER BY j.priority DESC, j.ready_at, j.id LIMIT ?3",
    [PAWL__STMT_CLAIM_ADD] =
        "INSERT INTO pawl_claim(worker, claimed_at, job, token) "
        "VALUES (?1, ?2, ?3, ?4)",
    [PAWL__STMT_CLAIMS_ADD] =
        "INSERT INTO pawl_claim(worker, claimed_at, job, token) VALUES "
        "(?1, ?2, ?3, ?4), (?1, ?2, ?5, ?6), (?1, ?2, ?7, ?8), "
        "(?1, ?2, ?9, ?10), (?1, ?2, ?11, ?12), (?1, ?2, ?13, ?14), "
        "(?1, ?2, ?15, ?16), (?1, ?2, ?17, ?18), (?1, ?2, ?19, ?20), "
        "(?1, ?2, ?21, ?22), (?1, ?2, ?23, ?24), (?1, ?2, ?25, ?26), "
        "(?1, ?2, ?27, ?28), (?1, ?2, ?29, ?30), (?1, ?2, ?31, ?32), "
        "(?1, ?2, ?33, ?34)",

    [PAWL__STMT_WORKERS] = "SELECT id, slot, side, boot, pid FROM pawl_worker",
    [PAWL__STMT_WORKER_ADD] =
        "INSERT INTO pawl_worker(id, slot, side, boot, pid, host, started_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [PAWL__STMT_WORKER_SLOT] =
        "SELECT 1 FROM pawl_worker WHERE slot = ?1 AND side = ?2",
    [PAWL__STMT_WORKER_DELETE] = "DELETE FROM pawl_worker WHERE id = ?1",
    [PAWL__STMT_WORKER_CLAIMS] =
        "SELECT c.job, j.queue, j.abandons, coalesce(q.max_abandons, 3) "
        "FROM pawl_claim AS c JOIN pawl_job AS j ON j.id = c.job "
        "LEFT JOIN pawl_queue AS q ON q.name = j.queue WHERE c.worker = ?1",
    [PAWL__STMT_WORKER_CLAIMS_DELETE] =
        "DELETE FROM pawl_claim WHERE worker = ?1",
    [PAWL__STMT_ORPHANS_DELETE] =
        "DELETE FROM pawl_claim WHERE "
        "worker NOT IN (SELECT id FROM pawl_worker) OR "
        "NOT EXISTS (SELECT 1 FROM pawl_job AS j WHERE j.id = job)",
    [PAWL__STMT_JOB_ABANDON] =
        "UPDATE pawl_job SET abandons = abandons + 1 WHERE id = ?1",
    [PAWL__STMT_JOB_ABANDONS] = "SELECT abandons FROM pawl_job WHERE id = ?1",
    [PAWL__STMT_WORKER_RETIRE] =
        "DELETE FROM pawl_worker WHERE side = ?1 AND slot = ?2 AND "
        "NOT EXISTS (SELECT 1 FROM pawl_claim AS c WHERE c.worker = id)",
    [PAWL__STMT_QUEUE_NEXT] =
        "SELECT name, coalesce(retention_s, 0) FROM pawl_queue "
        "WHERE name > ?1 ORDER BY name LIMIT 1",
    [PAWL__STMT_PRUNE] =
        "SELECT id, unique_key IS NOT NULL AND unique_until > ?4 "
        "FROM pawl_job INDEXED BY pawl_job_finished WHERE queue = ?1 AND "
        "state = ?2 AND finished_at <= ?3 ORDER BY finished_at LIMIT 500",

    [PAWL__STMT_JOB] = "SELECT " STMT_ROW ", c.worker FROM " STMT_ALL
                       " WHERE j.id = ?1 AND j.state <> 'deleted'",
    [PAWL__STMT_LIST_UP] = STMT_LIST(STMT_ALL, "j.id > ?4", "ASC"),
    [PAWL__STMT_LIST_DOWN] = STMT_LIST(STMT_ALL, "j.id < ?4", "DESC"),
    [PAWL__STMT_LIST_FINISHED_UP] = STMT_LIST(
        STMT_FINISHED, "j.finished_at IS NOT NULL AND j.id > ?4", "ASC"),
    [PAWL__STMT_LIST_FINISHED_DOWN] = STMT_LIST(
        STMT_FINISHED, "j.finished_at IS NOT NULL AND j.id < ?4", "DESC"),
    [PAWL__STMT_LIST_RESERVED_UP] =
        STMT_LIST(STMT_RESERVED, "j.id > ?4", "ASC"),
    [PAWL__STMT_LIST_RESERVED_DOWN] =
        STMT_LIST(STMT_RESERVED, "j.id < ?4", "DESC"),
    [PAWL__STMT_QUEUES] = "SELECT name FROM pawl_queue ORDER BY name",
    [PAWL__STMT_N_WORKERS] = "SELECT count(*) FROM pawl_worker",
    [PAWL__STMT_COUNT_WAITING] =
        "SELECT count(*), coalesce(min(ready_at), 0) FROM pawl_job AS j "
        "INDEXED BY pawl_job_waiting WHERE j.state = 'waiting' "
        "AND j.queue = ?1 AND " STMT_UNCLAIMED,
    [PAWL__STMT_COUNT_DELAYED] =
        "SELECT count(*) FROM pawl_job INDEXED BY pawl_job_delayed "
        "WHERE state = 'delayed' AND queue = ?1",
    [PAWL__STMT_COUNT_RESERVED] =
        "SELECT count(*) FROM pawl_claim AS c CROSS JOIN pawl_job AS j "
        "ON j.id = c.job WHERE j.queue = ?1",
    [PAWL__STMT_COUNT_FINISHED] =
        "SELECT state, count(*) FROM pawl_job INDEXED BY pawl_job_finished "
        "WHERE queue = ?1 AND state IN ('timeout', 'failed', 'done', "
        "'cancelled') AND finished_at IS NOT NULL GROUP BY state",
    [PAWL__STMT_BUSY_WAITING] =
        "SELECT 1 FROM pawl_job INDEXED BY pawl_job_waiting "
        "WHERE state = 'waiting' AND queue = ?1 LIMIT 1",
    [PAWL__STMT_BUSY_WAITING_TYPE] =
        "SELECT 1 FROM pawl_job INDEXED BY pawl_job_waiting "
        "WHERE state = 'waiting' AND queue = ?1 AND type = ?2 LIMIT 1",
    [PAWL__STMT_BUSY_DELAYED] =
        "SELECT 1 FROM pawl_job INDEXED BY pawl_job_delayed "
        "WHERE state = 'delayed' AND queue = ?1 AND (?2 IS NULL OR type = ?2) "
        "AND (ready_at <= ?3 OR attempts > 0 OR abandons > 0) LIMIT 1",

    [PAWL__STMT_JOB_FACTS] =
        "SELECT j.state, j.queue, j.unique_key, "
        "EXISTS (SELECT 1 FROM pawl_claim AS c WHERE c.job = j.id) "
        "FROM pawl_job AS j WHERE j.id = ?1",
    [PAWL__STMT_JOB_REOPEN] =
        "UPDATE pawl_job SET state = 'waiting', ready_at = ?2, "
        "finished_at = NULL, unique_until = coalesce(unique_until, 0) "
        "WHERE id = ?1",
    [PAWL__STMT_MOVE_FINISHED] =
        "SELECT id, finished_at, unique_key FROM pawl_job "
        "INDEXED BY pawl_job_finished WHERE queue = ?1 AND state = ?2 "
        "AND finished_at IS NOT NULL AND (finished_at, id) > (?3, ?4) "
        "ORDER BY finished_at, id LIMIT ?5",
    [PAWL__STMT_MOVE_WAITING] =
        "SELECT j.id, 0, NULL FROM pawl_job AS j "
        "INDEXED BY pawl_job_waiting WHERE j.state = 'waiting' "
        "AND j.queue = ?1 AND " STMT_UNCLAIMED " LIMIT ?5",
    [PAWL__STMT_MOVE_DELAYED] =
        "SELECT id, ready_at, NULL FROM pawl_job "
        "INDEXED BY pawl_job_delayed WHERE state = 'delayed' AND queue = ?1 "
        "AND ready_at >= ?3 ORDER BY ready_at LIMIT ?5",
};

const char *
pawl__stmt_text(enum pawl__stmt_id id)
{
    return stmt_text[id];
}
