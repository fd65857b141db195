/* shopdata.i - what the library's functions mean, for every language. A language's own file has the %module, what maps
 * its values, and then includes this. */

const char *shopdata_version(void);
const char *shopdata_status_name(int status);
