/* peer.c - a C service beside the Python one, on the same database and cache: test_shared_cache.py talks to it.
 *
 *   python_peer KEY=VALUE...     opens a client of this configuration, and does what the lines of its input say:
 *
 *   read ID SQL      with $1 = ID; answers who answered (cache, replica, primary, stale, local) and the first cell
 *   write ID SQL     with $1 = ID; answers how many rows it changed
 *   tag TAG          bumps it
 *   token            answers the session's
 *   advance TOKEN    takes one
 *
 * One session serves all lines. An answer is a line, "error ..." for what failed. */
#include <shopdata/shopdata.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static shopdata_client *client;
static shopdata_session *session;

static int answer_error(shopdata_error *error)
{
    printf("error %s\n", shopdata_error_message(error));
    shopdata_error_free(error);
    return -1;
}

typedef int run(shopdata_session *, shopdata_statement *, const shopdata_param *, size_t, shopdata_result **,
                shopdata_error **);

static shopdata_result *run_line(run *function, const char *line)
{
    char *sql;
    shopdata_param id = shopdata_int64(strtoll(line, &sql, 10));
    shopdata_error *error = NULL;
    shopdata_statement *statement = NULL;
    shopdata_result *result = NULL;
    int status = shopdata_statement_new(client, NULL, sql + 1, &statement, &error);
    if (status >= 0)
        status = function(session, statement, &id, shopdata_statement_parameters(statement), &result, &error);
    shopdata_statement_free(statement);
    if (status < 0)
        answer_error(error);
    return result;
}

static void read_line(const char *line)
{
    static const char *const sources[] = {"", "cache", "replica", "primary", "stale", "local"};
    shopdata_result *result = run_line(shopdata_query, line);
    const char *cell = NULL;
    if (!result)
        return;
    shopdata_result_text(result, 0, 0, &cell, NULL, NULL);
    printf("%s %s\n", sources[shopdata_result_source(result)], cell ? cell : "");
    shopdata_result_free(result);
}

static void write_line(const char *line)
{
    shopdata_result *result = run_line(shopdata_execute, line);
    if (result)
        printf("%llu\n", (unsigned long long)shopdata_result_changed(result));
    shopdata_result_free(result);
}

static void tag_line(const char *tag)
{
    shopdata_error *error = NULL;
    if (shopdata_invalidate(client, &tag, 1, &error) < 0)
        answer_error(error);
    else
        puts("ok");
}

static void token_line(const char *unused)
{
    const char *token = "";
    shopdata_error *error = NULL;
    (void)unused;
    if (shopdata_session_token(session, &token, &error) < 0)
        answer_error(error);
    else
        puts(token);
}

static void advance_line(const char *token)
{
    shopdata_error *error = NULL;
    if (shopdata_session_advance(session, token, &error) < 0)
        answer_error(error);
    else
        puts("ok");
}

static void obey(char *line)
{
    static const struct {
        const char *word;
        void (*does)(const char *rest);
    } verbs[] = {{"read ", read_line},
                 {"write ", write_line},
                 {"tag ", tag_line},
                 {"token", token_line},
                 {"advance ", advance_line}};
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strncmp(line, verbs[i].word, strlen(verbs[i].word)) == 0) {
            verbs[i].does(line + strlen(verbs[i].word));
            return;
        }
    printf("error no such verb: %s\n", line);
}

static int open_from(int count, char **keys)
{
    shopdata_error *error = NULL;
    shopdata_config *config = NULL;
    int status = shopdata_config_new(&config, &error);
    for (int i = 1; i < count && status >= 0; i++) {
        char *value = strchr(keys[i], '=');
        *value = '\0';
        status = shopdata_config_set(config, keys[i], value + 1, &error);
    }
    if (status >= 0)
        status = shopdata_open(config, &client, &error);
    if (status >= 0)
        status = shopdata_session_new(client, &session, &error);
    shopdata_config_free(config);
    return status < 0 ? answer_error(error) : 0;
}

int main(int count, char **keys)
{
    static char line[8192];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (open_from(count, keys) < 0)
        return EXIT_FAILURE;
    while (fgets(line, sizeof line, stdin))
        obey(line);
    shopdata_session_free(session);
    shopdata_close(client);
    return EXIT_SUCCESS;
}
