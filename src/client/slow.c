#include "client/slow.h"

#include "base/interrupt.h"
#include "model/metrics_table.h"

static const char *status_word(int status)
{
    const sdi_label *errors = &sdi_labels[SDI_LABEL_STATUS];
    size_t number = (size_t)(-1 - (int64_t)status);
    if (status == SHOPDATA_UNFENCED)
        return "unfenced";
    return status == SHOPDATA_OK ? "ok" : number < errors->count ? errors->values[number] : "unknown";
}

bool sdi_is_slow(const sdi_core *core, int64_t took)
{
    int64_t limit = core->settings->slow_query_ms;
    return limit && took >= limit * 1000;
}

void sdi_tell_slow(sdi_core *core, const sdi_slow_call *call)
{
    const shopdata_result *result = call->result;
    const char *const *sources = sdi_labels[SDI_LABEL_SOURCE].values;
    sdi_count(core->metrics, SDI_M_SLOW_QUERIES, 0, 1);
    SDI_LOG(core->log, SDI_LOG_QUERY_SLOW, SDI_TEXT(call->kind), SDI_NUMBER(call->took / 1000),
            SDI_TEXT(status_word(sdi_interrupt_status(call->status))),
            SDI_TEXT(result ? sources[result->source - 1] : "none"), SDI_TEXT(result ? result->node : ""),
            SDI_TEXT(call->statement->policy), SDI_NUMBER(result ? result->changed : 0),
            SDI_TEXT(call->statement->text));
}
