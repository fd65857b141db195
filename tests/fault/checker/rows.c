#include "rows.h"

#include <stdio.h>
#include <string.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define FACTOR 1000003
#define STEP 7919
#define MODULUS 2147483647
#define SHORTEST 120
#define SPREAD 64

/* The payload is a column that the database computes, so that a statement says only what it raises. */
#define COLUMNS(more)                                                                                                  \
    "(id bigint PRIMARY KEY, " more                                                                                    \
    "version bigint NOT NULL, payload text GENERATED ALWAYS AS (rpad(((id * " TEXT(FACTOR) " + version * " TEXT(       \
        STEP) ") % " TEXT(MODULUS) ")::text, " TEXT(SHORTEST) " + (id % " TEXT(SPREAD) ")::int, 'x')) STORED);"

const char rows_schema[] =
    "DROP SCHEMA IF EXISTS freshness CASCADE; CREATE SCHEMA freshness; SET search_path = freshness;"
    "CREATE TABLE items " COLUMNS(
        "grp bigint NOT NULL, ") "CREATE INDEX ON items (grp);"
                                 "CREATE TABLE details " COLUMNS(
                                     "item_id bigint NOT NULL, ") "CREATE INDEX ON details (item_id);"
                                                                  "CREATE TABLE pairs " COLUMNS(
                                                                      "pair bigint NOT NULL, ") "CREATE INDEX ON pairs "
                                                                                                "(pair);"
                                                                                                "CREATE TABLE "
                                                                                                "comers " COLUMNS(
                                                                                                    "grp bigint NOT "
                                                                                                    "NULL, ") "CREATE "
                                                                                                              "INDEX "
                                                                                                              "ON "
                                                                                                              "comers "
                                                                                                              "(grp);"
                                                                                                              "CREATE "
                                                                                                              "TABLE "
                                                                                                              "turns "
                                                                                                              "(id "
                                                                                                              "bigint "
                                                                                                              "PRIMARY "
                                                                                                              "KEY, "
                                                                                                              "version "
                                                                                                              "bigint "
                                                                                                              "NOT "
                                                                                                              "NULL) "
                                                                                                              "WITH "
                                                                                                              "(fillfac"
                                                                                                              "tor = "
                                                                                                              "50);"
                                                                                                              "ALTER "
                                                                                                              "TABLE "
                                                                                                              "items "
                                                                                                              "SET "
                                                                                                              "(fillfac"
                                                                                                              "tor = "
                                                                                                              "50); "
                                                                                                              "ALTER "
                                                                                                              "TABLE "
                                                                                                              "details "
                                                                                                              "SET "
                                                                                                              "(fillfac"
                                                                                                              "tor = "
                                                                                                              "50);";

size_t row_payload(int64_t row, int64_t version, char *payload)
{
    size_t length = (size_t)(SHORTEST + row % SPREAD);
    int digits = snprintf(payload, PAYLOAD_MAX, "%lld", (long long)((row * FACTOR + version * STEP) % MODULUS));
    memset(payload + digits, 'x', length - (size_t)digits);
    return length;
}

bool row_intact(int64_t row, int64_t version, const char *payload, size_t length)
{
    char expected[PAYLOAD_MAX];
    return length == row_payload(row, version, expected) && memcmp(payload, expected, length) == 0;
}
