// SPDX-License-Identifier: Apache-2.0
#include "proc/notify_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/test.h"

static void
states_arrive_at_the_socket_named(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char dir[] = "/tmp/sekisho-notify-XXXXXX";
	char got[200] = "";
	CHECK(mkdtemp(dir) != NULL);
	text_format(sa.sun_path, sizeof(sa.sun_path), "%s/n", dir);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	CHECK(setenv("NOTIFY_SOCKET", sa.sun_path, 1) == 0);
	notify_send("READY=1");
	CHECK_INT(recv(fd, got, sizeof(got), MSG_DONTWAIT), 7);
	CHECK_STR(got, "READY=1");
	notify_reloading();
	CHECK(recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0);
	CHECK(strncmp(got, "RELOADING=1\nMONOTONIC_USEC=", 27) == 0);
	CHECK(unsetenv("NOTIFY_SOCKET") == 0);
	notify_send("READY=1"); /* nowhere to send it: nothing happens */
	CHECK(recv(fd, got, sizeof(got), MSG_DONTWAIT) < 0);
	(void)close(fd);
	(void)unlink(sa.sun_path);
	(void)rmdir(dir);
}

static void
set_number(const char *name, long v)
{
	char text[32];
	text_format(text, sizeof(text), "%ld", v);
	CHECK(setenv(name, text, 1) == 0);
}

static void
descriptors_are_ours_only_when_the_pid_is(void)
{
	set_number("LISTEN_PID", getpid() + 1);
	set_number("LISTEN_FDS", 2);
	CHECK_INT(notify_listen_fds(), 0);
	CHECK(getenv("LISTEN_FDS") == NULL);
	set_number("LISTEN_PID", getpid());
	set_number("LISTEN_FDS", 1);
	CHECK(dup2(0, 3) == 3);
	CHECK_INT(notify_listen_fds(), 1);
	CHECK(fcntl(3, F_GETFD) & FD_CLOEXEC);
	CHECK_INT(notify_listen_fds(), 0); /* it is answered once */
	(void)close(3);
}

static void
the_watchdog_is_fed_twice_per_period(void)
{
	CHECK_INT(notify_watchdog_ms(), 0);
	set_number("WATCHDOG_USEC", 30000000);
	CHECK_INT(notify_watchdog_ms(), 15000);
	set_number("WATCHDOG_PID", getpid() + 1);
	CHECK_INT(notify_watchdog_ms(), 0);
	CHECK(unsetenv("WATCHDOG_USEC") == 0 && unsetenv("WATCHDOG_PID") == 0);
}

TESTS(states_arrive_at_the_socket_named, descriptors_are_ours_only_when_the_pid_is,
	the_watchdog_is_fed_twice_per_period)
