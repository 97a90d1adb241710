/* SPDX-License-Identifier: MIT */
/* Connections to the server; see net.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "marker.h"
#include "net.h"
#include "net_tls.h"

/* Of 28,000, the kernel gives out half first, and tries them all before each of the others. */
#define PORTS_PER_ADDRESS 12000

static int no_socket(size_t number, struct error *error)
{
	struct rlimit files = {0};

	getrlimit(RLIMIT_NOFILE, &files);
	if (errno == EMFILE)
		return error_set(error, EX_OSERR,
			"connection %zu: the limit of open files, %llu, is reached; raise the hard "
			"limit (ulimit -Hn)",
			number, (unsigned long long)files.rlim_cur);
	return error_set(error, EX_OSERR, "connection %zu: %s", number, strerror(errno));
}

static int bind_source(int fd, size_t number)
{
	struct sockaddr_in source = {.sin_family = AF_INET};
	int on = 1;

	if (number < PORTS_PER_ADDRESS)
		return 0;
	source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number / PORTS_PER_ADDRESS));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&source, sizeof(source));
}

static int dial(uint16_t port, size_t number, struct error *error)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return no_socket(number, error);
	if (bind_source(fd, number) != 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		no_socket(number, error);
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

int net_dial(struct source *source, uint16_t port, bool tls, size_t number, struct error *error)
{
	source->ssl = NULL;
	source->fd = dial(port, number, error);
	if (source->fd < 0)
		return -1;
	return tls ? net_tls_begin(source, error) : 0;
}

int net_shake(struct source *source)
{
	return source->ssl != NULL ? net_tls_shake(source) : 1;
}

ssize_t net_send(struct source *source, const void *data, size_t len)
{
	if (source->ssl != NULL)
		return net_tls_send(source, data, len);
	return send(source->fd, data, len, MSG_NOSIGNAL);
}

ssize_t net_recv(struct source *source, void *data, size_t max)
{
	if (source->ssl != NULL)
		return net_tls_recv(source, data, max);
	return recv(source->fd, data, max, MSG_DONTWAIT);
}

int net_stamp(struct source *source)
{
	int on = 1;

	return setsockopt(source->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
}

/* How long ago the kernel received what the message brought, in ns; 0 if it does not say. */
static uint64_t age(struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	struct timespec now, then;

	if (control == NULL || control->cmsg_level != SOL_SOCKET ||
		control->cmsg_type != SCM_TIMESTAMPNS)
		return 0;
	memcpy(&then, CMSG_DATA(control), sizeof(then));
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)((now.tv_sec - then.tv_sec) * 1000000000 + now.tv_nsec - then.tv_nsec);
}

ssize_t net_recv_stamped(struct source *source, void *data, size_t max, uint64_t *when)
{
	_Alignas(struct cmsghdr) char control[256];
	struct iovec bytes = {.iov_base = data, .iov_len = max};
	struct msghdr message = {.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(source->fd, &message, MSG_DONTWAIT);

	*when = now_ns() - (got > 0 ? age(&message) : 0);
	return got;
}

void net_close(struct source *source)
{
	net_tls_end(source);
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

const char *net_session(void)
{
	return net_tls_words();
}
