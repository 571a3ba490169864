/*
 * Works on SQLite databases: in memory with tables, indexes, joins, transactions, aggregates; and in a file that two
 * processes want at the same time.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static sqlite3 *database;

static int show(void *nothing, int count, char **values, char **names)
{
    (void)nothing;
    (void)names;
    for (int i = 0; i < count; i++)
        printf("%s%s", i ? " | " : "", values[i] ? values[i] : "NULL");
    printf("\n");
    return 0;
}

static void run(const char *sql)
{
    char *error = NULL;

    if (sqlite3_exec(database, sql, show, NULL, &error) != SQLITE_OK) {
        printf("error: %s\n", error);
        sqlite3_free(error);
    }
}

#define FILE_NAME "/tmp/work.db"

/* What another process, which opens the file itself, gets for SQL; it waits up to MILLISECONDS for locks. */
static void other_process(const char *sql, int milliseconds)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (sqlite3_open(FILE_NAME, &database) != SQLITE_OK)
            _exit(1);
        sqlite3_busy_timeout(database, milliseconds);
        run(sql);
        sqlite3_close(database);
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

/* A transaction keeps others from writing, and with the old journal at its end from reading, too. */
static void share_file(const char *journal)
{
    sqlite3 *memory = database;
    char sql[64];

    snprintf(sql, sizeof(sql), "PRAGMA journal_mode = %s", journal);
    if (sqlite3_open(FILE_NAME, &database) != SQLITE_OK)
        return;
    run(sql);
    run("CREATE TABLE visit (who TEXT); BEGIN IMMEDIATE; INSERT INTO visit VALUES ('first')");
    other_process("SELECT count(*) FROM visit", 0);
    other_process("INSERT INTO visit VALUES ('too early')", 0);
    run("COMMIT; BEGIN EXCLUSIVE; INSERT INTO visit VALUES ('second')");
    other_process("SELECT count(*) FROM visit", 0);
    run("COMMIT");
    other_process("INSERT INTO visit VALUES ('third')", 0);
    run("SELECT group_concat(who) FROM visit");
    run("PRAGMA integrity_check; DROP TABLE visit; VACUUM");
    sqlite3_close(database);
    unlink(FILE_NAME);
    database = memory;
}

int main(void)
{
    if (sqlite3_open(":memory:", &database) != SQLITE_OK)
        return 1;
    run("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, kind INTEGER)");
    run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO item SELECT i, 'item ' || i, (i * 7919 % 10007) / 100.0, i % 13 FROM n");
    run("SELECT count(*), round(sum(price), 2), min(price), max(price) FROM item");
    run("CREATE INDEX by_kind ON item (kind, price)");
    run("SELECT kind, count(*), round(avg(price), 3) FROM item GROUP BY kind ORDER BY kind LIMIT 5");
    run("EXPLAIN QUERY PLAN SELECT * FROM item WHERE kind = 3 AND price > 50");
    run("SELECT a.id, b.id FROM item a JOIN item b ON a.price = b.price AND a.id < b.id "
        "ORDER BY a.id, b.id LIMIT 4");
    run("BEGIN; DELETE FROM item WHERE id > 100; SELECT count(*) FROM item; ROLLBACK");
    run("SELECT count(*) FROM item");
    run("SELECT name FROM item WHERE name LIKE '%999%' ORDER BY id LIMIT 3");
    run("SELECT group_concat(upper(substr(name, 1, 4)), ',') FROM item WHERE id <= 3");
    run("INSERT INTO item VALUES (1, 'twice', 0, 0)");
    run("SELECT nothing FROM item");
    run("PRAGMA integrity_check");
    share_file("delete");
    share_file("wal");
    sqlite3_close(database);
    return 0;
}
