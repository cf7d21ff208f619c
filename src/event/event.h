// SPDX-License-Identifier: Apache-2.0
/*
 * event: what a traveller did, as one flat record.
 *
 *	struct event e;
 *	event_init(&e, EVENT_KIND_REQUEST);
 *	event_id(&e, EVENT_SESSION, s->id);
 *	event_str(&e, EVENT_HOST, x->host);
 *	event_int(&e, EVENT_STATUS, 200);
 *	event_emit(w->events, &e);
 *
 * The record lives on the stack and holds its own octets, already in the form that goes
 * to the scribe: setting a field is an append, emitting is a copy. Nothing here
 * allocates, blocks or fails; what does not fit is cut and marked, what the scribe
 * cannot take is counted.
 */
#pragma once

#include "base/err.h"
#include "base/ip.h"

enum event_kind {
	EVENT_KIND_SESSION,
	EVENT_KIND_REQUEST,
	EVENT_KIND_DNS,
	EVENT_KIND_KEY,
	EVENT_KIND_ADMIN,
	EVENT_KINDS
};

enum event_type {
	EVENT_TYPE_STR,
	EVENT_TYPE_INT,
	EVENT_TYPE_FLAG,
	EVENT_TYPE_IP,
	EVENT_TYPE_ID
};

enum event_field {
#define EVENT(name, text, type, kinds, help) EVENT_##name,
#include "event/event_list.h"
#undef EVENT
	EVENT_FIELDS
};

enum {
	EVENT_BYTES = 6000,    /* of one record, encoded */
	EVENT_STR_LIMIT = 2000 /* octets of one string; longer ones end in "…" */
};

struct event {
	uint32_t n; /* octets used */
	bool cut;   /* a field was cut or left out */
	uint8_t has[(EVENT_FIELDS + 7) / 8];
	uint8_t redacted[(EVENT_FIELDS + 7) / 8];
	uint8_t bytes[EVENT_BYTES];
};

/* The time is now. */
void event_init(struct event *e, enum event_kind kind);
/* The same for what began at another time, in wall milliseconds. */
void event_begin(struct event *e, enum event_kind kind, int64_t wall_ms);
/* When it began, in wall milliseconds, if that was not now. */
void event_time(struct event *e, int64_t wall_ms);
/* A rule said that this field reaches no sink: later sets of it do nothing. To be
 * called before the field is set. */
void event_redact(struct event *e, enum event_field f);

/*
 * Each sets a field of its type. The first set counts; a later one is ignored, so the
 * most telling reason is set where it is known. Empty strings, IP_NONE and false are
 * not recorded.
 */
void event_str(struct event *e, enum event_field f, struct span s);
void event_cstr(struct event *e, enum event_field f, const char *s); /* NULL: nothing */
void event_int(struct event *e, enum event_field f, int64_t v);
void event_flag(struct event *e, enum event_field f, bool v);
void event_ip(struct event *e, enum event_field f, const struct ip *ip);
void event_id(struct event *e, enum event_field f, uint64_t id);
/* Sets ERR and ERR_TEXT. */
void event_err(struct event *e, const struct err *err);
MUST_USE bool event_has(const struct event *e, enum event_field f);

/* A new id for a session or a request: 40 bits of milliseconds since 2020, then 23 that
 * count on from a random start in each process; so ids sort by time and tell when.
 * Never 0. To be called after the last fork. */
uint64_t event_id_new(void);
enum { EVENT_ID_TEXT = 17 };
/* 16 hex digits; returns dst. */
const char *event_id_text(char dst[EVENT_ID_TEXT], uint64_t id);
MUST_USE bool event_id_parse(struct span s, uint64_t *id);
/* Wall milliseconds hidden in an id. */
int64_t event_id_time(uint64_t id);

/* What the tables say. */
const char *event_field_name(enum event_field f);
const char *event_field_help(enum event_field f);
enum event_type event_field_type(enum event_field f);
MUST_USE bool event_field_in(enum event_field f, enum event_kind kind);
/* EVENT_FIELDS when there is none. */
enum event_field event_field_find(struct span name);
const char *event_kind_name(enum event_kind k);
/* EVENT_KINDS when there is none. */
enum event_kind event_kind_find(struct span name);

/* --- reading: in the scribe, the console, `log` --- */

struct event_value {
	bool set;
	union {
		int64_t i;     /* INT, FLAG, ID as bits */
		struct span s; /* STR; points into what was read */
		struct ip ip;  /* IP */
	};
};

enum { EVENT_WORDS = (EVENT_FIELDS + 63) / 64 };

struct event_view {
	enum event_kind kind;
	int64_t time;    /* wall milliseconds */
	uint64_t seq;    /* number in the store; 0 before it is stored */
	struct span raw; /* the record it was read from; empty when from a store */
	uint64_t has[EVENT_WORDS]; /* a bit for each value that is set, for walks */
	struct event_value v[EVENT_FIELDS];
};

/* The first field from `from` on that is set, or EVENT_FIELDS. */
size_t event_next(const struct event_view *e, size_t from);

/* The encoded record, for event_read() and for tests. Valid as long as e. */
struct span event_bytes(const struct event *e);
/*
 * Takes one record off the front of *s. False and ERR_EVENT_RECORD for anything but
 * what this file writes; every offset is checked, the sender is not trusted.
 */
MUST_USE bool event_read(struct span *s, struct event_view *out, struct err *err);

struct json_out;
/* Adds the event as a JSON object: time, kind and what is set; ids and addresses are
 * text, flags true. */
void event_json(struct json_out *j, const struct event_view *e);

/* --- sending: in a worker --- */

/* Octets of one message to the scribe, the most and when one is sent early. */
enum { EVENT_BATCH = 60000, EVENT_BATCH_SEND = 30000 };
/* An event waits at most so long, ms, for others to go with it. */
enum { EVENT_BATCH_WAIT = 50 };

/*
 * The way to the scribe. The process embeds it and says how a message is sent; send()
 * must not block: false means not now, and the batch is kept for the next flush. When
 * it is full events are dropped and counted; the count travels with the next message.
 */
struct event_link {
	bool (*send)(struct event_link *link, struct span message);
	uint8_t *batch;    /* owned, EVENT_BATCH octets */
	size_t n;          /* octets used */
	uint32_t count;    /* records in it */
	uint64_t lost;     /* dropped since the last message */
	uint64_t since_ms; /* clock_now() of the first record in it */
};

void event_link_init(
	struct event_link *l, bool (*send)(struct event_link *, struct span));
/* Tries to send what is left. */
void event_link_fini(struct event_link *l);
/* Queues a copy. l may be NULL: the event goes nowhere (tests, explain). */
void event_emit(struct event_link *l, const struct event *e);
/*
 * To be called at the end of each loop turn: sends when enough or for long enough has
 * been waiting. Returns how many ms the loop may sleep for our sake (UINT64_MAX: any
 * time).
 */
uint64_t event_flush(struct event_link *l);

/* A message as received: how many events were lost before it, and its records, to be
 * taken with event_read() until empty. */
struct event_batch {
	uint64_t lost;
	uint32_t count;
	struct span records;
};
MUST_USE bool event_batch_read(
	struct span message, struct event_batch *out, struct err *err);
