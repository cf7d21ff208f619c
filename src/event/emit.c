// SPDX-License-Identifier: Apache-2.0
/*
 * emit: from a worker to the scribe.
 *
 * A message is magic:4 count:4 lost:8, then records. The batch has room for the head
 * from the start, so a message is sent from where it was gathered.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/read.h"
#include "base/stats.h"
#include "event/event.h"

enum { HEAD = 16, MAGIC = 0x534b4556 };

void
event_link_init(struct event_link *l, bool (*send)(struct event_link *, struct span))
{
	*l = (struct event_link){
		.send = send, .batch = mem_alloc(EVENT_BATCH), .n = HEAD};
}

/* Sends what there is; false when it cannot go now. */
static bool
send_batch(struct event_link *l)
{
	struct write w = write_to(l->batch, HEAD);

	write_be(&w, MAGIC, 4);
	write_be(&w, l->count, 4);
	write_be64(&w, l->lost);
	if (!l->send(l, span_of(l->batch, l->n)))
		return false;
	l->n = HEAD;
	l->count = 0;
	l->lost = 0;
	return true;
}

void
event_link_fini(struct event_link *l)
{
	if (l->count > 0 || l->lost > 0)
		(void)send_batch(l); /* the last chance */
	mem_free(l->batch);
	*l = (struct event_link){0};
}

void
event_emit(struct event_link *l, const struct event *e)
{
	if (!l)
		return;
	stat_add(STAT_EVENTS_EMITTED, 1);
	bool fits = e->n <= EVENT_BATCH - l->n ||
		(send_batch(l), e->n <= EVENT_BATCH - l->n);
	if (!fits) {
		l->lost++;
		stat_add(STAT_EVENTS_LOST, 1);
		return;
	}
	if (l->count == 0)
		l->since_ms = clock_now();
	memcpy(l->batch + l->n, e->bytes, e->n);
	l->n += e->n;
	l->count++;
}

uint64_t
event_flush(struct event_link *l)
{
	if (l->count == 0)
		return UINT64_MAX;
	uint64_t age = clock_now() - l->since_ms;
	if (age < EVENT_BATCH_WAIT && l->n < EVENT_BATCH_SEND)
		return EVENT_BATCH_WAIT - age;
	return send_batch(l) ? UINT64_MAX : EVENT_BATCH_WAIT;
}

bool
event_batch_read(struct span message, struct event_batch *out, struct err *err)
{
	struct read r = read_from(message);
	uint32_t magic = read_be(&r, 4);
	uint32_t count = read_be(&r, 4);
	uint64_t lost = read_be64(&r);

	if (r.bad || magic != MAGIC) {
		return err_set(err, ERR_EVENT_RECORD, "no message of ours, %zu octets",
			message.n);
	}
	*out = (struct event_batch){.lost = lost, .count = count, .records = r.left};
	return true;
}
