#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "tool/tool.h"

static const char help[] = "usage: shopdata explain [--policy NAME] [--tag TAG]... CONFIG SQL\n"
                           "       shopdata explain [--policy NAME] [--tag TAG]... --file FILE CONFIG\n"
                           "Tells whether a statement's answers are cached, and why not, which tags they hang on, or\n"
                           "which tags a write bumps. Asks the database for its tables' keys; runs nothing.\n"
                           "  SQL            one statement; - reads it from standard input\n"
                           "  --file FILE    read the statement from a file\n"
                           "  --policy NAME  under this policy of the configuration (default: default)\n"
                           "  --tag TAG      declare a tag of your own, as shopdata_statement_add_tag does\n";

enum { TAGS_MAX = 64, SQL_MAX = 1 << 20 };

typedef struct request {
    const char *config, *sql, *file, *policy;
    const char *tags[TAGS_MAX];
    size_t tag_count;
    char *read; /* what was read of a file */
} request;

static int take_positions(const sdi_tool_command *command, int count, char **arguments, request *r)
{
    int wanted = r->file ? 1 : 2;
    if (count - optind < wanted)
        return sdi_tool_misused(command, "%s is missing", count == optind ? "CONFIG" : "SQL");
    if (count - optind > wanted)
        return sdi_tool_misused(command, "one statement at a time, as one argument: put it into quotes");
    r->config = arguments[optind];
    r->sql = r->file ? NULL : arguments[optind + 1];
    if (r->sql && !strcmp(r->sql, "-"))
        r->file = "-";
    return SDI_TOOL_GOOD;
}

/* -1 once all is read; else what the command returns. */
static int take_options(const sdi_tool_command *command, int count, char **arguments, request *r)
{
    static const struct option options[] = {{"file", required_argument, NULL, 'f'},
                                            {"policy", required_argument, NULL, 'p'},
                                            {"tag", required_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option, status;
    while ((option = sdi_tool_option(command, count, arguments, options, &status)) > 0) {
        if (option == 'f')
            r->file = optarg;
        else if (option == 'p')
            r->policy = optarg;
        else if (r->tag_count < TAGS_MAX)
            r->tags[r->tag_count++] = optarg;
        else
            return sdi_tool_misused(command, "more than %d tags", TAGS_MAX);
    }
    return option == 0 ? status : -1;
}

static int read_sql(const sdi_tool_command *command, request *r)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    char piece[4096];
    size_t got;
    if (!r->file)
        return SDI_TOOL_GOOD;
    FILE *file = strcmp(r->file, "-") ? fopen(r->file, "r") : stdin;
    if (!file)
        return sdi_tool_misused(command, "%s: %s", r->file, strerror(errno));
    while (text.length <= SQL_MAX && (got = fread(piece, 1, sizeof piece, file)) > 0)
        sdi_buffer_append(&text, piece, got);
    int bad = ferror(file) || text.length > SQL_MAX || memchr(text.data ? text.data : "", 0, text.length);
    if (file != stdin)
        fclose(file);
    r->sql = r->read = sdi_buffer_take(&text);
    if (bad || !r->sql)
        return sdi_tool_misused(command, "%s: not a statement of at most 1 MiB of text", r->file);
    return SDI_TOOL_GOOD;
}

static int explain(const request *r, shopdata_client *client, shopdata_error **error_out)
{
    shopdata_statement *statement = NULL;
    const char *text;
    int status = shopdata_statement_new(client, r->policy, r->sql, &statement, error_out);
    for (size_t i = 0; i < r->tag_count && status == SHOPDATA_OK; i++)
        status = shopdata_statement_add_tag(statement, r->tags[i], error_out);
    if (status == SHOPDATA_OK)
        status = shopdata_statement_explain(statement, &text, error_out);
    if (status == SHOPDATA_OK)
        printf("%s%s", text, *text && text[strlen(text) - 1] == '\n' ? "" : "\n");
    shopdata_statement_free(statement);
    return status;
}

static int run_request(const sdi_tool_command *command, const request *r)
{
    shopdata_client *client = NULL;
    shopdata_error *error = NULL;
    int status = sdi_tool_open(r->config, &client, &error);
    if (status == SHOPDATA_OK)
        status = explain(r, client, &error);
    shopdata_close(client);
    return status == SHOPDATA_OK ? SDI_TOOL_GOOD : sdi_tool_failed(command, error);
}

static int run(const sdi_tool_command *command, int count, char **arguments)
{
    request r = {0};
    int status = take_options(command, count, arguments, &r);
    if (status >= 0)
        return status;
    status = take_positions(command, count, arguments, &r);
    if (status == SDI_TOOL_GOOD)
        status = read_sql(command, &r);
    if (status == SDI_TOOL_GOOD)
        status = run_request(command, &r);
    sdi_free(r.read);
    return status;
}

const sdi_tool_command sdi_tool_explain = {"explain", help, run};
