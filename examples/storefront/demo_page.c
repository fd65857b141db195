/* demo_page.c - for the demo only: buttons under /topology that break servers, and mend them. */
#include "demo_page.h"

#include <string.h>

#include "control.h"
#include "format.h"
#include "pages.h"
#include "visit.h"

static void button(struct shop_output *out, const char *verb, const char *label, const char *server)
{
    shop_html(out, "<button class=\"second\" name=\"verb\" value=\"%s\" aria-label=\"%s %s\">%s</button>", verb, label,
              server, label);
}

static void server_form(struct shop_request *request, const struct shop_server_state *server)
{
    struct shop_output *out = &request->out;
    shop_html(
        out,
        "<form method=\"post\" action=\"/topology/control\" id=\"control-%s\"><input type=\"hidden\" name=\"server\" "
        "value=\"%s\">",
        server->name, server->name);
    shop_visit_token(request, NULL);
    shop_html(out, "<h3>%s</h3>", server->name);
    if (!strcmp(server->state, "stopped"))
        button(out, "start", "Start", server->name);
    else
        button(out, "stop", "Stop", server->name);
    if (!strcmp(server->role, "replica"))
        button(out, "pause", "Pause replay", server->name);
    if (!strcmp(server->role, "paused"))
        button(out, "resume", "Resume replay", server->name);
    if (!strcmp(server->role, "replica"))
        button(out, "promote", "Promote", server->name);
    if (!strcmp(server->role, "primary"))
        button(out, "kill", "Kill", server->name);
    shop_put(out, "</form>\n");
}

void shop_demo_controls(struct shop_request *request)
{
    struct shop_server_state servers[SHOP_SERVERS_MAX];
    size_t count = shop_control_servers(shop_launcher(request->shop), servers);
    shop_put(&request->out,
             "<section class=\"controls\"><h2>Break something</h2><p>Only in the demo: these buttons act on "
             "its own servers. The shop is told nothing; it has to notice.</p><div>\n");
    for (size_t i = 0; i < count; i++)
        server_form(request, &servers[i]);
    shop_put(&request->out, "</div></section>\n");
}

/* Also who asks for us by another name is refused: a page elsewhere could have that name lead to this machine, and
 * would then be from here. */
static bool is_at_this_machine(const struct shop_request *request)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    char *peer = NULL;
    ev_uint16_t port;
    const char *host = evhttp_request_get_host(request->http);
    evhttp_connection_get_peer(evhttp_request_get_connection(request->http), &peer, &port);
    if (!peer || (strcmp(peer, "127.0.0.1") != 0 && strcmp(peer, "::1") != 0))
        return false;
    for (size_t i = 0; host && i < sizeof names / sizeof *names; i++) {
        if (!strcmp(host, names[i]))
            return true;
    }
    return false;
}

void shop_page_topology_control(struct shop_request *request)
{
    char nonce[SHOP_NONCE_SIZE], complaint[SHOP_ANSWER_SIZE];
    const char *launcher = shop_launcher(request->shop);
    if (!launcher || !is_at_this_machine(request))
        shop_fail(request, HTTP_NOTFOUND, "There is no such page.");
    else if (!shop_read_form(request) || !shop_visit_is_ours(request, nonce))
        return;
    else if (shop_control(launcher, shop_field(request, "verb"), shop_field(request, "server"), complaint))
        shop_redirect(request, "/topology?done=1");
    else
        shop_fail(request, HTTP_BADREQUEST, complaint);
}
