// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

/* Process-wide by nature: there is one standard error. Set once, before the first line.
 */
static struct {
	enum log_level most;
	char who[24];
	bool for_journal;
} setup = {.most = LOG_INFO, .who = "sekisho"};

static const struct {
	const char *name;
	const char *journal; /* sd-daemon(3) priority prefix */
} levels[] = {
	[LOG_ERROR] = {"error", "<3>"},
	[LOG_WARN] = {"warn", "<4>"},
	[LOG_INFO] = {"info", "<6>"},
	[LOG_DEBUG] = {"debug", "<7>"},
};

void
log_setup(enum log_level most, const char *who)
{
	setup.most = most;
	setup.for_journal = getenv("JOURNAL_STREAM") != NULL;
	text_format(setup.who, sizeof(setup.who), "%s", who);
}

bool
log_wants(enum log_level level)
{
	return level <= setup.most;
}

PRINTF(3, 0)
static void
write_line(enum log_level level, const char *name, const char *fmt, va_list ap)
{
	char line[2048];
	char when[CLOCK_TEXT];
	if (!log_wants(level))
		return;
	struct text t = text_to(line, sizeof(line) - 1);
	if (setup.for_journal) {
		text_add(&t, "%s", levels[level].journal);
	} else {
		text_add(&t, "%s %-5s ", clock_text(when, clock_wall_ms()),
			levels[level].name);
	}
	text_add(&t, "%s %s ", setup.who, name);
	size_t values = t.n;
	text_addv(&t, fmt, ap);
	for (size_t i = values; i < t.n; i++) {
		uint8_t c = (uint8_t)line[i];
		line[i] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
	}
	line[t.n] = '\n'; /* room was kept for it */
	ssize_t put = write(STDERR_FILENO, line, t.n + 1);
	(void)put; /* a log that cannot be written has nowhere to complain */
}

void
log_error(const char *name, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	write_line(LOG_ERROR, name, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *name, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	write_line(LOG_WARN, name, fmt, ap);
	va_end(ap);
}

void
log_info(const char *name, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	write_line(LOG_INFO, name, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *name, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	write_line(LOG_DEBUG, name, fmt, ap);
	va_end(ap);
}
