// SPDX-License-Identifier: Apache-2.0
/*
 * log_table: events as lines that are read in seconds.
 *
 *	  TIME      CLIENT      DID        CODE     SIZE    TOOK  WHAT
 *	  00:50:08  10.1.2.23   inspected   200  1.2 KiB   12 ms  GET www.good.example/
 *	  00:50:09  10.1.2.23   blocked     403           2.1 ms  GET bad.example/x
 *	                                                            rule malware: harmful
 *
 * What went as wished is one plain line; the reason of what did not stands behind it,
 * or below it when the line is full.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/log_priv.h"

enum {
	CLIENT_WIDEST = 39,
	TARGET_WIDEST = 80,
	FIXED = 2 + 8 + 2 + 2 + 2 + 4 + 2 + 7 + 2 + 7 +
		2, /* all but client, did, target */
};

/* --- words --- */

static struct span
str(const struct event_view *e, enum event_field f)
{
	return e->v[f].set ? e->v[f].s : (struct span){0};
}

static const char *
word_of(struct span action)
{
	static const struct {
		const char *action;
		const char *word;
	} words[] = {{"inspect", "inspected"}, {"bypass", "bypassed"},
		{"block", "blocked"}, {"refuse", "refused"}, {"allow", "inspected"},
		{"serve", "served"}, {"plain", "plain http"}, {"prompt", "asked"},
		{"redirect", "redirected"}, {"sign", "signed"}, {"self", "own page"}};
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (span_eq(action, span_str(words[i].action)))
			return words[i].word;
	}
	return NULL;
}

static void
make_did(struct log_row *row, const struct event_view *e)
{
	struct span action = str(e, EVENT_ACTION);
	struct text t = text_to(row->did, sizeof(row->did));
	const char *word = word_of(action);

	if (e->kind == EVENT_KIND_REQUEST &&
		span_eq(str(e, EVENT_SCHEME), SPAN("http")) &&
		span_eq(action, SPAN("allow")))
		word = "plain http";
	if (word) {
		text_add(&t, "%s", word);
	} else if (action.n > 0) {
		text_put_safe(&t, action);
	} else {
		text_add(&t, "%s", event_kind_name(e->kind));
	}
}

static void
make_target(struct log_row *row, const struct event_view *e)
{
	struct text t = text_to(row->target, sizeof(row->target));
	struct span query = str(e, EVENT_QUERY);
	struct span extra = e->kind == EVENT_KIND_DNS ? str(e, EVENT_QTYPE)
		: e->kind == EVENT_KIND_KEY           ? str(e, EVENT_KEY_OPERATION)
		: e->kind == EVENT_KIND_ADMIN         ? str(e, EVENT_ADMIN_COMMAND)
						      : str(e, EVENT_METHOD);
	if (extra.n > 0) {
		text_put_safe(&t, extra);
		text_add(&t, " ");
	}
	text_put_safe(&t, str(e, EVENT_HOST));
	int64_t port = e->v[EVENT_PORT].set ? e->v[EVENT_PORT].i : 443;
	if (e->kind == EVENT_KIND_SESSION && port != 443)
		text_add(&t, ":%lld", (long long)port);
	text_put_safe(&t, str(e, EVENT_PATH));
	if (query.n > 0) {
		text_add(&t, "?");
		text_put_safe(&t, query);
	}
	text_put_safe(&t, str(e, EVENT_KEY_SKI));
	text_put_safe(&t, str(e, EVENT_ADMIN_DETAIL));
}

static void
put_part(struct text *t, const char *before, struct span s)
{
	if (s.n == 0)
		return;
	text_add(t, "%s%s", t->n > 0 ? "; " : "", before);
	text_put_safe(t, s);
}

/* What went wrong, unless the alert or the rule tells it already. */
static void
put_err(struct text *t, const struct event_view *e)
{
	struct span seen = str(e, EVENT_ERR_TEXT);
	enum err_code code = err_find(str(e, EVENT_ERR));
	bool told = seen.n > 0 && span_eq(seen, str(e, EVENT_WHY)) &&
		code != ERR_GATE_UNTRUSTED;

	if (code == ERR_NONE || code == ERR_GATE_BLOCKED || code == ERR_NET_ENDED ||
		(code == ERR_TLS_ALERT && str(e, EVENT_ALERT).n > 0))
		return;
	if (code == ERR_GATE_UNTRUSTED && !str(e, EVENT_ORIGIN_VERDICT).n) {
		put_part(t, "certificate: ", seen);
	} else if (seen.n > 0 && !told) {
		put_part(t, "", seen);
	} else if (!told) {
		put_part(t, "", span_str(err_sentence(code)));
	}
}

/* What a person would ask next: which rule, what was wrong, who hung up. */
static void
make_why(struct log_row *row, const struct event_view *e)
{
	struct text t = text_to(row->why, sizeof(row->why));
	struct span verdict = str(e, EVENT_ORIGIN_VERDICT);
	struct span alert = str(e, EVENT_ALERT);

	put_part(&t, "rule ", str(e, EVENT_RULE));
	if (row->bad && err_find(str(e, EVENT_ERR)) != ERR_GATE_UNTRUSTED)
		put_part(&t, "", str(e, EVENT_WHY));
	if (verdict.n > 0 && !span_eq(verdict, SPAN("good")))
		put_part(&t, "certificate ", verdict);
	put_err(&t, e);
	if (alert.n > 0 && !span_eq(alert, SPAN("close_notify"))) {
		put_part(&t, "", str(e, EVENT_ALERT_BY));
		text_add(&t, " sent alert ");
		text_put_safe(&t, alert);
	}
	put_part(&t, "label ", str(e, EVENT_LABELS));
	put_part(&t, "on trial ", str(e, EVENT_DRY_RUN));
}

/* Three digits and a unit, from a microsecond to hours. */
static void
make_took(char dst[24], int64_t us)
{
	if (us < 0) {
		dst[0] = 0;
	} else if (us < 1000) {
		text_format(dst, 24, "%lld us", (long long)us);
	} else if (us < 10000) {
		text_format(dst, 24, "%.1f ms", (double)us / 1000);
	} else if (us < 1000000) {
		text_format(dst, 24, "%lld ms", (long long)us / 1000);
	} else if (us < 60000000) {
		text_format(dst, 24, "%.1f s", (double)us / 1e6);
	} else {
		text_format(dst, 24, "%lldm%02llds", (long long)us / 60000000,
			(long long)us / 1000000 % 60);
	}
}

static int64_t
number(const struct event_view *e, enum event_field f)
{
	return e->v[f].set ? e->v[f].i : 0;
}

void
log_row_make(struct log_row *row, const struct event_view *e)
{
	int64_t status = number(e, EVENT_STATUS);
	int64_t size = number(e, EVENT_BYTES_RESPONSE) + number(e, EVENT_BYTES_DOWN);
	struct span action = str(e, EVENT_ACTION);

	*row = (struct log_row){.time = e->time};
	if (e->v[EVENT_CLIENT].set)
		ip_text(row->client, &e->v[EVENT_CLIENT].ip);
	make_did(row, e);
	if (status > 0) {
		text_format(
			row->status, sizeof(row->status), "%lld", (long long)status);
	}
	if (size > 0)
		text_size(row->size, (uint64_t)size);
	make_took(row->took, e->v[EVENT_US_TOTAL].set ? e->v[EVENT_US_TOTAL].i : -1);
	make_target(row, e);
	row->bad = span_eq(action, SPAN("block")) || span_eq(action, SPAN("refuse")) ||
		status >= 500 || e->v[EVENT_ERR].set;
	make_why(row, e);
}

/* --- lines --- */

void
log_table_init(struct log_table *t)
{
	struct winsize size = {0};
	bool terminal = isatty(STDOUT_FILENO) == 1 &&
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60;
	*t = (struct log_table){.client = strlen("CLIENT"),
		.did = strlen("inspected"),
		.target = 24,
		.room = terminal ? size.ws_col : 0,
		.day = -1,
		.colours = text_colours()};
}

/* Characters, not octets. */
static size_t
width(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += ((uint8_t)*s & 0xc0) != 0x80;
	return n;
}

static void
widen(size_t *column, const char *s, size_t widest)
{
	size_t n = width(s);
	if (n > *column)
		*column = n < widest ? n : widest;
}

void
log_table_fit(struct log_table *t, const struct log_row *row)
{
	widen(&t->client, row->client, CLIENT_WIDEST);
	widen(&t->did, row->did, sizeof(row->did));
	widen(&t->target, row->target, TARGET_WIDEST);
}

static void
put_left(const char *s, size_t column)
{
	size_t n = width(s);
	text_out("%s%*s  ", s, n < column ? (int)(column - n) : 0, "");
}

/* In local time, as clocks on walls show it. */
static struct tm
local_time(int64_t wall_ms)
{
	time_t s = wall_ms / 1000;
	struct tm tm = {0};
	localtime_r(&s, &tm);
	return tm;
}

static void
print_day(struct log_table *t, const struct tm *tm)
{
	static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday",
		"Thursday", "Friday", "Saturday"};
	int64_t day = (int64_t)tm->tm_year * 366 + tm->tm_yday;
	const char *dim = t->colours ? cli_colour(CLI_DIM) : "";
	const char *plain = t->colours ? cli_colour(CLI_PLAIN) : "";

	if (!t->has_head) {
		text_out("%s  ", dim);
		put_left("TIME", 8);
		put_left("CLIENT", t->client);
		put_left("DID", t->did);
		text_out("CODE     SIZE     TOOK  WHAT%s\n", plain);
	}
	if (day != t->day) {
		text_out("%s%s %d-%02d-%02d%s\n", dim, days[tm->tm_wday % 7],
			tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday, plain);
	}
	t->has_head = true;
	t->day = day;
}

/* The first n characters. */
static struct span
cut_to(const char *s, size_t n)
{
	struct span all = span_str(s);
	size_t i = 0;
	for (; i < all.n; i++) {
		if ((all.p[i] & 0xc0) != 0x80 && n-- == 0)
			break;
	}
	return span_first(all, i);
}

/* The reason: behind the target where both have room, otherwise on a line below. */
static void
print_why(const struct log_table *t, const char *why, size_t indent, size_t room)
{
	const char *dim = t->colours ? cli_colour(CLI_DIM) : "";
	const char *plain = t->colours ? cli_colour(CLI_PLAIN) : "";

	text_out("%*s%s%.*s%s\n", (int)indent, "", dim, SPAN_ARG(cut_to(why, room)),
		plain);
}

static void
print_target(const struct log_table *t, const struct log_row *row, size_t before)
{
	size_t room = t->room > before + 8 ? t->room - before : SIZE_MAX;
	size_t n = width(row->target);
	size_t column = n > t->target ? n : t->target;
	bool beside = row->why[0] && n <= room && column + 2 + width(row->why) <= room;

	if (n > room) {
		text_out("%.*s…", SPAN_ARG(cut_to(row->target, room - 1)));
	} else {
		text_out("%s", row->target);
	}
	if (beside) {
		print_why(t, row->why, column - n + 2, LOG_WHY);
		return;
	}
	text_out("\n");
	if (row->why[0])
		print_why(t, row->why, before + 2, room - 2);
}

void
log_table_print(struct log_table *t, const struct log_row *row)
{
	struct tm tm = local_time(row->time);
	enum cli_colour tone = row->bad                           ? CLI_RED
		: span_starts(span_str(row->did), SPAN("bypass")) ? CLI_YELLOW
								  : CLI_PLAIN;

	print_day(t, &tm);
	text_out("  %02d:%02d:%02d  ", tm.tm_hour, tm.tm_min, tm.tm_sec);
	put_left(row->client, t->client);
	text_out("%s", t->colours ? cli_colour(tone) : "");
	put_left(row->did, t->did);
	text_out("%s%4s  %7s  %7s  ", t->colours ? cli_colour(CLI_PLAIN) : "",
		row->status, row->size, row->took);
	print_target(t, row, FIXED + t->client + t->did);
}
