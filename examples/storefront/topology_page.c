/* topology_page.c - where the data comes from, drawn and live. One walk over the page writes it as HTML, and the same
 * walk its values alone as JSON, by which the script keeps the HTML up to date. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "demo_page.h"
#include "format.h"
#include "layout.h"
#include "lookup.h"
#include "pages.h"
#include "visit.h"

enum { TEXT_SIZE = 64, CHART_WIDTH = 600, CHART_HEIGHT = 100 };

struct walk {
    struct shop_request *request;
    struct shop_output *out;
    bool is_json;
    bool is_begun; /* JSON: there is a value already */
    size_t count;  /* of moments; the last is now */
    const struct shop_topology *now;
    const struct shop_topology *before; /* a second ago; the same as now in the first */
    struct shop_topology moments[SHOP_PULSE_SECONDS + 1];
};

/* What only the HTML has. */
static void markup(struct walk *walk, const char *text)
{
    if (!walk->is_json)
        shop_put(walk->out, text);
}

static void value(struct walk *walk, const char *id, const char *part, const char *attribute, const char *text)
{
    char name[3 * TEXT_SIZE];
    snprintf(name, sizeof name, "%s%s%s%s%s", id, *part ? "-" : "", part, *attribute ? "@" : "", attribute);
    shop_json(walk->out, walk->is_begun ? ",\n%s:%s" : "%s:%s", name, text);
    walk->is_begun = true;
}

static void live_text(struct walk *walk, const char *id, const char *part, const char *format, va_list arguments)
{
    char text[TEXT_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    if (walk->is_json)
        value(walk, id, part, "", text);
    else
        shop_html(walk->out, "<span id=\"%s-%s\">%s</span>", id, part, text);
}

#define LIKE_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* A text that lives. Its element's id is "ID-PART". */
LIKE_PRINTF(4, 5)
static void live(struct walk *walk, const char *id, const char *part, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    live_text(walk, id, part, format, arguments);
    va_end(arguments);
}

/* The same as a row of a list: what it is, and its value. */
LIKE_PRINTF(5, 6)
static void row(struct walk *walk, const char *name, const char *id, const char *part, const char *format, ...)
{
    va_list arguments;
    if (!walk->is_json)
        shop_html(walk->out, "<dt>%s</dt><dd>", name);
    va_start(arguments, format);
    live_text(walk, id, part, format, arguments);
    va_end(arguments);
    markup(walk, "</dd>");
}

/* An attribute that lives, inside of a tag. */
static void live_attribute(struct walk *walk, const char *id, const char *attribute, const char *text)
{
    if (walk->is_json)
        value(walk, id, "", attribute, text);
    else
        shop_html(walk->out, " %s=\"%s\"", attribute, text);
}

static double share(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static double since(const struct walk *walk, size_t field)
{
    return *(const double *)((const char *)walk->now + field) - *(const double *)((const char *)walk->before + field);
}

#define SINCE(walk, field) since(walk, offsetof(struct shop_topology, field))

static double reads_now(const struct walk *walk)
{
    return shop_topology_reads(walk->now) - shop_topology_reads(walk->before);
}

static const char *breaker_name(double state)
{
    return state == 2 ? "open" : state == 1 ? "half open" : "closed";
}

static void begin_box(struct walk *walk, const char *id, const char *title, const char *state)
{
    if (!walk->is_json)
        shop_html(walk->out, "<section class=\"box\" id=\"%s\"", id);
    live_attribute(walk, id, "data-state", state);
    if (!walk->is_json)
        shop_html(walk->out, "><h2>%s</h2><p class=\"lead\">", title);
}

static void end_box(struct walk *walk)
{
    markup(walk, "</dl></section>\n");
}

/* What flows from one box to the next. */
static void arrow(struct walk *walk, const char *id, double rate)
{
    markup(walk, "<p class=\"arrow\">");
    live(walk, id, "rate", "%.0f/s", rate);
    markup(walk, "</p>\n");
}

static void shop_box(struct walk *walk)
{
    double reads = reads_now(walk);
    begin_box(walk, "shop", "Shop", "good");
    live(walk, "shop", "reads", "%.0f reads/s", reads);
    markup(walk, "</p><dl>");
    row(walk, "Mean", "shop", "mean", "%.2f ms", reads > 0 ? 1000 * SINCE(walk, read_seconds) / reads : 0.0);
    row(walk, "Writes", "shop", "writes", "%.0f/s", SINCE(walk, writes));
    row(walk, "Joined", "shop", "joined", "%.0f/s", SINCE(walk, joined));
    end_box(walk);
}

static bool has_cache(const struct walk *walk)
{
    return walk->now->cache_kind[0] && strcmp(walk->now->cache_kind, "none") != 0;
}

static void cache_box(struct walk *walk)
{
    double hits = SINCE(walk, hits), errors = SINCE(walk, cache_errors);
    const char *state = walk->now->cache_breaker > 0 ? "bad" : errors > 0 ? "late" : "good";
    begin_box(walk, "cache", walk->now->cache_kind, state);
    live(walk, "cache", "ratio", "%.1f %% hits", share(hits, hits + SINCE(walk, misses)));
    markup(walk, "</p><dl>");
    row(walk, "Breaker", "cache", "breaker", "%s", breaker_name(walk->now->cache_breaker));
    row(walk, "Refused as too old", "cache", "refused", "%.0f/s", SINCE(walk, refused));
    row(walk, "Errors", "cache", "errors", "%.0f/s", errors);
    end_box(walk);
}

static const char *role_name(double role)
{
    return role == 2 ? "primary" : role == 1 ? "replica" : "unknown";
}

/* A node of which the metrics of a second ago knew nothing ran nothing. */
static double statements_since(const struct walk *walk, size_t node)
{
    return node < walk->before->node_count ? walk->now->nodes[node].statements - walk->before->nodes[node].statements
                                           : 0;
}

static double node_share(const struct walk *walk, size_t node)
{
    double all = 0;
    for (size_t i = 0; i < walk->now->node_count; i++)
        all += statements_since(walk, i);
    return share(statements_since(walk, node), all);
}

static void node_bar(struct walk *walk, const char *name, double percent)
{
    char id[SHOP_NODE_NAME_SIZE + 8], width[TEXT_SIZE];
    snprintf(id, sizeof id, "%s-bar", name);
    snprintf(width, sizeof width, "%.1f", percent);
    if (!walk->is_json)
        shop_html(walk->out,
                  "<svg class=\"bar\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
                  "<rect height=\"4\" id=\"%s\"",
                  id);
    live_attribute(walk, id, "width", width);
    markup(walk, "/></svg>");
}

static void node_rows(struct walk *walk, const struct shop_node *node)
{
    row(walk, "Lag", node->name, "lag", "%.0f ms, %.0f B", 1000 * node->lag_seconds, node->lag_bytes);
    row(walk, "Breaker", node->name, "breaker", "%s", breaker_name(node->breaker));
    row(walk, "Connections", node->name, "connections", "%.0f, %.0f busy", node->connections, node->busy);
}

static void node_box(struct walk *walk, size_t number)
{
    const struct shop_node *node = &walk->now->nodes[number];
    double percent = node_share(walk, number);
    const char *state = node->breaker > 0 || node->role == 0 ? "bad" : node->lag_bytes > 0 ? "late" : "good";
    if (!walk->is_json)
        shop_html(walk->out, "<section class=\"box node\" id=\"%s\"", node->name);
    live_attribute(walk, node->name, "data-state", state);
    live_attribute(walk, node->name, "data-role", role_name(node->role));
    if (!walk->is_json)
        shop_html(walk->out, "><h2>%s</h2><p class=\"lead\">", node->name);
    live(walk, node->name, "role", "%s", role_name(node->role));
    markup(walk, ", ");
    live(walk, node->name, "share", "%.0f %% of statements", percent);
    markup(walk, "</p>");
    node_bar(walk, node->name, percent);
    markup(walk, "<dl>");
    node_rows(walk, node);
    end_box(walk);
}

static void house(struct walk *walk)
{
    markup(walk, "<div class=\"house\"><section class=\"box\" id=\"browser\" data-state=\"good\"><h2>Browser</h2>"
                 "<p class=\"lead\">you</p></section>\n");
    arrow(walk, "ask", reads_now(walk));
    shop_box(walk);
    if (has_cache(walk)) {
        arrow(walk, "look", SINCE(walk, hits) + SINCE(walk, misses));
        cache_box(walk);
    }
    arrow(walk, "database", SINCE(walk, from_replica) + SINCE(walk, from_primary));
    markup(walk, "<div class=\"nodes\">\n");
    for (size_t i = 0; i < walk->now->node_count; i++)
        node_box(walk, i);
    markup(walk, "<p class=\"wal\"><span>write-ahead log</span></p></div></div>\n");
}

/* What each source had answered at a moment, the sources below it added. */
static double stacked(const struct shop_topology *moment, int source)
{
    return moment->from_primary + (source > 0 ? moment->from_replica : 0) + (source > 1 ? moment->from_cache : 0);
}

static double highest(const struct walk *walk)
{
    double most = 1;
    for (size_t i = 1; i < walk->count; i++) {
        double reads = shop_topology_reads(&walk->moments[i]) - shop_topology_reads(&walk->moments[i - 1]);
        most = reads > most ? reads : most;
    }
    return most;
}

/* The area under one source's line: now is at the right. */
static void area(struct walk *walk, const char *id, int source, double most)
{
    char path[32 * (SHOP_PULSE_SECONDS + 3)];
    size_t length = 0, seconds = walk->count > 0 ? walk->count - 1 : 0;
    double step = (double)CHART_WIDTH / (SHOP_PULSE_SECONDS - 1), left = CHART_WIDTH - step * ((double)seconds - 1);
    length += (size_t)snprintf(path, sizeof path, "M%.1f %d", seconds ? left : CHART_WIDTH, CHART_HEIGHT);
    for (size_t i = 1; i <= seconds; i++)
        length += (size_t)snprintf(
            path + length, sizeof path - length, "L%.1f %.1f", left + step * (double)(i - 1),
            CHART_HEIGHT -
                CHART_HEIGHT * (stacked(&walk->moments[i], source) - stacked(&walk->moments[i - 1], source)) / most);
    snprintf(path + length, sizeof path - length, "L%d %dZ", CHART_WIDTH, CHART_HEIGHT);
    if (!walk->is_json)
        shop_html(walk->out, "<path id=\"%s\" class=\"%s\"", id, id);
    live_attribute(walk, id, "d", path);
    markup(walk, "/>");
}

static void legend(struct walk *walk, const char *id, const char *name, double rate)
{
    if (!walk->is_json)
        shop_html(walk->out, "<li class=\"%s\">%s ", id, name);
    live(walk, id, "percent", "%.1f %%", share(rate, reads_now(walk)));
    markup(walk, "</li>");
}

static void chart(struct walk *walk)
{
    static const char *const ids[] = {"by-primary", "by-replica", "by-cache"};
    double most = highest(walk);
    markup(walk, "<section class=\"chart\"><h2>Who answered in the last minute</h2><ul>");
    legend(walk, ids[2], "cache", SINCE(walk, from_cache));
    legend(walk, ids[1], "replicas", SINCE(walk, from_replica));
    legend(walk, ids[0], "primary", SINCE(walk, from_primary));
    markup(walk, "<li>highest ");
    live(walk, "chart", "most", "%.0f/s", most);
    markup(walk, "</li></ul><svg viewBox=\"0 0 600 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    for (int source = 2; source >= 0; source--)
        area(walk, ids[source], source, most);
    markup(walk, "</svg></section>\n");
}

static void fences(struct walk *walk)
{
    markup(walk, "<section class=\"fences\"><h2>Fences</h2><dl>");
    row(walk, "Tags bumped by writes", "fences", "bumped", "%.0f", walk->now->bumped);
    row(walk, "Cached answers refused as too old", "fences", "refused", "%.0f", walk->now->refused);
    row(walk, "Reads sent to the primary, no replica being new enough", "fences", "primary", "%.0f",
        walk->now->waited_for);
    row(walk, "New fences placed", "fences", "sampled", "%.0f", walk->now->sampled);
    row(walk, "Writes that the cache could not be told", "fences", "unfenced", "%.0f", walk->now->unfenced);
    row(walk, "Tags that still wait to be told", "fences", "pending", "%.0f", walk->now->pending);
    row(walk, "Reads tried again", "fences", "retries", "%.0f", walk->now->retries);
    row(walk, "Failovers", "fences", "failovers", "%.0f", walk->now->failovers);
    markup(walk, "</dl></section>\n");
}

static bool begin_walk(struct walk *walk, struct shop_request *request, bool is_json)
{
    walk->request = request;
    walk->out = &request->out;
    walk->is_json = is_json;
    walk->is_begun = false;
    walk->count = shop_pulse_read(shop_pulse(request->shop), walk->moments);
    if (walk->count == 0 && shop_topology_take(shop_client(request->shop), &walk->moments[0]) == SHOPDATA_OK)
        walk->count = 1;
    if (walk->count == 0) {
        shop_fail(request, HTTP_SERVUNAVAIL, "There are no metrics.");
        return false;
    }
    walk->now = &walk->moments[walk->count - 1];
    walk->before = walk->count > 1 ? walk->now - 1 : walk->now;
    return true;
}

static void draw(struct walk *walk)
{
    house(walk);
    chart(walk);
    fences(walk);
}

/* The page is about servers that fail, so it asks none: its menu is empty. */
void shop_page_topology(struct shop_request *request)
{
    struct walk walk;
    bool in_demo = shop_launcher(request->shop) != NULL;
    if (!begin_walk(&walk, request, false) || (in_demo && !shop_visit_keep(request)))
        return;
    request->has_script = true;
    shop_layout_begin(request, "Behind the scenes", SHOP_NO_MENU, NULL);
    shop_put(&request->out, "<h1>Behind the scenes</h1>\n");
    if (shop_argument(request, "done"))
        shop_layout_notice(&request->out, "good", "Done. Watch what the shop makes of it.");
    draw(&walk);
    if (in_demo)
        shop_demo_controls(request);
    shop_layout_end(request, HTTP_OK);
}

void shop_api_topology(struct shop_request *request)
{
    struct walk walk;
    if (!begin_walk(&walk, request, true))
        return;
    shop_put(&request->out, "{");
    draw(&walk);
    shop_put(&request->out, "}\n");
    shop_reply(request, HTTP_OK, SHOP_JSON);
}
