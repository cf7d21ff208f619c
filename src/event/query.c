// SPDX-License-Identifier: Apache-2.0
#include "event/query.h"

#include "base/mem.h"
#include "base/text.h"

enum { FIELDS = EVENT_FIELDS + 2 }; /* kind and time beside the event's own */

/* What the rule room passes on to the getters below. */
struct record {
	struct facts_base base; /* first, as the rule room expects */
	const struct event_view *event;
	char session[EVENT_ID_TEXT]; /* ids as text, for as long as one evaluation */
	char request[EVENT_ID_TEXT];
};

struct query {
	struct field fields[FIELDS];
	struct scheme scheme;
	struct rule_expr *expr; /* owned; NULL: true for all */
	struct record record;
};

static const struct record *
record_of(const struct facts *f)
{
	return (const struct record *)(const void *)f;
}

static struct value
get_event(const struct facts *f, const struct field *row)
{
	const struct record *r = record_of(f);
	const struct event_value *v = &r->event->v[row->arg];
	enum event_type type = event_field_type((enum event_field)row->arg);

	if (type == EVENT_TYPE_FLAG)
		return value_bool(v->set && v->i != 0);
	if (!v->set)
		return value_missing();
	switch (type) {
	case EVENT_TYPE_STR:
		return value_string(v->s);
	case EVENT_TYPE_IP:
		return value_ip(v->ip);
	case EVENT_TYPE_ID:
		return value_string(
			span_str(row->arg == EVENT_SESSION ? r->session : r->request));
	case EVENT_TYPE_INT:
	case EVENT_TYPE_FLAG:
		break;
	}
	return value_int(v->i);
}

static struct value
get_kind(const struct facts *f, const struct field *row)
{
	(void)row;
	return value_string(span_str(event_kind_name(record_of(f)->event->kind)));
}

static struct value
get_time(const struct facts *f, const struct field *row)
{
	(void)row;
	return value_int(record_of(f)->event->time / 1000);
}

static enum type
rule_type_of(enum event_type t)
{
	switch (t) {
	case EVENT_TYPE_STR:
	case EVENT_TYPE_ID:
		return TYPE_STRING;
	case EVENT_TYPE_INT:
		return TYPE_INT;
	case EVENT_TYPE_FLAG:
		return TYPE_BOOL;
	case EVENT_TYPE_IP:
		return TYPE_IP;
	}
	return TYPE_NONE;
}

static void
make_fields(struct field fields[FIELDS])
{
	for (int i = 0; i < EVENT_FIELDS; i++) {
		enum event_field f = (enum event_field)i;
		fields[i] = (struct field){.name = event_field_name(f),
			.type = rule_type_of(event_field_type(f)),
			.phase = PHASE_ACCEPT,
			.get = get_event,
			.help = event_field_help(f),
			.arg = (uint16_t)i};
	}
	fields[EVENT_FIELDS] = (struct field){.name = "kind",
		.type = TYPE_STRING,
		.phase = PHASE_ACCEPT,
		.get = get_kind,
		.help = "session, request, dns, key or admin"};
	fields[EVENT_FIELDS + 1] = (struct field){.name = "time",
		.type = TYPE_INT,
		.phase = PHASE_ACCEPT,
		.get = get_time,
		.help = "when it began, seconds since 1970"};
}

bool
query_compile(struct span text, struct query **out, struct rule_error *error)
{
	struct query *q = mem_alloc(sizeof(*q));

	make_fields(q->fields);
	scheme_init(&q->scheme, q->fields, FIELDS, NULL);
	if (span_trim(text).n > 0 &&
		!rule_compile(&q->scheme, text,
			(struct rule_options){.dialect = RULE_GATEWAY}, &q->expr,
			error)) {
		query_free(q);
		return false;
	}
	*out = q;
	return true;
}

void
query_free(struct query *q)
{
	if (!q)
		return;
	rule_free(q->expr);
	scheme_fini(&q->scheme);
	mem_free(q);
}

bool
query_matches(struct query *q, const struct event_view *e)
{
	struct record *r = &q->record;

	if (!q->expr)
		return true;
	r->base.reached = PHASE_ACCEPT;
	r->event = e;
	event_id_text(r->session, (uint64_t)e->v[EVENT_SESSION].i);
	event_id_text(r->request, (uint64_t)e->v[EVENT_REQUEST].i);
	return rule_eval(q->expr, (const struct facts *)(const void *)r);
}
