// SPDX-License-Identifier: Apache-2.0
/*
 * explain_session: what was decided about a session, and what today's policy says of
 * it, from the event store. What an event does not hold is missing to the rules.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/config.h"
#include "cli/explain_priv.h"
#include "event/store.h"
#include "fact/replay.h"

enum { PATH_LENGTH = 1024 };

struct past {
	const struct settings *settings;
	struct arena arena;
	struct facts session; /* of the session's event, or nothing */
	struct replay replay;
	const struct gateway *g;
	size_t found;
};

static struct span
shown(const struct event_view *e, enum event_field f)
{
	return e->v[f].set ? e->v[f].s : (struct span){0};
}

static void
print_safe(const char *before, struct span s)
{
	char room[600];
	struct text t = text_to(room, sizeof(room));
	text_put_safe(&t, s);
	text_out("%s%s", before, room);
}

/* What was decided then, as the event says. */
static void
print_recorded(const struct event_view *e)
{
	struct span verdicts = shown(e, EVENT_VERDICTS);
	print_safe("  recorded: ", shown(e, EVENT_ACTION));
	print_safe(verdicts.n > 0 ? " (" : "", verdicts);
	text_out("%s\n", verdicts.n > 0 ? ")" : "");
	if (e->v[EVENT_DRY_RUN].set)
		print_safe("  dry run:  ", shown(e, EVENT_DRY_RUN)), text_out("\n");
	if (e->v[EVENT_LABELS].set)
		print_safe("  labels:   ", shown(e, EVENT_LABELS)), text_out("\n");
	if (e->v[EVENT_WHY].set)
		print_safe("  why:      ", shown(e, EVENT_WHY)), text_out("\n");
	if (e->v[EVENT_ERR].set)
		print_safe("  error:    ", shown(e, EVENT_ERR)), text_out("\n");
}

static void
print_title(const char *what, uint64_t id, const struct event_view *e)
{
	char text[EVENT_ID_TEXT];
	char time[CLOCK_TEXT];
	text_out("%s%s %s%s  %s", cli_colour(CLI_BOLD), what, event_id_text(text, id),
		cli_colour(CLI_PLAIN), clock_text(time, e->time));
}

static void
print_today(const struct past *p, struct facts *f, const struct event_view *e)
{
	struct span now = span_str(explain_outcome(p->g, f));
	/* A request that no rule decides about goes on. */
	if (f->request &&
		(span_eq(now, SPAN("inspect")) || span_eq(now, SPAN("forward"))))
		now = SPAN("allow");
	/* What went wrong without a rule is not the rules' to repeat. */
	bool by_rules = e->v[EVENT_RULE].set || !e->v[EVENT_ERR].set;
	bool same = !by_rules || span_eq(shown(e, EVENT_ACTION), now);
	text_out("  today:    %.*s%s\n", SPAN_ARG(now),
		same ? "" : ", which is not what was recorded");
	explain_rules(p->g, f);
	text_out("\n");
}

static bool
pick(struct past *p, const struct event_view *e, struct err *err)
{
	char name[64];
	text_format(name, sizeof(name), "%.*s", SPAN_ARG(shown(e, EVENT_GATEWAY)));
	p->g = config_gateway(p->settings, name, err);
	if (!p->g)
		return false;
	p->session.apps = p->g->apps;
	p->session.geo = p->g->geo;
	p->session.categories = p->g->categories;
	return true;
}

/* Requests are told before the session ends, so the session is looked for first. */
static bool
take_session(struct past *p, const struct event_view *e, struct err *err)
{
	if (!pick(p, e, err))
		return false;
	p->found++;
	replay_session(&p->session, &p->replay, e, &p->arena);
	print_title("session", (uint64_t)e->v[EVENT_SESSION].i, e);
	print_safe("  ", shown(e, EVENT_HOST));
	text_out("\n");
	print_recorded(e);
	struct facts f = p->session;
	print_today(p, &f, e);
	return true;
}

static bool
take_request(struct past *p, const struct event_view *e, struct err *err)
{
	if (!p->g && !pick(p, e, err))
		return false;
	const struct facts_wanted wanted = facts_wanted(p->g->policy);
	struct arena arena;
	struct replay replay = {.cert = p->replay.cert};
	struct facts f = p->session;
	arena_init(&arena, EXPLAIN_ARENA);
	p->found++;
	if (f.cert)
		f.cert = &replay.cert;
	print_title("request", (uint64_t)e->v[EVENT_REQUEST].i, e);
	print_safe("  ", shown(e, EVENT_METHOD));
	print_safe(" ", shown(e, EVENT_SCHEME));
	print_safe("://", shown(e, EVENT_HOST));
	print_safe("", shown(e, EVENT_PATH));
	text_out("\n");
	print_recorded(e);
	if (replay_request(&f, &replay, &wanted, e, &arena)) {
		print_today(p, &f, e);
	} else {
		text_out("  The request was redacted; nothing can be said of it.\n\n");
	}
	arena_fini(&arena);
	return true;
}

static bool
scan(struct past *p, struct store *store, uint64_t id, enum event_kind kind,
	struct err *err)
{
	const struct store_range range = {
		.kinds = 1U << kind, .session = id, .oldest_first = true};
	struct event_view *e = mem_alloc(sizeof(*e));
	struct store_scan *s = NULL;
	bool ok = store_scan_open(store, &range, &s, err);
	while (ok && store_scan_next(s, e)) {
		ok = kind == EVENT_KIND_SESSION ? take_session(p, e, err)
						: take_request(p, e, err);
	}
	store_scan_close(s);
	mem_free(e);
	return ok;
}

static bool
open_store(const struct settings *s, struct store **out, struct err *err)
{
	char path[PATH_LENGTH];
	if (s->events.store.n > 0) {
		text_format(path, sizeof(path), "%.*s", SPAN_ARG(s->events.store));
	} else {
		text_format(path, sizeof(path), "%.*s/events.db", SPAN_ARG(s->data));
	}
	return store_open_read(path, out, err);
}

bool
explain_session(const struct settings *s, const struct cli_call *call, struct err *err)
{
	struct store *store = NULL;
	const char *text = cli_get(call, "session");
	uint64_t id;
	if (!event_id_parse(span_str(text), &id)) {
		return err_set(
			err, ERR_USAGE, "\"%s\" is no id; it has 16 hex digits", text);
	}
	struct past *p = mem_alloc(sizeof(*p)); /* too much for the stack */
	p->settings = s;
	arena_init(&p->arena, EXPLAIN_ARENA);
	bool ok = open_store(s, &store, err) &&
		scan(p, store, id, EVENT_KIND_SESSION, err) &&
		scan(p, store, id, EVENT_KIND_REQUEST, err);
	if (ok && p->found == 0)
		ok = err_set(err, ERR_USAGE, "the store has no session %s", text);
	store_close(store);
	arena_fini(&p->arena);
	mem_free(p);
	return ok;
}
