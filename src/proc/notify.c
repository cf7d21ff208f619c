// SPDX-License-Identifier: Apache-2.0
#include "proc/notify_priv.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

enum {
	FIRST_FD = 3, /* SD_LISTEN_FDS_START */
	MOST_FDS = 1000,
};

void
notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct span name = span_str(path);

	if (!path || !span_copy(sa.sun_path, sizeof(sa.sun_path), name))
		return;
	if (sa.sun_path[0] == '@') /* an abstract name */
		sa.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.n);
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sa, n);
	(void)close(fd);
}

void
notify_reloading(void)
{
	char state[80];
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	text_format(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)now.tv_sec * 1000000 +
			(unsigned long long)now.tv_nsec / 1000);
	notify_send(state);
}

static bool
is_for_us(const char *variable)
{
	uint64_t pid = 0;
	const char *text = getenv(variable);
	return text && text_u64(span_str(text), INT32_MAX, &pid) &&
		pid == (uint64_t)getpid();
}

uint64_t
notify_watchdog_ms(void)
{
	uint64_t us = 0;
	if (getenv("WATCHDOG_PID") && !is_for_us("WATCHDOG_PID"))
		return 0;
	if (!text_u64(span_str(getenv("WATCHDOG_USEC")), UINT64_MAX, &us))
		return 0;
	return us / 2000; /* half the time, as sd_watchdog_enabled(3) says */
}

size_t
notify_listen_fds(void)
{
	uint64_t n = 0;
	bool ours = is_for_us("LISTEN_PID") &&
		text_u64(span_str(getenv("LISTEN_FDS")), MOST_FDS, &n);
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	for (int fd = FIRST_FD; ours && fd < FIRST_FD + (int)n; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return ours ? (size_t)n : 0;
}
