// SPDX-License-Identifier: Apache-2.0
/*
 * A name being asked is a flight: two questions to c-ares (A and AAAA) and everybody
 * who waits for them. It ends when both have come back, or 50 ms after the first usable
 * one; the second then still completes what the cache holds. c-ares calls back from its
 * own depths, sometimes before its own call returns, so a flight that has landed is
 * only put on a list, and its waiters are told at the end of the turn.
 */
#include "net/resolve.h"

#include <ares.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/addr.h"
#include "net/answers_priv.h"
#include "net/hosts_priv.h"

/* c-ares 1.31 and later remembers answers too; ours is the cache that has bounds. */
#ifdef ARES_OPT_QUERY_CACHE
#define NO_QUERY_CACHE ARES_OPT_QUERY_CACHE /* with qcache_max_ttl left at 0 */
#else
#define NO_QUERY_CACHE 0
#endif

enum {
	NAME_MOST = 254,     /* 253 and the final dot */
	FAMILY_WAIT_MS = 50, /* "Resolution Delay", RFC 8305 §8 */
	FAILED_TTL_S = 1,    /* an unanswered question is not asked at once again */
	TRIES = 3,
	CACHE_BYTES = 1 << 20,
	HOSTS_FILE_MOST = 16 << 20,
	PER_FAMILY = RESOLVE_MOST,
};

struct resolver {
	struct loop *loop; /* outlives us */
	ares_channel channel;
	struct timer timer; /* c-ares' own timeouts */
	struct list sockets;
	struct hosts hosts;
	struct answers answers;
	struct map flights; /* by name */
	struct list landed; /* flights whose waiters are to be told */
	struct hook deliver;
	uint32_t ttl_least_s;
	uint32_t ttl_most_s;
	uint32_t ttl_negative_s;
};

/* One of the two questions. */
struct question {
	struct flight *flight;
	int family; /* AF_INET or AF_INET6 */
	bool back;
	int status; /* ARES_…, once it is back */
	size_t n;
	struct ip ips[PER_FAMILY];
};

struct flight {
	struct map_item by_name;
	struct resolver *resolver;
	struct list in; /* resolver's landed */
	struct list waiting;
	struct timer family_wait;
	struct corpse corpse;
	struct question v6;
	struct question v4;
	uint32_t ttl_s;
	bool starting; /* inside resolve_start() */
	size_t name_n;
	uint8_t name[NAME_MOST + 1];
};

struct ares_socket {
	struct list in;
	struct resolver *resolver;
	struct watch watch;
	struct corpse corpse;
};

/* ---- c-ares and the loop */

static void
set_timer(struct resolver *r)
{
	struct timeval tv;
	if (!ares_timeout(r->channel, NULL, &tv)) {
		timer_stop(r->loop, &r->timer);
		return;
	}
	uint64_t wait_ms = (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1;
	timer_set(r->loop, &r->timer, clock_now() + wait_ms);
}

static void
tell_timeout(struct timer *t)
{
	struct resolver *r = CONTAINER_OF(t, struct resolver, timer);
	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(r);
}

static void
tell_socket(struct watch *w, unsigned events)
{
	struct ares_socket *s = CONTAINER_OF(w, struct ares_socket, watch);
	struct resolver *r = s->resolver;
	bool reads = events & (LOOP_READ | LOOP_ERROR | LOOP_HUP);
	bool writes = events & (LOOP_WRITE | LOOP_ERROR | LOOP_HUP);
	int fd = w->fd;
	ares_process_fd(r->channel, reads ? fd : ARES_SOCKET_BAD,
		writes ? fd : ARES_SOCKET_BAD);
	set_timer(r);
}

static void
bury_socket(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct ares_socket, corpse));
}

static struct ares_socket *
find_socket(struct resolver *r, int fd)
{
	LIST_EACH (l, &r->sockets) {
		struct ares_socket *s = CONTAINER_OF(l, struct ares_socket, in);
		if (s->watch.fd == fd)
			return s;
	}
	struct ares_socket *s = mem_alloc(sizeof(*s));
	s->resolver = r;
	s->watch = (struct watch){.fd = fd, .ready = tell_socket};
	s->corpse.bury = bury_socket;
	list_push(&r->sockets, &s->in);
	return s;
}

/* c-ares tells what it waits for; neither means that it is about to close the socket.
 */
static void
note_socket(void *resolver, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = resolver;
	struct ares_socket *s = find_socket(r, fd);
	if (readable || writable) {
		loop_watch(r->loop, &s->watch,
			(readable ? LOOP_READ : 0U) | (writable ? LOOP_WRITE : 0U));
		return;
	}
	loop_forget(r->loop, &s->watch);
	list_leave(&s->in);
	loop_bury(r->loop, &s->corpse);
}

/* ---- answers */

static void
take_answer(struct resolve *q, const struct answer *a, bool cached)
{
	uint64_t now = clock_now();
	q->n = a->n < RESOLVE_MOST ? a->n : RESOLVE_MOST;
	for (size_t i = 0; i < q->n; i++)
		q->ips[i] = a->ips[i];
	uint64_t left_s = a->expires_ms > now ? (a->expires_ms - now) / 1000 : 0;
	q->ttl_s = left_s < UINT32_MAX ? (uint32_t)left_s : UINT32_MAX;
	q->code = a->code;
	q->why = a->why;
	q->cached = cached;
}

/* RFC 8305 §4: families alternate, IPv6 first. */
static size_t
interleave(const struct flight *f, struct ip out[RESOLVE_MOST])
{
	size_t n = 0;
	for (size_t i = 0; i < PER_FAMILY && n < RESOLVE_MOST; i++) {
		if (i < f->v6.n)
			out[n++] = f->v6.ips[i];
		if (i < f->v4.n && n < RESOLVE_MOST)
			out[n++] = f->v4.ips[i];
	}
	return n;
}

static bool
is_absence(int status)
{
	return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

static uint32_t
clamp_ttl(const struct resolver *r, uint32_t ttl_s)
{
	if (ttl_s < r->ttl_least_s)
		return r->ttl_least_s;
	return ttl_s < r->ttl_most_s ? ttl_s : r->ttl_most_s;
}

/* What the two questions say together; ips is the answer's memory. */
static struct answer
answer_of(const struct flight *f, struct ip ips[RESOLVE_MOST])
{
	const struct resolver *r = f->resolver;
	struct answer a = {.ips = ips, .n = interleave(f, ips)};
	uint32_t ttl_s = clamp_ttl(r, f->ttl_s);

	if (a.n == 0) {
		bool absent = is_absence(f->v4.status) && is_absence(f->v6.status);
		int status = is_absence(f->v4.status) ? f->v6.status : f->v4.status;
		a.code = absent ? ERR_NET_NAME_UNKNOWN : ERR_NET_NAME_FAILED;
		a.why = ares_strerror(status);
		ttl_s = absent ? r->ttl_negative_s : FAILED_TTL_S;
	}
	a.expires_ms = clock_now() + (uint64_t)ttl_s * 1000;
	return a;
}

static void
bury_flight(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct flight, corpse));
}

/* Answers those who wait, and ends the flight when both questions are back. */
static void
land(struct flight *f)
{
	struct resolver *r = f->resolver;
	struct ip ips[RESOLVE_MOST];
	struct answer a = answer_of(f, ips);

	timer_stop(r->loop, &f->family_wait);
	list_leave(&f->in);
	answers_keep(&r->answers, span_of(f->name, f->name_n), &a);
	if (f->v4.back && f->v6.back) {
		map_remove(&r->flights, &f->by_name);
		loop_bury(r->loop, &f->corpse);
	}
	for (struct list *l; (l = list_first(&f->waiting));) {
		struct resolve *q = CONTAINER_OF(l, struct resolve, in);
		list_leave(l);
		take_answer(q, &a, false);
		q->done(q);
	}
}

static void
deliver(struct hook *h)
{
	struct resolver *r = CONTAINER_OF(h, struct resolver, deliver);
	for (struct list *l; (l = list_first(&r->landed));)
		land(CONTAINER_OF(l, struct flight, in));
}

static void
land_soon(struct flight *f)
{
	if (f->starting || list_joined(&f->in))
		return;
	list_push(&f->resolver->landed, &f->in);
	loop_soon(f->resolver->loop, &f->resolver->deliver);
}

static void
end_family_wait(struct timer *t)
{
	land_soon(CONTAINER_OF(t, struct flight, family_wait));
}

static void
take_nodes(struct question *q, const struct ares_addrinfo_node *node)
{
	struct flight *f = q->flight;
	for (; node && q->n < PER_FAMILY; node = node->ai_next) {
		struct addr a;
		if (!addr_from_sockaddr(node->ai_addr, &a))
			continue;
		q->ips[q->n++] = a.ip;
		uint32_t ttl_s = node->ai_ttl > 0 ? (uint32_t)node->ai_ttl : 0;
		f->ttl_s = ttl_s < f->ttl_s ? ttl_s : f->ttl_s;
	}
}

static void
take_question(void *question, int status, int timeouts, struct ares_addrinfo *result)
{
	struct question *q = question;
	struct flight *f = q->flight;

	(void)timeouts;
	q->back = true;
	q->status = status;
	if (status == ARES_SUCCESS && result)
		take_nodes(q, result->nodes);
	ares_freeaddrinfo(result);
	if (status == ARES_EDESTRUCTION)
		return;
	if (f->v4.back && f->v6.back) {
		land_soon(f);
	} else if (q->n > 0) {
		timer_set(f->resolver->loop, &f->family_wait,
			clock_now() + FAMILY_WAIT_MS);
	}
}

static void
ask(struct question *q, struct flight *f, int family)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = family, .ai_flags = ARES_AI_NOSORT};
	q->flight = f;
	q->family = family;
	ares_getaddrinfo(f->resolver->channel, (const char *)f->name, NULL, &hints,
		take_question, q);
}

static struct flight *
start_flight(struct resolver *r, struct span name)
{
	struct flight *f = mem_alloc(sizeof(*f));
	f->resolver = r;
	f->ttl_s = UINT32_MAX;
	f->family_wait.fired = end_family_wait;
	f->corpse.bury = bury_flight;
	f->name_n = name.n;
	bool fits = span_copy((char *)f->name, sizeof(f->name), name);
	must(fits); /* resolve_start() has looked */
	list_init(&f->waiting);
	map_add(&r->flights, &f->by_name, span_of(f->name, f->name_n));

	f->starting = true;
	ask(&f->v6, f, AF_INET6);
	ask(&f->v4, f, AF_INET);
	f->starting = false;
	set_timer(r);
	return f;
}

/* ---- what needs no question */

static bool
answer_with(struct resolve *q, const struct ip *ips, size_t n)
{
	const struct answer a = {.ips = ips, .n = n, .expires_ms = UINT64_MAX};
	take_answer(q, &a, true);
	return true;
}

static bool
refuse(struct resolve *q, const char *why)
{
	const struct answer a = {.code = ERR_NET_NAME_UNKNOWN, .why = why};
	take_answer(q, &a, true);
	return true;
}

/* RFC 6761 §6.3: these never leave the host. */
static bool
is_localhost(struct span name)
{
	return span_eq(name, SPAN("localhost")) || span_ends(name, SPAN(".localhost"));
}

static bool
answer_locally(struct resolver *r, struct resolve *q, struct span name)
{
	struct ip ip;
	if (ip_parse(name, &ip))
		return answer_with(q, &ip, 1);
	if (span_ends(name, SPAN(".")))
		name = span_first(name, name.n - 1);
	const struct hosts_row *row = hosts_find(&r->hosts, name);
	if (row)
		return answer_with(q, row->ips, row->n);
	if (!is_localhost(name))
		return false;
	struct ip loopback[2] = {{.family = IP_V6}, ip_v4(0x7f000001)};
	loopback[0].bytes[15] = 1;
	return answer_with(q, loopback, 2);
}

bool
resolve_start(struct resolver *r, struct resolve *q, struct span host)
{
	uint8_t lower[NAME_MOST];
	struct answer a;

	list_init(&q->in);
	if (host.n == 0 || host.n > sizeof(lower) || span_chr(host, 0) < host.n)
		return refuse(q, "not a host name");
	span_lower(lower, host);
	struct span name = span_of(lower, host.n);
	if (answer_locally(r, q, name))
		return true;
	if (answers_find(&r->answers, name, &a)) {
		take_answer(q, &a, true);
		return true;
	}
	struct map_item *item = map_get(&r->flights, name);
	struct flight *f = item ? CONTAINER_OF(item, struct flight, by_name)
				: start_flight(r, name);
	if (f->v4.back && f->v6.back && !list_joined(&f->in)) {
		land(f);
		bool kept = answers_find(&r->answers, name, &a);
		must(kept); /* land() has just put it there */
		take_answer(q, &a, false);
		return true;
	}
	list_push(&f->waiting, &q->in);
	return false;
}

void
resolve_cancel(struct resolve *q)
{
	list_leave(&q->in);
}

void
resolve_flush(struct resolver *r)
{
	answers_flush(&r->answers);
}

/* ---- opening and closing */

static bool
start_ares(struct resolver *r, const struct resolve_options *o, struct err *err)
{
	char lookups[] = "b"; /* not "f": we have read the hosts file ourselves */
	struct ares_options opts = {
		.timeout = o->timeout_ms != 0 && o->timeout_ms < 60000
			? (int)o->timeout_ms
			: 2000,
		.tries = TRIES,
		.lookups = lookups,
		.sock_state_cb = note_socket,
		.sock_state_cb_data = r,
	};
	int rc = ares_init_options(&r->channel, &opts,
		ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
			ARES_OPT_SOCK_STATE_CB | NO_QUERY_CACHE);
	if (rc != ARES_SUCCESS)
		return err_set(err, ERR_NET_RESOLVER, "%s", ares_strerror(rc));
	if (!o->servers)
		return true;
	rc = ares_set_servers_ports_csv(r->channel, o->servers);
	if (rc == ARES_SUCCESS)
		return true;
	ares_destroy(r->channel);
	return err_set(err, ERR_NET_RESOLVER, "servers \"%s\": %s", o->servers,
		ares_strerror(rc));
}

/* A missing or unreadable file is no reason not to resolve. */
static void
read_hosts(struct hosts *h, const char *path)
{
	struct err err = {0};
	struct span text;
	if (!path)
		path = "/etc/hosts";
	if (path[0] == '\0' || !file_read(path, HOSTS_FILE_MOST, &text, &err))
		return;
	hosts_add(h, text);
	mem_free((void *)(uintptr_t)text.p);
}

struct resolver *
resolve_open(struct loop *loop, const struct resolve_options *o, struct err *err)
{
	struct resolver *r = mem_alloc(sizeof(*r));
	r->loop = loop;
	r->timer.fired = tell_timeout;
	r->deliver.run = deliver;
	r->ttl_least_s = o->ttl_least_s ? o->ttl_least_s : 1;
	r->ttl_most_s = o->ttl_most_s ? o->ttl_most_s : 3600;
	r->ttl_negative_s = o->ttl_negative_s ? o->ttl_negative_s : 10;
	list_init(&r->sockets);
	list_init(&r->landed);
	map_init(&r->flights);
	if (!start_ares(r, o, err)) {
		mem_free(r);
		return NULL;
	}
	hosts_init(&r->hosts);
	read_hosts(&r->hosts, o->hosts_path);
	answers_init(&r->answers, o->cache_bytes ? o->cache_bytes : CACHE_BYTES);
	return r;
}

static void
drop_flights(struct resolver *r)
{
	for (struct map_item *item; (item = map_next(&r->flights, NULL));) {
		struct flight *f = CONTAINER_OF(item, struct flight, by_name);
		map_remove(&r->flights, item);
		timer_stop(r->loop, &f->family_wait);
		for (struct list *l; (l = list_first(&f->waiting));)
			list_leave(l);
		mem_free(f);
	}
}

void
resolve_close(struct resolver *r)
{
	if (!r)
		return;
	ares_destroy(r->channel); /* every question comes back, and the sockets close */
	timer_stop(r->loop, &r->timer);
	loop_unhook(&r->deliver);
	drop_flights(r);
	map_fini(&r->flights);
	answers_fini(&r->answers);
	hosts_fini(&r->hosts);
	mem_free(r);
}
