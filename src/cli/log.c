// SPDX-License-Identifier: Apache-2.0
/*
 * log: what happened, as a table or as JSON.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/log_priv.h"
#include "conf/value.h"
#include "event/query.h"
#include "gate/settings.h"

enum {
	SHOWN = 40,          /* rows of the table unless told otherwise */
	SHOWN_MOST = 100000, /* rows kept for turning their order */
	JSON_LINE = 64 * 1024,
	POLL_MS = 250,
	PATH_LENGTH = 1024,
};

static const struct cli_option options[] = {
	{"config", 'c', "FILE",
		"read the place of the store from this configuration [" CLI_CONFIG "]",
		false},
	{"store", 0, "FILE", "read this store, whatever the configuration says", false},
	{"where", 'w', "CONDITION",
		"only events for which this holds, in the rule language", false},
	{"kind", 'k', "KIND",
		"session, request, dns, key or admin [all; sessions that carried "
		"requests are left out of the table]",
		true},
	{"session", 's', "ID", "only this session and its requests", false},
	{"since", 0, "TIME",
		"not older than 90min, 12h, 3d, or a time as 2026-11-21T08:00:00Z",
		false},
	{"number", 'n', "N", "the newest N [40; with --json all]", false},
	{"follow", 'f', NULL, "go on with what happens now", false},
	{"json", 'j', NULL, "one JSON object a line", false},
	{0},
};

/* One run of the command. */
struct listing {
	struct store *store; /* owned */
	struct query *query; /* owned */
	struct store_range range;
	uint64_t number; /* 0: all */
	bool json;
	bool follow;
	bool whole; /* sessions are shown although their requests are */
	struct log_table table;
	struct json_out out;
	uint64_t seen; /* the last seq shown or passed over */
};

/* --- what is asked --- */

/* Where the configuration keeps the store. Only its words are read: no keys, no lists.
 */
static bool
find_store(const char *config, char path[PATH_LENGTH], struct err *err)
{
	const char *file = config ? config : CLI_CONFIG;
	struct conf_report *report = mem_alloc(sizeof(*report));
	struct settings *s = mem_alloc(sizeof(*s));
	struct conf_tree tree;
	bool ok = true;

	conf_report_init(report);
	conf_tree_init(&tree);
	if (config || access(file, R_OK) == 0) {
		ok = conf_tree_read(&tree, file, report) ||
			conf_report_err(report, err);
	}
	(void)!conf_fill(&tree, &settings_table, s, report); /* `check` judges it */
	if (s->events.store.n > 0) {
		text_format(path, PATH_LENGTH, "%.*s", SPAN_ARG(s->events.store));
	} else {
		text_format(path, PATH_LENGTH, "%.*s/events.db", SPAN_ARG(s->data));
	}
	conf_tree_fini(&tree);
	mem_free(s);
	mem_free(report);
	return ok;
}

static bool
read_since(const char *text, int64_t *since, struct err *err)
{
	uint64_t ms = 0;
	char day[32];

	if (!text)
		return true;
	if (conf_read_duration(span_str(text), &ms) && ms < INT64_MAX) {
		*since = clock_wall_ms() - (int64_t)ms;
		return true;
	}
	text_format(day, sizeof(day), "%sT00:00:00Z", text);
	if (clock_parse(span_str(text), since) || clock_parse(span_str(day), since))
		return true;
	return err_set(err, ERR_USAGE,
		"\"%s\" is no time; write 90min, 2026-11-21 or "
		"2026-11-21T08:00:00Z",
		text);
}

static bool
read_kinds(const struct cli_call *call, unsigned *kinds, struct err *err)
{
	const char *text;
	for (size_t i = 0; (text = cli_get_nth(call, "kind", i)); i++) {
		enum event_kind k = event_kind_find(span_str(text));
		if (k == EVENT_KINDS) {
			return err_set(
				err, ERR_USAGE, "\"%s\" is no kind of event", text);
		}
		*kinds |= 1u << k;
	}
	return true;
}

static bool
read_query(const char *text, struct query **out, struct err *err)
{
	struct rule_error error = {0};
	char shown[1200];
	struct text t = text_to(shown, sizeof(shown));

	if (query_compile(span_str(text), out, &error))
		return true;
	rule_put_error(&t, span_str(text), &error);
	text_err("%s", shown);
	return err_set(err, ERR_EVENT_FILTER, "line %u, column %u: %s", error.line,
		error.col, error.message);
}

static bool
read_call(const struct cli_call *call, struct listing *l, struct err *err)
{
	const char *session = cli_get(call, "session");

	l->json = cli_has(call, "json");
	l->follow = cli_has(call, "follow");
	l->number = l->json ? 0 : SHOWN;
	if (!cli_number(call, "number", SHOWN_MOST, &l->number, err) ||
		!read_kinds(call, &l->range.kinds, err) ||
		!read_since(cli_get(call, "since"), &l->range.since_ms, err))
		return false;
	if (session && !event_id_parse(span_str(session), &l->range.session)) {
		return err_set(err, ERR_USAGE, "\"%s\" is no id; it has 16 hex digits",
			session);
	}
	l->whole = l->json || session || l->range.kinds != 0 || cli_get(call, "where");
	return read_query(cli_get(call, "where"), &l->query, err);
}

/* --- what is shown --- */

static bool
has_alert(const struct event_view *e)
{
	const struct event_value *v = &e->v[EVENT_ALERT];
	return v->set && !span_eq(v->s, SPAN("close_notify"));
}

/* A session whose requests stand for it, or that asked for nothing, is left out, unless
 * all are asked for. */
static bool
is_wanted(const struct listing *l, const struct event_view *e)
{
	bool session = e->kind == EVENT_KIND_SESSION;
	bool carried = session && e->v[EVENT_REQUESTS].set &&
		e->v[EVENT_REQUESTS].i > 0 && !has_alert(e);
	bool empty = session && !e->v[EVENT_HOST].set && !e->v[EVENT_ERR].set;

	return (l->whole || (!carried && !empty)) && query_matches(l->query, e);
}

static void
print_json(struct listing *l, const struct event_view *e)
{
	json_reset(&l->out);
	event_json(&l->out, e);
	text_out_span(json_text(&l->out));
	text_out("\n");
}

static void
print(struct listing *l, const struct event_view *e)
{
	struct log_row row;
	if (l->json) {
		print_json(l, e);
		return;
	}
	log_row_make(&row, e);
	log_table_fit(&l->table, &row);
	log_table_print(&l->table, &row);
}

/* Of the newest events the last number are kept, and the seq of the oldest of them. */
static bool
find_start(struct listing *l, uint64_t *from, struct err *err)
{
	struct store_scan *scan = NULL;
	struct event_view *e = mem_alloc(sizeof(*e));
	struct log_row row;
	uint64_t n = 0;
	bool ok = store_scan_open(l->store, &l->range, &scan, err);

	*from = 1;
	while (ok && n < l->number && store_scan_next(scan, e)) {
		if (!is_wanted(l, e))
			continue;
		*from = e->seq;
		n++;
		if (l->json)
			continue;
		log_row_make(&row, e);
		log_table_fit(&l->table, &row);
	}
	if (n < l->number)
		*from = 1;
	store_scan_close(scan);
	mem_free(e);
	return ok;
}

/* All events behind l->seen, in the order they came. */
static bool
print_from(struct listing *l, struct err *err)
{
	struct store_scan *scan = NULL;
	struct event_view *e = mem_alloc(sizeof(*e));
	struct store_range range = l->range;
	bool ok;

	range.oldest_first = true;
	range.after = l->seen;
	ok = store_scan_open(l->store, &range, &scan, err);
	while (ok && store_scan_next(scan, e)) {
		l->seen = e->seq;
		if (is_wanted(l, e))
			print(l, e);
	}
	store_scan_close(scan);
	mem_free(e);
	return ok;
}

static bool
follow(struct listing *l, struct err *err)
{
	static const struct timespec pause = {0, POLL_MS * 1000000L};
	while (text_flush()) {
		nanosleep(&pause, NULL);
		if (store_last(l->store) > l->seen && !print_from(l, err))
			return false;
	}
	return true; /* the reader has gone */
}

static bool
list(struct listing *l, struct err *err)
{
	uint64_t from = 1;

	if (l->number > 0 && !find_start(l, &from, err))
		return false;
	l->seen = from - 1;
	if (!print_from(l, err))
		return false;
	if (!l->follow && !l->json && !l->table.has_head)
		text_err("No events.\n");
	return !l->follow || follow(l, err);
}

static enum cli_exit
run_log(const struct cli_call *call)
{
	struct listing l = {0};
	struct err err = {0};
	char path[PATH_LENGTH];
	const char *store = cli_get(call, "store");

	json_init(&l.out, JSON_LINE);
	log_table_init(&l.table);
	bool ok = read_call(call, &l, &err) &&
		(store || find_store(cli_get(call, "config"), path, &err)) &&
		store_open_read(store ? store : path, &l.store, &err) && list(&l, &err);
	store_close(l.store);
	query_free(l.query);
	json_fini(&l.out);
	if (err.code == ERR_EVENT_FILTER) {
		(void)cli_fail(&err);
		return CLI_USAGE;
	}
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_log = {
	.name = "log",
	.operands = "",
	.summary = "show what happened",
	.help = "Lists events: what clients asked for, what was decided and why, how "
		"it ended.\n"
		"The table shows the newest last. A session whose requests are listed "
		"is not\n"
		"repeated; --kind session shows all of them. Conditions use the rule "
		"language\n"
		"over the fields of docs/events.md, which are also the keys of --json.",
	.examples = "sekisho log --where 'action == \"block\"' --since 1h\n"
		    "sekisho log -f --where 'host contains \"bank\"'\n"
		    "sekisho log --where 'client == 10.1.2.3 and status >= 500'\n"
		    "sekisho log --session 194e970b0b87d6db --json\n",
	.options = options,
	.run = run_log,
};
