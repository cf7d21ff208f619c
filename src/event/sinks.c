// SPDX-License-Identifier: Apache-2.0
#include "event/sinks.h"

#include "base/json.h"
#include "base/mem.h"
#include "event/sinks_priv.h"

enum { LINE_MAX_OCTETS = 64 * 1024 }; /* a record of 6,000 octets, escaped six to one */

/* To add a sink: its kind in sinks_priv.h, its line here. */
static const struct sink_kind *const kinds[] = {
	&sink_file,
	&sink_stdout,
};

const struct sink_kind *
sinks_kind(size_t i)
{
	return i < COUNT_OF(kinds) ? kinds[i] : NULL;
}

void
sinks_init(struct sinks *all)
{
	*all = (struct sinks){0};
}

void
sinks_fini(struct sinks *all)
{
	sinks_flush(all);
	while (all->first) {
		struct sink *s = all->first;
		all->first = s->next;
		s->kind->close(s);
	}
	if (all->json)
		json_fini(all->json);
	mem_free(all->json);
	all->json = NULL;
}

void
sinks_add(struct sinks *all, struct sink *s)
{
	struct sink **tail = &all->first;
	while (*tail)
		tail = &(*tail)->next;
	s->next = NULL;
	*tail = s;
	if (!all->json) {
		all->json = mem_alloc(sizeof(*all->json));
		json_init(all->json, LINE_MAX_OCTETS);
	}
}

bool
sinks_open(struct sinks *all, struct span kind, struct span target, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (!span_eq(kind, span_str(kinds[i]->name)))
			continue;
		struct sink *s = kinds[i]->open(target, err);
		if (!s)
			return false;
		sinks_add(all, s);
		return true;
	}
	return err_set(
		err, ERR_EVENT_SINK, "no sink is called \"%.*s\"", SPAN_ARG(kind));
}

void
sinks_put(struct sinks *all, const struct event_view *e)
{
	if (!all->first)
		return;
	json_reset(all->json);
	event_json(all->json, e);
	struct span line = json_text(all->json);
	for (struct sink *s = all->first; s; s = s->next)
		s->kind->put(s, e, line);
}

void
sinks_flush(struct sinks *all)
{
	for (struct sink *s = all->first; s; s = s->next) {
		if (s->kind->flush)
			s->kind->flush(s);
	}
}
