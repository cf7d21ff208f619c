// SPDX-License-Identifier: Apache-2.0
#include "proc/reply_priv.h"

#include "base/clock.h"

enum { REPLY_BYTES = 64 * 1024 };

void
reply_json(struct control_call **call, const struct json_out *json)
{
	if (*call)
		control_answer(*call, json);
	*call = NULL;
}

void
reply_done(struct control_call **call)
{
	struct json_out json;
	json_init(&json, REPLY_BYTES);
	json_object(&json, NULL);
	json_bool(&json, "ok", true);
	json_end(&json);
	reply_json(call, &json);
	json_fini(&json);
}

void
reply_err(struct control_call **call, const struct err *err)
{
	struct json_out json;
	json_init(&json, REPLY_BYTES);
	json_object(&json, NULL);
	json_bool(&json, "ok", false);
	json_str(&json, "code", err_id(err->code));
	json_str(&json, "text", err->text);
	json_end(&json);
	reply_json(call, &json);
	json_fini(&json);
}

void
reply_child(struct json_out *json, const struct child *c)
{
	const struct stats *stats = c->page ? &c->page->stats : NULL;
	json_object(json, NULL);
	json_str(json, "process", child_kind_name(c->kind));
	json_uint(json, "number", c->number);
	json_int(json, "pid", c->pid);
	json_bool(json, "ready", c->ready);
	json_uint(json, "age_ms", c->pid ? clock_now() - c->born_ms : 0);
	if (stats && c->kind == CHILD_WORKER) {
		json_uint(json, "sessions_open", stats->v[STAT_SESSIONS_OPEN]);
		json_uint(json, "sessions_opened", stats->v[STAT_SESSIONS_OPENED]);
	}
	json_end(json);
}

void
reply_generation(struct json_out *json, const struct generation *g)
{
	json_object(json, NULL);
	json_uint(json, "number", g->spec.number);
	json_str(json, "state", generation_state_name(g->state));
	json_array(json, "processes");
	reply_child(json, &g->vault);
	for (size_t i = 0; i < g->spec.n_workers; i++)
		reply_child(json, &g->workers[i].child);
	json_end(json);
	json_end(json);
}
