#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tool/frame.h"
#include "tool/screen.h"
#include "tool/tool.h"

static const char help[] =
    "usage: shopdata top [--interval SECONDS] [--once] ADDRESS\n"
    "Shows what a running process does: reads by who answered, latencies, hit ratios of each\n"
    "policy, nodes, the cache. The process must serve shopdata_metrics_prometheus over HTTP.\n"
    "  ADDRESS             its URL, or HOST:PORT for http://HOST:PORT/metrics\n"
    "  --interval SECONDS  how often to look, 0.1 to 3600 (default 2); rates are over this time\n"
    "  --once              one page of plain text, after one interval, and end\n"
    "q ends it.\n";

typedef struct request {
    const char *address;
    int64_t interval_ms;
    bool once;
    char *url;
} request;

static bool read_seconds(const char *text, int64_t *ms)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds >= 0.1 && seconds <= 3600))
        return false;
    *ms = (int64_t)(seconds * 1000);
    return true;
}

/* -1 once all is read; else what the command returns. */
static int take_options(const sdi_tool_command *command, int count, char **arguments, request *r)
{
    static const struct option options[] = {{"interval", required_argument, NULL, 'i'},
                                            {"once", no_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option, status;
    while ((option = sdi_tool_option(command, count, arguments, options, &status)) > 0) {
        if (option == 'o')
            r->once = true;
        else if (!read_seconds(optarg, &r->interval_ms))
            return sdi_tool_misused(command, "--interval %s: seconds from 0.1 to 3600 are wanted", optarg);
    }
    if (option == 0)
        return status;
    if (count - optind != 1)
        return sdi_tool_misused(command, count == optind ? "ADDRESS is missing" : "one ADDRESS at a time");
    r->address = arguments[optind];
    return -1;
}

static char *url_of(const char *address)
{
    sdi_buffer url = SDI_BUFFER_INIT;
    if (strstr(address, "://"))
        sdi_buffer_text(&url, address);
    else
        sdi_buffer_printf(&url, "http://%s%s", address, strchr(address, '/') ? "" : "/metrics");
    return sdi_buffer_take(&url);
}

static void put_head(const request *r, const sdi_scrape *scrape, sdi_buffer *page)
{
    char clock[16], version[32] = "";
    size_t at = 0;
    time_t now = time(NULL);
    struct tm parts;
    strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&now, &parts));
    sdi_scrape_label(scrape, "shopdata_build_info", "version", &at, version, sizeof version);
    sdi_buffer_printf(page, "shopdata %s   %s   every %g s   %s\n", version, r->url, (double)r->interval_ms / 1000,
                      clock);
}

/* The page of two scrapes; `trouble`: why there is no newer one. */
static void show(const request *r, const sdi_scrape *before, const sdi_scrape *now, const char *trouble)
{
    sdi_buffer page = SDI_BUFFER_INIT;
    put_head(r, now, &page);
    if (trouble)
        sdi_buffer_printf(&page, "NO ANSWER: %s; trying again\n", trouble);
    if (before->text && now->text)
        sdi_frame_write(before, now, &page);
    if (page.data && !page.failed)
        sdi_screen_show(page.data);
    sdi_buffer_free(&page);
}

static int look(const request *r, sdi_scrape *scrape, shopdata_error **error_out)
{
    int64_t timeout_ms = r->interval_ms < 1000 ? 1000 : r->interval_ms;
    return sdi_scrape_fetch(r->url, timeout_ms, scrape, error_out);
}

static int look_once(const sdi_tool_command *command, const request *r)
{
    sdi_scrape before = {0}, now = {0};
    shopdata_error *error = NULL;
    int status = look(r, &before, &error);
    if (status == SHOPDATA_OK) {
        sdi_sleep(r->interval_ms * 1000);
        status = look(r, &now, &error);
    }
    if (status == SHOPDATA_OK)
        show(r, &before, &now, NULL);
    sdi_scrape_free(&before);
    sdi_scrape_free(&now);
    return status == SHOPDATA_OK ? SDI_TOOL_GOOD : sdi_tool_failed(command, error);
}

/* A process that goes away is asked again until it is back: who watches wants to see that. */
static void watch(const request *r)
{
    sdi_scrape before = {0}, now = {0};
    do {
        sdi_scrape fresh = {0};
        shopdata_error *error = NULL;
        if (look(r, &fresh, &error) == SHOPDATA_OK) {
            sdi_scrape_free(&before);
            before = now;
            now = fresh;
        }
        show(r, &before, &now, error ? shopdata_error_message(error) : NULL);
        shopdata_error_free(error);
    } while (sdi_screen_wait(before.text ? r->interval_ms : 200)); /* the first rates shall not take so long */
    sdi_scrape_free(&before);
    sdi_scrape_free(&now);
}

/* The first look is before the screen is taken over: an address that is wrong is told as any other command does. */
static int run_request(const sdi_tool_command *command, const request *r)
{
    sdi_scrape first = {0};
    shopdata_error *error = NULL;
    if (r->once)
        return look_once(command, r);
    if (look(r, &first, &error) != SHOPDATA_OK)
        return sdi_tool_failed(command, error);
    sdi_scrape_free(&first);
    sdi_screen_open();
    watch(r);
    sdi_screen_close();
    return SDI_TOOL_GOOD;
}

static int run(const sdi_tool_command *command, int count, char **arguments)
{
    request r = {.interval_ms = 2000};
    int status = take_options(command, count, arguments, &r);
    if (status >= 0)
        return status;
    r.url = url_of(r.address);
    if (!r.url || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        status = SDI_TOOL_PROBLEM;
    else
        status = run_request(command, &r);
    curl_global_cleanup();
    sdi_free(r.url);
    return status;
}

const sdi_tool_command sdi_tool_top = {"top", help, run};
