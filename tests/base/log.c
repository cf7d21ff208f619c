// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <string.h>
#include <unistd.h>

#include "tests/test.h"

/* Runs what logs with standard error led into a pipe; what it wrote, in a static. */
static const char *
written(void (*speak)(void))
{
	static char text[8192];
	int ends[2];
	int kept = dup(STDERR_FILENO);

	CHECK(kept >= 0 && pipe(ends) == 0);
	CHECK(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	speak();
	CHECK(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	ssize_t n = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
speak_of_a_host(void)
{
	log_warn("upstream.verify", "host=%s code=%d", "a.example", 7);
}

static void
speak_in_escapes(void)
{
	log_error("peer.said", "text=%s", "a\nfake line\033[2J");
}

static void
speak_too_quietly(void)
{
	log_debug("session.open", "id=%d", 1);
}

static void
speak_at_length(void)
{
	char many[6000];
	memset(many, 'a', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	log_info("long", "text=%s", many);
}

static void
a_line_names_level_process_and_fact(void)
{
	log_setup(LOG_INFO, "worker.3");
	const char *line = written(speak_of_a_host);
	CHECK(strstr(line, "worker.3 upstream.verify host=a.example code=7\n"));
	CHECK(strchr(line, '\n') == line + strlen(line) - 1);
}

static void
what_a_peer_sent_cannot_make_a_second_line(void)
{
	const char *line = written(speak_in_escapes);
	CHECK(strchr(line, '\n') == line + strlen(line) - 1);
	CHECK(!strchr(line, '\033'));
}

static void
levels_below_the_wanted_one_are_silent(void)
{
	log_setup(LOG_INFO, "t");
	CHECK(!log_wants(LOG_DEBUG) && log_wants(LOG_WARN));
	CHECK_STR(written(speak_too_quietly), "");
	log_setup(LOG_DEBUG, "t");
	CHECK(strstr(written(speak_too_quietly), "session.open id=1"));
}

static void
a_long_line_is_cut_and_still_ends(void)
{
	const char *line = written(speak_at_length);
	CHECK(strlen(line) < 4096 && line[strlen(line) - 1] == '\n');
}

TESTS(a_line_names_level_process_and_fact, what_a_peer_sent_cannot_make_a_second_line,
	levels_below_the_wanted_one_are_silent, a_long_line_is_cut_and_still_ends)
