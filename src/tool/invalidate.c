#include <stdio.h>

#include "model/config.h"
#include "model/settings.h"
#include "tool/tool.h"

static const char help[] = "usage: shopdata invalidate CONFIG TAG...\n"
                           "Makes what is cached under tags be read anew, in every process that shares the cache: for\n"
                           "writes made past the library. `shopdata explain` shows the tags of a statement:\n"
                           "  public.products                 any change of the table\n"
                           "  public.products/product_id=42   one row\n"
                           "  anything else                   a tag of your own\n";

/* A cache inside a process is out of anybody else's reach. */
static int check_shared(const sdi_tool_command *command, const char *path)
{
    shopdata_config *config = NULL;
    sdi_settings *settings = NULL;
    shopdata_error *error = NULL;
    int status = sdi_config_new(&config, &error);
    if (status == SHOPDATA_OK)
        status = sdi_config_read_file(config, path, &error);
    if (status == SHOPDATA_OK)
        status = sdi_settings_make(config, &settings, &error);
    sdi_config_free(config);
    if (status != SHOPDATA_OK)
        return sdi_tool_failed(command, error);
    enum sdi_cache_kind kind = settings->cache.kind;
    sdi_settings_free(settings);
    if (kind != SDI_CACHE_NONE && kind != SDI_CACHE_MEMORY)
        return SDI_TOOL_GOOD;
    fprintf(stderr, "shopdata invalidate: %s: cache.kind is `%s`: there is no cache that processes share\n", path,
            kind == SDI_CACHE_NONE ? "none" : "memory");
    return SDI_TOOL_PROBLEM;
}

static int invalidate(const sdi_tool_command *command, const char *path, const char *const *tags, size_t count)
{
    shopdata_client *client = NULL;
    shopdata_error *error = NULL;
    int status = sdi_tool_open(path, &client, &error);
    if (status == SHOPDATA_OK)
        status = shopdata_invalidate(client, tags, count, &error);
    shopdata_close(client);
    if (status < SHOPDATA_OK)
        return sdi_tool_failed(command, error);
    if (status == SHOPDATA_UNFENCED) {
        fputs("shopdata invalidate: the cache could not be told; nothing was invalidated for sure: try again\n",
              stderr);
        return SDI_TOOL_PROBLEM;
    }
    printf("%zu tag%s bumped\n", count, count == 1 ? "" : "s");
    return SDI_TOOL_GOOD;
}

static int run(const sdi_tool_command *command, int count, char **arguments)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int status = SDI_TOOL_GOOD;
    if (sdi_tool_option(command, count, arguments, options, &status) == 0)
        return status;
    if (count - optind < 2)
        return sdi_tool_misused(command, "%s is missing", count == optind ? "CONFIG" : "TAG");
    const char *path = arguments[optind];
    status = check_shared(command, path);
    if (status != SDI_TOOL_GOOD)
        return status;
    return invalidate(command, path, (const char *const *)arguments + optind + 1, (size_t)(count - optind - 1));
}

const sdi_tool_command sdi_tool_invalidate = {"invalidate", help, run};
