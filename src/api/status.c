#include <shopdata/shopdata.h>

#include <stddef.h>

const char *shopdata_status_name(int status)
{
    static const struct {
        int status;
        const char *name;
    } names[] = {
#define NAME(status) {status, #status}
        NAME(SHOPDATA_OK),
        NAME(SHOPDATA_UNFENCED),
        NAME(SHOPDATA_MISS),
        NAME(SHOPDATA_PENDING),
        NAME(SHOPDATA_ERR_ARGUMENT),
        NAME(SHOPDATA_ERR_CONFIG),
        NAME(SHOPDATA_ERR_NO_MEMORY),
        NAME(SHOPDATA_ERR_SQL),
        NAME(SHOPDATA_ERR_REFUSED),
        NAME(SHOPDATA_ERR_TIMEOUT),
        NAME(SHOPDATA_ERR_BUSY),
        NAME(SHOPDATA_ERR_UNAVAILABLE),
        NAME(SHOPDATA_ERR_AMBIGUOUS),
        NAME(SHOPDATA_ERR_TOO_LARGE),
        NAME(SHOPDATA_ERR_TRANSACTION),
        NAME(SHOPDATA_ERR_RANGE),
        NAME(SHOPDATA_ERR_TYPE),
        NAME(SHOPDATA_ERR_FORKED),
        NAME(SHOPDATA_ERR_INTERRUPTED),
#undef NAME
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status)
            return names[i].name;
    return "unknown";
}
