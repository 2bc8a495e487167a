-- Pawl's tables, version 1. Usable as it is: sqlite3 jobs.db < 0001_init.sql
--
-- Every name starts with pawl_, so that the tables live beside a program's own.
-- user_version and application_id belong to the program.
--
-- A plain INSERT INTO pawl_job(queue, type, payload) is a complete push.
-- Times are milliseconds since 1970 (UTC); the views show them as local text.
--
-- Triggers here serve other writers only: Pawl's own connections run none, so
-- that a file with planted triggers can do nothing to them.
--
-- Older programs: refuse a store whose min_writer is above what they know.

CREATE TABLE pawl_meta(
  key TEXT NOT NULL PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO pawl_meta VALUES ('schema_version', 1), ('min_writer', 1);

-- A queue and its settings; NULL means the default. All processes follow it.
CREATE TABLE pawl_queue(
  name TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
  parallelism INTEGER CHECK (parallelism BETWEEN 0 AND 256),
  paused INTEGER CHECK (paused IN (0, 1)),
  length_interval_s INTEGER CHECK (length_interval_s BETWEEN 1 AND 86400),
  retention_s INTEGER CHECK (retention_s BETWEEN -1 AND 3155760000),
  max_attempts INTEGER CHECK (max_attempts BETWEEN 1 AND 1000),
  max_abandons INTEGER CHECK (max_abandons BETWEEN 1 AND 1000),
  timeout_ms INTEGER CHECK (timeout_ms BETWEEN 1 AND 3155760000000),
  backoff_floor_ms INTEGER CHECK (backoff_floor_ms BETWEEN 1 AND 3155760000000),
  backoff_ceiling_ms INTEGER CHECK (backoff_ceiling_ms BETWEEN 1 AND 3155760000000),
  backoff_factor_percent INTEGER CHECK (backoff_factor_percent BETWEEN 100 AND 1000),
  backoff_jitter_percent INTEGER CHECK (backoff_jitter_percent BETWEEN -1 AND 100)
) STRICT, WITHOUT ROWID;

-- A waiting job with a row in pawl_claim is reserved. The row of the highest id
-- is never deleted but marked 'deleted' until a newer one comes, so that plain
-- INTEGER PRIMARY KEY never gives an id again. The row of a job that is gone but
-- still holds its unique key is marked likewise; its finished_at says until when.
CREATE TABLE pawl_job(
  id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4611686018427387903),
  queue TEXT NOT NULL,
  type TEXT NOT NULL,
  -- (a chain of OR: for IN, SQLite makes a table of the list at each insert)
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state = 'waiting' OR
    state = 'delayed' OR state = 'timeout' OR state = 'failed' OR
    state = 'done' OR state = 'cancelled' OR state = 'deleted'),
  priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN -32768 AND 32767),
  ready_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  pushed_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
  attempts INTEGER NOT NULL DEFAULT 0,
  abandons INTEGER NOT NULL DEFAULT 0,
  max_attempts INTEGER CHECK (max_attempts BETWEEN 1 AND 1000),
  timeout_ms INTEGER CHECK (timeout_ms BETWEEN 1 AND 3155760000000),
  unique_key TEXT CHECK (length(unique_key) BETWEEN 1 AND 255),
  unique_until INTEGER DEFAULT 0,
  backoff_floor_ms INTEGER CHECK (backoff_floor_ms BETWEEN 1 AND 3155760000000),
  backoff_ceiling_ms INTEGER CHECK (backoff_ceiling_ms BETWEEN 1 AND 3155760000000),
  backoff_factor_percent INTEGER CHECK (backoff_factor_percent BETWEEN 100 AND 1000),
  backoff_jitter_percent INTEGER CHECK (backoff_jitter_percent BETWEEN -1 AND 100),
  finished_at INTEGER,
  error TEXT,
  result TEXT,
  payload ANY NOT NULL DEFAULT x''
) STRICT;

CREATE INDEX pawl_job_waiting ON pawl_job(queue, type, priority DESC, ready_at)
  WHERE state = 'waiting';
CREATE INDEX pawl_job_delayed ON pawl_job(ready_at, queue)
  WHERE state = 'delayed';
CREATE INDEX pawl_job_finished ON pawl_job(queue, state, finished_at)
  WHERE finished_at IS NOT NULL;
-- unique_until is NULL once a finished job has let its key go.
CREATE UNIQUE INDEX pawl_job_unique ON pawl_job(queue, unique_key)
  WHERE unique_key IS NOT NULL AND unique_until IS NOT NULL;

-- Who runs what: written at claim, deleted at settle. The token is the attempt's.
CREATE TABLE pawl_claim(
  job INTEGER PRIMARY KEY,
  worker INTEGER NOT NULL,
  token INTEGER NOT NULL,
  claimed_at INTEGER NOT NULL
) STRICT;

-- One process consuming. It lives as long as it holds the lock on byte number
-- slot of the file JOBS.DB-pawl whose mark is side, and the machine's boot.
CREATE TABLE pawl_worker(
  id INTEGER PRIMARY KEY,
  slot INTEGER NOT NULL,
  side INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  started_at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER pawl_job_pushed AFTER INSERT ON pawl_job
WHEN NEW.state <> 'deleted'
BEGIN
  INSERT OR IGNORE INTO pawl_queue(name) VALUES (NEW.queue);
  UPDATE pawl_job SET state = 'delayed'
    WHERE id = NEW.id AND state = 'waiting'
      AND ready_at > CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER);
END;

CREATE TRIGGER pawl_job_reopened AFTER UPDATE OF state ON pawl_job
WHEN NEW.state IN ('waiting', 'delayed') AND NEW.finished_at IS NOT NULL
BEGIN
  UPDATE pawl_job SET finished_at = NULL, unique_until = coalesce(unique_until, 0)
    WHERE id = NEW.id;
END;

CREATE TRIGGER pawl_job_ended AFTER UPDATE OF state ON pawl_job
WHEN NEW.state NOT IN ('waiting', 'delayed') AND NEW.finished_at IS NULL
BEGIN
  DELETE FROM pawl_claim WHERE job = NEW.id;
  UPDATE pawl_job
    SET finished_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER),
        unique_until = nullif(unique_until, 0)
    WHERE id = NEW.id;
END;

CREATE TRIGGER pawl_job_gone AFTER DELETE ON pawl_job
BEGIN
  DELETE FROM pawl_claim WHERE job = OLD.id;
  INSERT INTO pawl_job(id, queue, type, state, ready_at, pushed_at, finished_at)
    SELECT OLD.id, '', '', 'deleted', 0, 0, 0
    WHERE OLD.id > (SELECT coalesce(max(id), 0) FROM pawl_job);
END;

-- For people.
CREATE VIEW pawl_jobs AS
SELECT j.id, j.queue, j.type,
  CASE WHEN c.job IS NULL THEN j.state ELSE 'reserved' END AS state,
  j.priority,
  j.attempts || '/' || coalesce(j.max_attempts, q.max_attempts, 1) AS attempts,
  j.abandons,
  strftime('%Y-%m-%d %H:%M:%f', j.ready_at / 1000.0, 'unixepoch', 'localtime') AS ready,
  strftime('%Y-%m-%d %H:%M:%f', j.pushed_at / 1000.0, 'unixepoch', 'localtime') AS pushed,
  strftime('%Y-%m-%d %H:%M:%f', j.finished_at / 1000.0, 'unixepoch', 'localtime') AS finished,
  c.worker,
  j.unique_key,
  length(CAST(j.payload AS BLOB)) AS bytes,
  CASE WHEN typeof(j.payload) = 'blob' AND instr(j.payload, x'00')
    THEN hex(substr(j.payload, 1, 24)) ELSE CAST(substr(j.payload, 1, 60) AS TEXT) END AS payload,
  j.error, j.result
FROM pawl_job j
LEFT JOIN pawl_claim c ON c.job = j.id
LEFT JOIN pawl_queue q ON q.name = j.queue
WHERE j.state <> 'deleted';

CREATE VIEW pawl_queues AS
SELECT q.name AS queue,
  count(j.id) FILTER (WHERE j.state = 'waiting' AND c.job IS NULL) AS waiting,
  count(j.id) FILTER (WHERE j.state = 'delayed') AS delayed,
  count(c.job) AS reserved,
  count(j.id) FILTER (WHERE j.state = 'timeout') AS timeout,
  count(j.id) FILTER (WHERE j.state = 'failed') AS failed,
  count(j.id) FILTER (WHERE j.state = 'done') AS done,
  count(j.id) FILTER (WHERE j.state = 'cancelled') AS cancelled,
  coalesce(q.paused, 0) AS paused,
  strftime('%Y-%m-%d %H:%M:%f',
    min(j.ready_at) FILTER (WHERE j.state = 'waiting' AND c.job IS NULL) / 1000.0,
    'unixepoch', 'localtime') AS oldest_waiting
FROM pawl_queue q
LEFT JOIN pawl_job j ON j.queue = q.name
LEFT JOIN pawl_claim c ON c.job = j.id
GROUP BY q.name;

CREATE VIEW pawl_workers AS
SELECT w.id, w.pid, w.host,
  strftime('%Y-%m-%d %H:%M:%f', w.started_at / 1000.0, 'unixepoch', 'localtime') AS started,
  (SELECT count(*) FROM pawl_claim c WHERE c.worker = w.id) AS reserved
FROM pawl_worker w;

CREATE VIEW pawl_errors AS
SELECT j.id, j.queue, j.type, j.state, j.attempts, j.abandons,
  strftime('%Y-%m-%d %H:%M:%f', j.finished_at / 1000.0, 'unixepoch', 'localtime') AS finished,
  j.error
FROM pawl_job j
WHERE j.error IS NOT NULL AND j.state <> 'deleted'
ORDER BY j.finished_at;
