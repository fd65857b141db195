/* check.h - the parts of `shopdata check`. */
#ifndef SDI_TOOL_CHECK_H
#define SDI_TOOL_CHECK_H

#include "model/metrics.h"
#include "model/settings.h"
#include "postgres/moment.h"
#include "tool/report.h"

/* A node that was asked; kept until all are, to be held against each other. */
typedef struct sdi_checked_node {
    const sdi_node_settings *settings;
    sdi_pg_connection *connection; /* NULL: it cannot be reached */
    bool placed;                   /* `moment` is known */
    sdi_moment moment;
} sdi_checked_node;

/* sdi_check_node connects to a node and tells what it is and what it lacks. */
void sdi_check_node(const sdi_settings *settings, const sdi_node_settings *node, sdi_checked_node *checked,
                    sdi_report *report);
/* sdi_check_server tells of the server's settings and the role's rights. */
void sdi_check_server(const sdi_settings *settings, const sdi_checked_node *node, sdi_report *report);
/* sdi_check_fleet holds the nodes against each other: one primary, one database, how far the replicas lag. */
void sdi_check_fleet(const sdi_settings *settings, sdi_checked_node *nodes, size_t count, sdi_report *report);
/* sdi_check_cache tells of the cache; it writes a fence there, under a key of its own, and removes it. */
void sdi_check_cache(const sdi_settings *settings, sdi_report *report);
/* sdi_check_local tells whether processes can hear of writes, as what they keep themselves needs. */
void sdi_check_local(const sdi_settings *settings, sdi_metrics *metrics, sdi_report *report);
/* sdi_check_redis, sdi_check_memcached: what the server says of itself. */
void sdi_check_redis(const sdi_cache_settings *settings, sdi_report *report);
void sdi_check_memcached(const sdi_cache_settings *settings, sdi_report *report);

/* sdi_check_ask runs one query; NULL if that failed. Free the result. */
shopdata_result *sdi_check_ask(const sdi_checked_node *node, const sdi_settings *settings, const char *sql,
                               shopdata_error **error_out);
/* sdi_check_cell is a cell as text, "" for NULL or where there is none. */
const char *sdi_check_cell(const shopdata_result *result, size_t row, size_t column);

#endif
