#include "api/guard.h"

int shopdata_statement_new(shopdata_client *client, const char *policy, const char *sql,
                           shopdata_statement **statement_out, shopdata_error **error_out)
{
    int status = sdi_client_check(client, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_wanted(sql, "sql", error_out);
    status = status ? status : sdi_wanted(statement_out, "statement_out", error_out);
    status = status ? status : sdi_statement_new(client, policy, sql, statement_out, error_out);
    return sdi_counted_status(client, status);
}

int shopdata_statement_add_tag(shopdata_statement *statement, const char *tag_template, shopdata_error **error_out)
{
    int status = sdi_wanted(statement, "statement", error_out);
    status = status ? status : sdi_wanted(tag_template, "tag_template", error_out);
    return status ? status : sdi_statement_add_tag(statement, tag_template, error_out);
}

int shopdata_statement_explain(shopdata_statement *statement, const char **text_out, shopdata_error **error_out)
{
    int status = sdi_wanted(statement, "statement", error_out);
    status = status ? status : sdi_wanted(text_out, "text_out", error_out);
    status = status ? status : sdi_client_check(statement->client, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_statement_explain(statement, text_out, error_out);
    sdi_client_deliver(statement->client);
    return status;
}

int shopdata_statement_is_read(const shopdata_statement *statement)
{
    return statement && sdi_statement_is_read(statement);
}

size_t shopdata_statement_parameters(const shopdata_statement *statement)
{
    return statement ? sdi_statement_parameters(statement) : 0;
}

void shopdata_statement_free(shopdata_statement *statement)
{
    sdi_statement_free(statement);
}

int shopdata_query(shopdata_session *session, shopdata_statement *statement, const shopdata_param *params, size_t count,
                   shopdata_result **result_out, shopdata_error **error_out)
{
    shopdata_call call = {.statement = statement, .params = params, .count = count};
    return shopdata_query_many(session, &call, 1, result_out, error_out);
}

int shopdata_query_many(shopdata_session *session, const shopdata_call *calls, size_t count,
                        shopdata_result **results_out, shopdata_error **error_out)
{
    int status = sdi_session_begin(session, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = count ? sdi_wanted(results_out, "result_out", error_out) : SHOPDATA_OK;
    status = status ? status : sdi_check_calls(calls, count, error_out);
    if (status == SHOPDATA_OK && count)
        status = sdi_read_many(session, calls, count, results_out, error_out);
    return sdi_session_end(session, status, error_out);
}

int shopdata_peek(shopdata_session *session, shopdata_statement *statement, const shopdata_param *params, size_t count,
                  shopdata_result **result_out, shopdata_error **error_out)
{
    shopdata_call call = {.statement = statement, .params = params, .count = count};
    int status = sdi_session_check(session, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_wanted(result_out, "result_out", error_out);
    status = status ? status : sdi_check_calls(&call, 1, error_out);
    status = status ? status : sdi_peek(session, &call, result_out, error_out);
    return sdi_counted_status(session->client, status);
}

int shopdata_execute(shopdata_session *session, shopdata_statement *statement, const shopdata_param *params,
                     size_t count, shopdata_result **result_out, shopdata_error **error_out)
{
    int status = sdi_session_begin(session, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = sdi_write(session, statement, params, count, result_out, error_out);
    return sdi_session_end(session, status, error_out);
}

static int check_tags(const char *const *tags, size_t count, shopdata_error **error_out)
{
    int status = count ? sdi_wanted(tags, "tags", error_out) : SHOPDATA_OK;
    for (size_t i = 0; i < count && status == SHOPDATA_OK; i++)
        if (!tags[i] || !*tags[i])
            status = sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "tag %zu is %s; name it as explain shows it", i,
                              tags[i] ? "empty" : "NULL");
    return status;
}

int shopdata_invalidate(shopdata_client *client, const char *const *tags, size_t count, shopdata_error **error_out)
{
    int status = sdi_client_check(client, error_out);
    if (status != SHOPDATA_OK)
        return status;
    status = check_tags(tags, count, error_out);
    return sdi_counted_status(client, status ? status : sdi_invalidate(client, tags, count, error_out));
}
