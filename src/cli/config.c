// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include "base/mem.h"
#include "base/text.h"

void
config_complain(const struct conf_report *report)
{
	char text[CONF_COMPLAINT_TEXT];
	for (size_t i = 0; i < report->n; i++)
		text_err("%s", conf_complaint_text(text, &report->list[i], false));
	size_t all = report->errors + report->warnings;
	if (all > report->n)
		text_err("… and %zu more\n", all - report->n);
}

struct settings *
config_load(const char *path)
{
	struct conf_report *report = mem_alloc(sizeof(*report));
	struct settings *s = mem_alloc(sizeof(*s));
	conf_report_init(report);
	bool ok = settings_load(s, path, report);
	config_complain(report);
	mem_free(report);
	if (ok)
		return s;
	config_close(s);
	return NULL;
}

struct settings *
config_open(const struct cli_call *call)
{
	const char *path = cli_get(call, "config");
	return config_load(path ? path : CLI_CONFIG);
}

void
config_close(struct settings *s)
{
	if (!s)
		return;
	settings_fini(s);
	mem_free(s);
}

static const struct gateway *
find_named(struct conf_item *first, const char *name)
{
	for (struct conf_item *i = first; i != NULL; i = i->next) {
		const struct gateway *g = CONTAINER_OF(i, struct gateway, item);
		if (!name || span_eq(g->name, span_str(name)))
			return g;
	}
	return NULL;
}

const struct gateway *
config_gateway(const struct settings *s, const char *name, struct err *err)
{
	const struct gateway *g = find_named(s->gateways, name);
	if (!g)
		g = find_named(s->edges, name);
	if (!g) {
		(void)err_set(err, ERR_USAGE, "there is no gateway or edge %s",
			name ? name : "at all");
	}
	return g;
}
