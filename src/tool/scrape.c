#include "tool/scrape.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

enum { ANSWER_MAX = 16 << 20, LABEL_MAX = 256 };

/* --------------------------------------------------------------------------------------------------------- parsing */

/* One line, `name{labels} value` or `name value`; both end in zero bytes then. False if it is none. */
static bool parse_line(char *line, sdi_sample *sample)
{
    char *brace = strchr(line, '{'), *end = brace ? strrchr(brace, '}') : strchr(line, ' ');
    if (!end || !*line)
        return false;
    sample->name = line;
    sample->labels = brace ? brace + 1 : "";
    if (brace)
        *brace = '\0';
    *end = '\0';
    char *number = end + 1, *rest;
    sample->value = strtod(number, &rest);
    return rest != number;
}

static size_t count_lines(const char *text)
{
    size_t count = 1;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void parse_lines(sdi_scrape *scrape)
{
    char *rest = scrape->text, *line;
    while ((line = strsep(&rest, "\n")))
        if (*line != '#' && parse_line(line, &scrape->samples[scrape->count]))
            scrape->count++;
}

int sdi_scrape_parse(char *text, sdi_scrape *scrape_out, shopdata_error **error_out)
{
    sdi_scrape scrape = {.text = text, .taken_at = sdi_now()};
    scrape.samples = text ? sdi_calloc(count_lines(text), sizeof *scrape.samples) : NULL;
    if (!scrape.samples) {
        sdi_scrape_free(&scrape);
        return sdi_no_memory(error_out);
    }
    parse_lines(&scrape);
    size_t at = 0;
    char node[32];
    if (!sdi_scrape_label(&scrape, "shopdata_node_role", "node", &at, node, sizeof node)) {
        sdi_scrape_free(&scrape);
        return sdi_fail(error_out, SHOPDATA_ERR_TYPE, "the answer has no metrics of libshopdata");
    }
    *scrape_out = scrape;
    return SHOPDATA_OK;
}

void sdi_scrape_free(sdi_scrape *scrape)
{
    sdi_free(scrape->text);
    sdi_free(scrape->samples);
    *scrape = (sdi_scrape){0};
}

static bool is_of(const sdi_sample *sample, const char *name, const char *label)
{
    return !strcmp(sample->name, name) && (!label || strstr(sample->labels, label));
}

double sdi_scrape_sum(const sdi_scrape *scrape, const char *name, const char *label)
{
    double sum = 0;
    for (size_t i = 0; i < scrape->count; i++)
        if (is_of(&scrape->samples[i], name, label))
            sum += scrape->samples[i].value;
    return sum;
}

double sdi_scrape_most(const sdi_scrape *scrape, const char *name, const char *label)
{
    double most = 0;
    for (size_t i = 0; i < scrape->count; i++)
        if (is_of(&scrape->samples[i], name, label) && scrape->samples[i].value > most)
            most = scrape->samples[i].value;
    return most;
}

static bool read_label(const char *labels, const char *label, char *value, size_t size)
{
    size_t length = strlen(label), put = 0;
    const char *at = labels;
    while ((at = strstr(at, label)) && (at[length] != '=' || (at > labels && at[-1] != ',')))
        at += length;
    if (!at)
        return false;
    for (at += length + 2; *at && *at != '"' && put + 1 < size; at++)
        value[put++] = *at;
    value[put] = '\0';
    return true;
}

/* Did a sample before this one have the same value? */
static bool came_before(const sdi_scrape *scrape, size_t at, const char *label, const char *value)
{
    char earlier[LABEL_MAX];
    for (size_t i = 0; i < at; i++)
        if (!strcmp(scrape->samples[i].name, scrape->samples[at].name) &&
            read_label(scrape->samples[i].labels, label, earlier, sizeof earlier) && !strcmp(earlier, value))
            return true;
    return false;
}

bool sdi_scrape_label(const sdi_scrape *scrape, const char *name, const char *label, size_t *at, char *value,
                      size_t size)
{
    while (*at < scrape->count) {
        size_t i = (*at)++;
        if (!strcmp(scrape->samples[i].name, name) && read_label(scrape->samples[i].labels, label, value, size) &&
            !came_before(scrape, i, label, value))
            return true;
    }
    return false;
}

/* -------------------------------------------------------------------------------------------------------- fetching */

static size_t take(char *bytes, size_t one, size_t count, void *context)
{
    sdi_buffer *body = context;
    sdi_buffer_append(body, bytes, one * count);
    return body->failed || body->length > ANSWER_MAX ? 0 : one * count;
}

static CURL *prepare(const char *url, int64_t timeout_ms, char *trouble, sdi_buffer *body)
{
    CURL *request = curl_easy_init();
    if (!request)
        return NULL;
    curl_easy_setopt(request, CURLOPT_URL, url);
    curl_easy_setopt(request, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(request, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(request, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(request, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(request, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(request, CURLOPT_ERRORBUFFER, trouble);
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(request, CURLOPT_WRITEDATA, body);
    return request;
}

int sdi_scrape_fetch(const char *url, int64_t timeout_ms, sdi_scrape *scrape_out, shopdata_error **error_out)
{
    char trouble[CURL_ERROR_SIZE] = "";
    sdi_buffer body = SDI_BUFFER_INIT;
    CURL *request = prepare(url, timeout_ms, trouble, &body);
    if (!request)
        return sdi_no_memory(error_out);
    CURLcode outcome = curl_easy_perform(request);
    curl_easy_cleanup(request);
    if (outcome == CURLE_OK)
        return sdi_scrape_parse(sdi_buffer_take(&body), scrape_out, error_out);
    sdi_buffer_free(&body);
    return sdi_fail(error_out, SHOPDATA_ERR_UNAVAILABLE, "%s", *trouble ? trouble : curl_easy_strerror(outcome));
}
