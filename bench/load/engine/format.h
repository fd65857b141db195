/* format.h - which tables a shop has, as its marker says: who finds another number was built for others. */
#ifndef LOAD_FORMAT_H
#define LOAD_FORMAT_H

/* Of the tables as they are made now; whoever changes them counts this up. */
enum { LOAD_FORMAT = 1 };

#endif
