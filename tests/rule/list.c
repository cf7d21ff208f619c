// SPDX-License-Identifier: Apache-2.0
#include "rule/set.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/list_priv.h"
#include "tests/test.h"

static bool
has(const struct rule_list *l, const char *s)
{
	struct value v = value_string(span_str(s));
	return list_has(l, &v);
}

static bool
covers(const struct rule_list *l, const char *s)
{
	struct value v = value_domains(span_str(s));
	return list_has(l, &v);
}

static void
write_file(const char *path, const char *text)
{
	struct err err = {0};
	CHECK_OK(file_replace(path, span_str(text), 0600, &err), &err);
}

struct dir {
	char path[64];
	char file[96];
	struct lists *lists;
};

static void
dir_open(struct dir *d)
{
	text_format(d->path, sizeof(d->path), "/tmp/sekisho-list-XXXXXX");
	CHECK(mkdtemp(d->path) != NULL);
	text_format(d->file, sizeof(d->file), "%s/a", d->path);
	d->lists = lists_new();
}

static void
dir_close(struct dir *d)
{
	lists_free(d->lists);
	unlink(d->file);
	rmdir(d->path);
}

static const struct rule_list *
load(struct dir *d, const char *text, enum list_format format, const char *column)
{
	struct err err = {0};
	struct list_source source = {.name = SPAN("l"),
		.path = span_str(d->file),
		.format = format,
		.column = span_str(column)};
	write_file(d->file, text);
	CHECK_OK(lists_load(d->lists, &source, &err), &err);
	return lists_find(d->lists, SPAN("l"));
}

static void
plain_names_mean_themselves_and_dots_what_is_below(void)
{
	struct dir d;
	dir_open(&d);
	const struct rule_list *l = load(&d,
		"# names\nA.example  # why\n.b.example\n*.c.example\n10.0.0.0/8\n443\n"
		"https://x.example/p?q\n",
		LIST_AUTO, "");
	CHECK(has(l, "a.example") && !has(l, "x.a.example") &&
		covers(l, "x.a.example"));
	CHECK(has(l, "b.example") && has(l, "x.b.example"));
	CHECK(!has(l, "c.example") && has(l, "x.c.example") &&
		covers(l, "y.x.c.example"));
	CHECK(!covers(l, "example") && !covers(l, "c.example"));
	CHECK(has(l, "https://x.example/p?q"));
	struct value ip = value_ip(ip_v4(0x0a010203));
	struct value port = value_int(443);
	CHECK(list_has(l, &ip) && list_has(l, &port));
	CHECK_INT(list_size(l), 6);
	dir_close(&d);
}

static void
published_forms_are_told_by_their_first_lines(void)
{
	static const struct {
		const char *text;
		const char *in;
		const char *below;
		const char *out;
	} rows[] = {
		{"127.0.0.1 localhost\n0.0.0.0 ads.example x.example # both\n",
			"x.example", NULL, "localhost"},
		{"$TTL 60\n@ IN SOA a. b. 1 1 1 1 1\n  IN NS a.\nbad.example CNAME .\n"
		 "*.bad.example CNAME .\nok.example CNAME rpz-passthru.\n"
		 "32.1.0.0.10.rpz-ip CNAME .\n",
			"bad.example", "x.bad.example", "ok.example"},
		{"[Adblock Plus 2.0]\n! c\n||ads.example^\n@@||ok.example^\n"
		 "||x.example^$third-party\nexample.com##.ad\n",
			"ads.example", "a.ads.example", "x.example"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dir d;
		dir_open(&d);
		const struct rule_list *l = load(&d, rows[i].text, LIST_AUTO, "");
		CHECK(has(l, rows[i].in) && !has(l, rows[i].out));
		CHECK(rows[i].below == NULL || has(l, rows[i].below));
		CHECK(list_skipped(l) > 0);
		dir_close(&d);
	}
}

static void
a_csv_gives_the_named_column(void)
{
	struct dir d;
	dir_open(&d);
	const struct rule_list *l =
		load(&d, "id,Name,note\n1,a.example,\"x, y\"\n2,\"b.example\",z\n",
			LIST_CSV, "name");
	CHECK(has(l, "a.example") && has(l, "b.example") && !has(l, "1"));
	dir_close(&d);
}

static void
a_broken_line_is_named_and_the_old_list_stays(void)
{
	struct dir d;
	struct err err = {0};
	dir_open(&d);
	const struct rule_list *l = load(&d, "a.example\n", LIST_PLAIN, "");
	uint64_t stamp = lists_stamp(d.lists);
	CHECK(stamp == lists_stamp(d.lists));
	write_file(d.file, "b.example\n10.0.0.1/8\n");
	CHECK(stamp != lists_stamp(d.lists));
	CHECK_INT(lists_refresh(d.lists, &err), 0);
	CHECK_INT(err.code, ERR_RULE_LIST);
	CHECK(strstr(err.text, "/a:2: ") != NULL);
	CHECK(has(l, "a.example") && !has(l, "b.example"));
	write_file(d.file, "b.example\n");
	CHECK_INT(lists_refresh(d.lists, &err), 1);
	CHECK(!has(l, "a.example") && has(l, "b.example"));
	CHECK_INT(lists_refresh(d.lists, &err), 0);
	dir_close(&d);
}

static void
a_directory_is_one_list(void)
{
	struct dir d;
	struct err err = {0};
	char second[96];
	dir_open(&d);
	text_format(second, sizeof(second), "%s/b", d.path);
	write_file(d.file, "a.example\n");
	write_file(second, "0.0.0.0 b.example\n");
	struct list_source source = {.name = SPAN("l"), .path = span_str(d.path)};
	CHECK_OK(lists_load(d.lists, &source, &err), &err);
	const struct rule_list *l = lists_find(d.lists, SPAN("l"));
	CHECK(has(l, "a.example") && has(l, "b.example"));
	unlink(second);
	dir_close(&d);
}

/* Under sanitizers a fifth of the names stands for all. */
static void
a_name_costs_at_most_64_octets(void)
{
	enum { NAMES = 200000 };
	struct list_body body = {0};
	const char *why;
	for (uint32_t i = 0; i < NAMES; i++) {
		char name[64];
		size_t n = text_format(name, sizeof(name),
			"host-%u.some-site-%u.example.com", i, i * 2654435761U);
		CHECK(list_body_add(&body, TYPE_NONE, span_of(name, n), &why));
	}
	list_body_seal(&body);
	size_t cost = body.strings.cap + body.strings.n_slots * (sizeof(uint32_t) + 1);
	CHECK(cost / NAMES <= 64);
	CHECK(string_set_has(&body.strings, SPAN("host-0.some-site-0.example.com")));
	list_body_fini(&body);
}

TESTS(plain_names_mean_themselves_and_dots_what_is_below,
	published_forms_are_told_by_their_first_lines, a_csv_gives_the_named_column,
	a_broken_line_is_named_and_the_old_list_stays, a_directory_is_one_list,
	a_name_costs_at_most_64_octets)
