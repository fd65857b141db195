#include "model/faults.h"

enum { FAULTS_SHOWN = 50 };

void sdi_faults_add(sdi_faults *faults, const char *format, ...)
{
    if (++faults->count > FAULTS_SHOWN)
        return;
    if (faults->count > 1)
        sdi_buffer_char(&faults->text, '\n');
    va_list arguments;
    va_start(arguments, format);
    sdi_buffer_vprintf(&faults->text, format, arguments);
    va_end(arguments);
}

int sdi_faults_end(sdi_faults *faults, shopdata_error **error_out)
{
    size_t hidden = faults->count > FAULTS_SHOWN ? faults->count - FAULTS_SHOWN : 0;
    if (hidden)
        sdi_buffer_printf(&faults->text, "\nand %zu more", hidden);
    int status = SHOPDATA_OK;
    if (faults->text.failed)
        status = sdi_no_memory(error_out);
    else if (faults->count)
        status = sdi_fail(error_out, SHOPDATA_ERR_CONFIG, "%s", faults->text.data);
    sdi_buffer_free(&faults->text);
    return status;
}
