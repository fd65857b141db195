#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "format.h"
#include "layout.h"
#include "visit.h"

/* A zero byte would end an argument: what stands behind it must not be lost in silence. */
static bool are_text(const struct evkeyvalq *arguments, const char *raw)
{
    const struct evkeyval *one;
    TAILQ_FOREACH(one, arguments, next)
    {
        if (!shop_is_text(one->key) || !shop_is_text(one->value))
            return false;
    }
    return !strstr(raw, "%00");
}

bool shop_request_begin(struct shop_request *request, struct evhttp_request *http, struct shop *shop)
{
    *request = (struct shop_request){.http = http, .shop = shop, .rest = ""};
    TAILQ_INIT(&request->query);
    TAILQ_INIT(&request->form);
    shop_visit_load(request);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
    const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
    size_t length = 0;
    request->path = evhttp_uridecode(path && *path ? path : "/", 0, &length);
    if (query)
        evhttp_parse_query_str(query, &request->query); /* one that cannot be read counts as none */
    request->is_text = are_text(&request->query, query ? query : "");
    return request->path && strlen(request->path) == length && shop_is_text(request->path);
}

void shop_request_end(struct shop_request *request)
{
    shop_batch_free(&request->batch);
    evhttp_clear_headers(&request->query);
    evhttp_clear_headers(&request->form);
    free(request->out.text);
    free(request->path);
}

const char *shop_argument(const struct shop_request *request, const char *name)
{
    return evhttp_find_header(&request->query, name);
}

char *shop_body(const struct shop_request *request)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request->http);
    size_t length = evbuffer_get_length(body);
    char *text = malloc(length + 1);
    if (!text)
        return NULL;
    evbuffer_copyout(body, text, length);
    text[length] = '\0';
    if (strlen(text) == length && shop_is_text(text))
        return text;
    free(text);
    return NULL;
}

/* Without a session cookie there is nothing to steal, but a page of another site could still make an editor's browser
 * post a form to us. Every browser of today says in Sec-Fetch-Site where a request comes from, older ones name the
 * page's Origin with a POST; what sends neither is no browser. A real shop adds a log-in, and a token in the form. */
bool shop_is_from_here(const struct shop_request *request)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(request->http);
    const char *site = evhttp_find_header(headers, "Sec-Fetch-Site");
    const char *origin = evhttp_find_header(headers, "Origin");
    const char *host = evhttp_find_header(headers, "Host");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return false;
    if (!origin)
        return true;
    const char *name = strstr(origin, "://");
    return name && host && !strcmp(name + 3, host);
}

static bool parse_form(struct shop_request *request)
{
    char *body = shop_body(request);
    bool good = body && (!*body || evhttp_parse_query_str(body, &request->form) == 0) && are_text(&request->form, body);
    free(body);
    return good;
}

bool shop_read_form(struct shop_request *request)
{
    if (!shop_is_from_here(request))
        shop_fail(request, 403, "This form was sent by a page of another site.");
    else if (!parse_form(request))
        shop_fail(request, HTTP_BADREQUEST, "The form must be UTF-8 text without zero bytes. Nothing was saved.");
    else
        return true;
    return false;
}

const char *shop_field(const struct shop_request *request, const char *name)
{
    const char *text = evhttp_find_header(&request->form, name);
    return text ? text : "";
}

void shop_header(struct shop_request *request, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(request->http), name, value);
}

/* evhttp would send the body of an answer to HEAD, and the client would take it for the next answer's beginning. */
static void keep_only_head(struct shop_request *request)
{
    char length[24];
    snprintf(length, sizeof length, "%zu", request->out.length);
    shop_header(request, "Content-Length", length);
    request->out.length = 0;
}

/* What a page may load: from here, and nothing from elsewhere. Scripts only where the page lives by one. */
#define POLICY(scripts)                                                                                                \
    "default-src 'self'; script-src " scripts "; object-src 'none'; base-uri 'none'; form-action 'self'; "             \
    "frame-ancestors 'none'"

void shop_reply(struct shop_request *request, int code, const char *type)
{
    const struct evkeyvalq *headers = evhttp_request_get_output_headers(request->http);
    if (request->out.failed) {
        evhttp_send_error(request->http, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    shop_header(request, "Content-Type", type);
    shop_header(request, "X-Content-Type-Options", "nosniff");
    shop_header(request, "Referrer-Policy", "same-origin"); /* a link to an order is a key to it */
    shop_header(request, "Cross-Origin-Opener-Policy", "same-origin");
    /* The cache that matters stands behind us and is never stale; one in front of us would be. */
    if (!evhttp_find_header(headers, "Cache-Control"))
        shop_header(request, "Cache-Control", "no-store");
    if (!strcmp(type, SHOP_HTML))
        shop_header(request, "Content-Security-Policy", request->has_script ? POLICY("'self'") : POLICY("'none'"));
    if (evhttp_request_get_command(request->http) == EVHTTP_REQ_HEAD)
        keep_only_head(request);
    if (request->out.length)
        evbuffer_add(evhttp_request_get_output_buffer(request->http), request->out.text, request->out.length);
    evhttp_send_reply(request->http, code, NULL, NULL);
}

void shop_redirect(struct shop_request *request, const char *address)
{
    shop_header(request, "Location", address);
    shop_reply(request, 303, SHOP_TEXT);
}

void shop_fail(struct shop_request *request, int code, const char *sentence)
{
    request->out.length = 0;
    if (request->is_json)
        shop_json(&request->out, "{\"error\":%s}\n", sentence);
    else
        shop_layout_error(request, code, sentence);
    shop_reply(request, code, request->is_json ? SHOP_JSON : SHOP_HTML);
}

static const char *database_sentence(int status)
{
    switch (status) {
    case SHOPDATA_ERR_AMBIGUOUS:
        return "The connection was lost while saving: the edit may stand or not. Look before you repeat it.";
    case SHOPDATA_ERR_TIMEOUT:
        return "The database took too long to answer. Please try again in a moment.";
    case SHOPDATA_ERR_BUSY:
        return "The shop is very busy. Please try again in a moment.";
    default:
        return "The shop cannot reach its database. Please try again in a moment.";
    }
}

void shop_fail_database(struct shop_request *request)
{
    int status = shopdata_error_status(request->batch.error);
    fprintf(stderr, "storefront: %s: %s: %s\n", request->path, shopdata_status_name(status),
            shopdata_error_message(request->batch.error));
    shop_header(request, "Retry-After", "1");
    shop_fail(request, HTTP_SERVUNAVAIL, database_sentence(status));
}
