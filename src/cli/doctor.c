// SPDX-License-Identifier: Apache-2.0
/*
 * doctor: what the commands `sekisho doctor ...` share. Each is a file of its own;
 * their rows stand in main.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/doctor_priv.h"

enum { LABEL = 8, CHUNK = 65536 };

bool
doctor_language(const struct cli_call *call, enum language *out, struct err *err)
{
	const char *asked = cli_get(call, "lang");

	if (!words_language(asked, out))
		return err_set(err, ERR_USAGE, "--lang %s: en or ja", asked);
	return true;
}

/* Keeps the last `limit` octets of what comes. */
static bool
read_tail(int fd, const char *path, size_t limit, struct span *out, struct err *err)
{
	size_t cap = limit * 2 + CHUNK;
	uint8_t *p = mem_alloc(cap);
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, p + n, CHUNK)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			mem_free(p);
			return err_errno(err, ERR_FILE_READ, errno, "%s", path);
		}
		n += (size_t)got;
		if (n > limit * 2) {
			memmove(p, p + n - limit, limit);
			n = limit;
		}
	}
	if (n > limit)
		memmove(p, p + n - limit, limit);
	*out = span_of(p, n < limit ? n : limit);
	return true;
}

bool
doctor_read_tail(const char *path, size_t limit, struct span *out, struct err *err)
{
	if (!path || strcmp(path, "-") == 0)
		return read_tail(STDIN_FILENO, "standard input", limit, out, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, ERR_FILE_READ, errno, "%s", path);
	bool ok = read_tail(fd, path, limit, out, err);
	close(fd);
	return ok;
}

/* Columns of the label on a terminal: a character of Japanese takes two. */
static size_t
width_of(struct span s)
{
	size_t width = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x80) {
			width++;
		} else if (s.p[i] >= 0xc0) {
			width += 2;
		}
	}
	return width;
}

void
doctor_print_block(const char *label, struct span text)
{
	struct span line;
	while (span_cut(&text, '\n', &line)) {
		size_t width = width_of(span_str(label));
		text_out("  %s%s%s%*s", cli_colour(CLI_BOLD), label,
			cli_colour(CLI_PLAIN), (int)(width < LABEL ? LABEL - width : 1),
			"");
		text_out_span(line);
		text_out("\n");
		label = "";
	}
}
