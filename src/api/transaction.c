#include "api/guard.h"

int shopdata_begin(shopdata_session *session, unsigned isolation, shopdata_error **error_out)
{
    int status = sdi_session_begin(session, error_out);
    return status ? status : sdi_session_end(session, sdi_begin(session, isolation, error_out), error_out);
}

int shopdata_commit(shopdata_session *session, shopdata_error **error_out)
{
    int status = sdi_session_begin(session, error_out);
    return status ? status : sdi_session_end(session, sdi_commit(session, error_out), error_out);
}

int shopdata_rollback(shopdata_session *session, shopdata_error **error_out)
{
    int status = sdi_session_begin(session, error_out);
    return status ? status : sdi_session_end(session, sdi_rollback(session, error_out), error_out);
}

static int savepoint(shopdata_session *session, enum sdi_savepoint what, const char *name, shopdata_error **error_out)
{
    int status = sdi_session_begin(session, error_out);
    return status ? status : sdi_session_end(session, sdi_savepoint(session, what, name, error_out), error_out);
}

int shopdata_savepoint(shopdata_session *session, const char *name, shopdata_error **error_out)
{
    return savepoint(session, SDI_SAVEPOINT_SET, name, error_out);
}

int shopdata_rollback_to(shopdata_session *session, const char *name, shopdata_error **error_out)
{
    return savepoint(session, SDI_SAVEPOINT_BACK, name, error_out);
}

int shopdata_release(shopdata_session *session, const char *name, shopdata_error **error_out)
{
    return savepoint(session, SDI_SAVEPOINT_RELEASE, name, error_out);
}
