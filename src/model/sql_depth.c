/* The parser, and whoever walks its tree, recurses as deep as a statement nests: 20,000 plus signs overflow a stack of
 * 8 MiB. The scanner does not recurse, so the nesting is bounded from the tokens first. */
#include <pg_query.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/sql_facts.h"

/* One pair of brackets. `chain` is what nests for as long as the bracket lasts (joins, unions, CASE), `run` what nests
 * within the current item: a comma, AND, OR or WHEN begins another item beside it. */
typedef struct level {
    unsigned chain, run;
} level;

typedef struct nesting {
    level levels[SDI_SQL_DEPTH_MAX + 1];
    size_t innermost;
    unsigned depth;
} nesting;

static void open_bracket(nesting *n)
{
    n->depth++;
    n->levels[n->innermost].run++;
    if (n->innermost < SDI_SQL_DEPTH_MAX)
        n->levels[++n->innermost] = (level){0, 0};
}

static void close_bracket(nesting *n)
{
    level *closed = &n->levels[n->innermost];
    if (!n->innermost)
        return;
    n->depth -= closed->chain + closed->run;
    n->innermost--;
}

static void next_item(nesting *n)
{
    n->depth -= n->levels[n->innermost].run;
    n->levels[n->innermost].run = 0;
}

static void lengthen_chain(nesting *n)
{
    next_item(n);
    n->levels[n->innermost].chain++;
    n->depth++;
}

static void end_case(nesting *n)
{
    if (!n->levels[n->innermost].chain)
        return;
    n->levels[n->innermost].chain--;
    n->depth--;
}

static void take_token(nesting *n, PgQuery__Token token)
{
    switch ((int)token) {
    case '(':
    case '[':
        open_bracket(n);
        return;
    case ')':
    case ']':
        close_bracket(n);
        return;
    case ',':
    case ';':
    case PG_QUERY__TOKEN__AND:
    case PG_QUERY__TOKEN__OR:
    case PG_QUERY__TOKEN__WHEN:
        next_item(n);
        return;
    case PG_QUERY__TOKEN__CASE:
        n->levels[n->innermost].chain++;
        n->depth++;
        return;
    case PG_QUERY__TOKEN__END_P:
        end_case(n);
        return;
    case PG_QUERY__TOKEN__JOIN:
    case PG_QUERY__TOKEN__UNION:
    case PG_QUERY__TOKEN__INTERSECT:
    case PG_QUERY__TOKEN__EXCEPT:
        lengthen_chain(n);
        return;
    default:
        n->levels[n->innermost].run++;
        n->depth++;
    }
}

static bool too_deep(const PgQuery__ScanResult *scan, nesting *n)
{
    for (size_t i = 0; i < scan->n_tokens; i++) {
        take_token(n, scan->tokens[i]->token);
        if (n->depth > SDI_SQL_DEPTH_MAX)
            return true;
    }
    return false;
}

static int check_tokens(const PgQuery__ScanResult *scan, shopdata_error **error_out)
{
    nesting *n = sdi_calloc(1, sizeof *n);
    if (!n)
        return sdi_no_memory(error_out);
    bool deep = too_deep(scan, n);
    sdi_free(n);
    if (deep)
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED, "the statement nests deeper than %d levels: split it",
                        SDI_SQL_DEPTH_MAX);
    return SHOPDATA_OK;
}

int sdi_sql_depth_check(const char *text, shopdata_error **error_out)
{
    PgQueryScanResult scanned = pg_query_scan(text);
    int status = SHOPDATA_OK;
    if (!scanned.error) { /* what does not scan does not parse: the parser tells it better, and stops at once */
        PgQuery__ScanResult *scan =
            pg_query__scan_result__unpack(NULL, scanned.pbuf.len, (const uint8_t *)scanned.pbuf.data);
        status = scan ? check_tokens(scan, error_out) : sdi_no_memory(error_out);
        if (scan)
            pg_query__scan_result__free_unpacked(scan, NULL);
    }
    pg_query_free_scan_result(scanned);
    return status;
}
