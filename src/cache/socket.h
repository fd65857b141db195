/* socket.h - a non-blocking socket to a server, for every backend. */
#ifndef SDI_CACHE_SOCKET_H
#define SDI_CACHE_SOCKET_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "model/address.h"

/* sdi_socket_find resolves a host and port: 0, or what gai_strerror explains. Free the list with freeaddrinfo. */
int sdi_socket_find(const sdi_address *address, struct addrinfo **found_out);
/* sdi_socket_local: false if the path is too long for a socket. */
bool sdi_socket_local(const char *path, struct sockaddr_un *address_out);
/* sdi_socket_begin begins to connect, without waiting: the socket, or -1 and errno. */
int sdi_socket_begin(const struct sockaddr *address, socklen_t length);
/* sdi_socket_fault: how connecting ended, once the socket may be written to: 0 or an error number. */
int sdi_socket_fault(int fd);
/* sdi_socket_would_block: the last send or recv failed, and may be tried again. */
bool sdi_socket_would_block(void);
/* sdi_socket_make_patient makes a connected socket one that blocks, but for so long only, and that is how long, in
 * microseconds; 0 if it cannot be made so. Where nothing but an answer is waited for recv waits by itself then, one
 * system call in place of two; what is not to wait asks for MSG_DONTWAIT. */
int64_t sdi_socket_make_patient(int fd);
/* sdi_socket_is_quiet: open, and nothing has come that nobody asked for. */
bool sdi_socket_is_quiet(int fd);

#endif
