/* plain.c - what is no page: the health check, the metrics, the files that never change. */
#include <string.h>

#include "assets.h"
#include "format.h"
#include "pages.h"

/* A load balancer asks often and must get its answer at once, so we wait for nobody. */
void shop_page_health(struct shop_request *request)
{
    int status = shopdata_ready(shop_client(request->shop), 0, &request->batch.error);
    shop_put(&request->out, status == SHOPDATA_OK ? "ready" : shopdata_error_message(request->batch.error));
    shop_put(&request->out, "\n");
    shop_reply(request, status == SHOPDATA_OK ? HTTP_OK : HTTP_SERVUNAVAIL, SHOP_TEXT);
}

void shop_page_metrics(struct shop_request *request)
{
    shopdata_metrics *metrics = NULL;
    if (shopdata_metrics_take(shop_client(request->shop), &metrics, &request->batch.error) < 0) {
        shop_fail_database(request);
        return;
    }
    shop_put(&request->out, shopdata_metrics_prometheus(metrics));
    shop_reply(request, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8");
    shopdata_metrics_free(metrics);
}

static void reply_file(struct shop_request *request, const struct shop_asset *file, const char *type)
{
    shop_add(&request->out, file->data, file->length);
    shop_header(request, "Cache-Control", "max-age=300");
    shop_reply(request, HTTP_OK, type);
}

void shop_page_style(struct shop_request *request)
{
    reply_file(request, &shop_asset_style_css, "text/css; charset=utf-8");
}

void shop_page_topology_script(struct shop_request *request)
{
    reply_file(request, &shop_asset_topology_js, "text/javascript; charset=utf-8");
}

void shop_page_icons(struct shop_request *request)
{
    reply_file(request, &shop_asset_icons_svg, "image/svg+xml");
}

void shop_page_icon(struct shop_request *request)
{
    reply_file(request, &shop_asset_icon_svg, "image/svg+xml");
}
