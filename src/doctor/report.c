// SPDX-License-Identifier: Apache-2.0
#include "doctor/report.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/issuer.h"

enum { SMALL_FILE = 65536, PROCESSES = 65536, AGENTS = 32 };

struct report *
report_new(const char *home)
{
	struct report *r = mem_alloc(sizeof(*r));
	arena_init(&r->a, REPORT_ARENA);
	r->home = home;
	return r;
}

void
report_free(struct report *r)
{
	if (!r)
		return;
	arena_fini(&r->a);
	mem_free(r);
}

/* ---- masking ---- */

static bool
is_word(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-';
}

/* Length of the home directory at the front, as a whole path. */
static size_t
home_at(struct span s, struct span home)
{
	if (home.n < 2 || !span_starts(s, home))
		return 0;
	return s.n == home.n || !is_word(s.p[home.n]) ? home.n : 0;
}

/* Length of "user:password@" at the front of what follows "://". */
static size_t
userinfo_at(struct span s)
{
	size_t i = 0;
	size_t at = 0;
	while (i < s.n && s.p[i] > ' ' && !strchr("/?#\"'<>", s.p[i])) {
		if (s.p[i] == '@')
			at = i + 1;
		i++;
	}
	return at;
}

static bool
starts_nocase(struct span s, struct span word)
{
	return span_eq_nocase(span_first(s, word.n), word);
}

/* Length of a secret's name with its '=' or ':' at the front, or 0. */
static size_t
secret_name_at(struct span s)
{
	static const char *const names[] = {"proxy-authorization", "authorization",
		"_authtoken", "_auth", "_password", "password", "passwd", "secret",
		"token", "api_key", "api-key", "apikey", "cookie", "bearer"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct span name = span_str(names[i]);
		if (!starts_nocase(s, name))
			continue;
		size_t n = name.n;
		while (n < s.n && (s.p[n] == ' ' || s.p[n] == '"' || s.p[n] == '\''))
			n++;
		if (n < s.n && (s.p[n] == '=' || s.p[n] == ':'))
			return n + 1;
		if (span_eq(name, SPAN("bearer")) && n > name.n)
			return n;
	}
	return 0;
}

/* To the end of the line: a value may have blanks ("Basic dXNlcg=="). */
static size_t
line_left(struct span s)
{
	return span_chr(s, '\n');
}

static size_t
mask_one(struct span s, struct span home, struct text *t)
{
	size_t n = home_at(s, home);
	if (n > 0) {
		text_add(t, "~");
		return n;
	}
	n = secret_name_at(s);
	if (n > 0) {
		text_put_safe(t, span_first(s, n));
		text_add(t, "***");
		return n + line_left(span_from(s, n));
	}
	if (span_starts(s, SPAN("://"))) {
		n = userinfo_at(span_from(s, 3));
		text_add(t, "://%s", n > 0 ? "***@" : "");
		return n + 3;
	}
	return 0;
}

void
report_mask(struct span s, const char *home, struct text *t)
{
	struct span dir = span_str(home);
	while (s.n > 0) {
		size_t n = mask_one(s, dir, t);
		if (n == 0) {
			for (n = 1; n < s.n && (s.p[n] & 0xc0) == 0x80; n++)
				; /* one character whole */
			text_put_safe(t, span_first(s, n));
		}
		s = span_from(s, n);
	}
}

void
report_add(struct report *r, enum report_section section, struct span name,
	struct span value)
{
	char masked[REPORT_VALUE];
	struct text t = text_to(masked, sizeof(masked));

	report_mask(value, r->home, &t);
	if (r->n == REPORT_ROWS || arena_room(&r->a) < t.n + name.n + 64) {
		r->cut = true;
		return;
	}
	r->rows[r->n++] = (struct report_row){
		section, arena_cstr(&r->a, name), arena_cstr(&r->a, text_span(&t))};
}

/* ---- the machine ---- */

static void
add_system(struct report *r)
{
	struct span text = {0};
	struct err err = {0};
	struct span line;

	if (!file_read("/etc/os-release", SMALL_FILE, &text, &err))
		return;
	struct span rest = text;
	while (span_cut(&rest, '\n', &line)) {
		if (!span_starts(line, SPAN("PRETTY_NAME=")))
			continue;
		struct span name = span_from(line, 12);
		if (name.n > 1 && name.p[0] == '"')
			name = span_slice(name, 1, name.n - 1);
		report_add(r, REPORT_MACHINE, SPAN("system"), name);
	}
	mem_free((void *)(uintptr_t)text.p);
}

static void
add_kernel(struct report *r)
{
	struct utsname u;
	char text[REPORT_VALUE];
	if (uname(&u) != 0)
		return;
	size_t n = text_format(
		text, sizeof(text), "%s %s %s", u.sysname, u.release, u.machine);
	report_add(r, REPORT_MACHINE, SPAN("kernel"), span_of(text, n));
}

static void
add_surroundings(struct report *r)
{
	struct stat st;
	char time[CLOCK_TEXT];

	report_add(r, REPORT_MACHINE, SPAN("sekisho"), SPAN(SEKISHO_VERSION));
	report_add(r, REPORT_MACHINE, SPAN("time"),
		span_str(clock_text(time, clock_wall_ms())));
	add_system(r);
	add_kernel(r);
	if (stat("/.dockerenv", &st) == 0 || stat("/run/.containerenv", &st) == 0)
		report_add(r, REPORT_MACHINE, SPAN("container"), SPAN("yes"));
	if (getenv("WSL_DISTRO_NAME")) {
		report_add(r, REPORT_MACHINE, SPAN("wsl"),
			span_str(getenv("WSL_DISTRO_NAME")));
	}
}

static void
add_proxies(struct report *r)
{
	static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "http_proxy",
		"HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *value = getenv(names[i]);
		if (!value || !value[0])
			continue;
		/* "user:password@proxy" without a scheme is masked too. */
		struct span s = span_str(value);
		size_t at = span_find(s, SPAN("://")) < s.n ? s.n : span_rchr(s, '@');
		char text[REPORT_VALUE];
		struct text t = text_to(text, sizeof(text));
		if (at < s.n) {
			text_add(&t, "***");
			s = span_from(s, at);
		}
		text_put(&t, s);
		report_add(r, REPORT_PROXY, span_str(names[i]), text_span(&t));
	}
}

static const struct issuer_row *
agent_of(const char *proc, const char *pid)
{
	char path[300];
	struct span name = {0};
	struct err err = {0};
	text_format(path, sizeof(path), "%s/%s/comm", proc, pid);
	if (!file_read(path, SMALL_FILE, &name, &err))
		return NULL;
	const struct issuer_row *row = issuer_of_process(span_trim(name));
	mem_free((void *)(uintptr_t)name.p);
	return row;
}

static void
add_agent(struct report *r, const struct issuer_row *row)
{
	struct span product = span_str(row->product);
	for (size_t i = 0; i < r->n; i++) {
		if (r->rows[i].section == REPORT_AGENTS &&
			span_eq(span_str(r->rows[i].name), product))
			return;
	}
	report_add(r, REPORT_AGENTS, product, SPAN("its program is running"));
}

static void
add_agents(struct report *r, const char *proc)
{
	DIR *dir = opendir(proc);
	const struct dirent *entry;
	if (!dir)
		return;
	for (size_t i = 0; i < PROCESSES && (entry = readdir(dir)) != NULL; i++) {
		if (!ascii_is_digit((uint8_t)entry->d_name[0]))
			continue;
		const struct issuer_row *row = agent_of(proc, entry->d_name);
		if (row)
			add_agent(r, row);
	}
	closedir(dir);
}

void
report_machine(struct report *r, const char *proc)
{
	add_surroundings(r);
	add_proxies(r);
	add_agents(r, proc);
}
