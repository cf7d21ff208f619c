// SPDX-License-Identifier: Apache-2.0
/* cache: what may be stored, how long it is fresh, and when it may be used. */
#include "http/cache.h"

#include "http/date.h"
#include "http/header.h"

enum {
	HEURISTIC_MOST_S = 86400, /* RFC 9111 §4.2.2: after a day it is not a guess */
	HEURISTIC_PARTS = 10,     /* a tenth of its age when it came */
};

static int64_t
at_least(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* RFC 9111 §5.1: of several ages the first; one that is no number does not count. What
 * follows a semicolon is passed over: an age that somebody meant makes staler. */
static int64_t
age_of(const struct http_fields *f)
{
	struct span rest = http_get(f, SPAN("age"));
	struct span item;
	struct span params;
	int64_t v = 0;

	if (!header_item(&rest, &item))
		return 0;
	item = header_item_name(item, &params);
	for (size_t i = 0; i < item.n; i++) {
		if (!ascii_is_digit(item.p[i]))
			return 0;
		v = v * 10 + (item.p[i] - '0');
		if (v > CACHE_SECONDS_MOST)
			v = CACHE_SECONDS_MOST;
	}
	return v;
}

/* RFC 9110 §15.1, those we understand. */
static bool
guesses_allowed(unsigned status)
{
	static const unsigned some[] = {
		200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};

	for (size_t i = 0; i < COUNT_OF(some); i++) {
		if (some[i] == status)
			return true;
	}
	return false;
}

/* RFC 9111 §3: what must-understand asks whether we understand. */
static bool
is_understood(unsigned status)
{
	return guesses_allowed(status) || status == 302 || status == 303 ||
		status == 307 || (status >= 400 && status <= 417) ||
		(status >= 500 && status <= 505);
}

/* A response with the directives that count for it. */
struct answer {
	const struct http_head *request;
	const struct http_head *head;
	const struct cache_policy *policy;
	struct cache_control cc;
	bool for_us; /* they came in CDN-Cache-Control or Surrogate-Control */
	int64_t date_s;
	int64_t came_s;
};

static bool
has_field(const struct http_fields *f, struct span name)
{
	return http_get(f, name).p != NULL;
}

static bool
has_validator(const struct http_head *head)
{
	return has_field(&head->fields, SPAN("etag")) ||
		has_field(&head->fields, SPAN("last-modified"));
}

/* RFC 9111 §5.3: a date that is none has passed. */
static int64_t
lifetime_by_expires(const struct answer *a)
{
	int64_t expires = 0;

	if (!date_read(
		    http_get(&a->head->fields, SPAN("expires")), a->came_s, &expires))
		return 0;
	return at_least(expires - a->date_s, 0);
}

static int64_t
lifetime_by_guess(const struct answer *a)
{
	int64_t modified = 0;

	if (!guesses_allowed(a->head->status) && !a->cc.is_public)
		return 0;
	if (has_field(&a->request->fields, SPAN("cookie")) && !a->policy->takes_cookies)
		return 0;
	if (!date_read(http_get(&a->head->fields, SPAN("last-modified")), a->came_s,
		    &modified) ||
		modified >= a->date_s)
		return a->policy->default_s;
	int64_t guess = (a->date_s - modified) / HEURISTIC_PARTS;
	return guess < HEURISTIC_MOST_S ? guess : HEURISTIC_MOST_S;
}

/* RFC 9111 §4.2.1; RFC 9213 §2.1: targeted directives stand for Expires too. */
static int64_t
lifetime_of(const struct answer *a, uint32_t *flags)
{
	if (a->cc.s_maxage >= 0)
		return a->cc.s_maxage;
	if (a->cc.max_age >= 0)
		return a->cc.max_age;
	if (!a->for_us && has_field(&a->head->fields, SPAN("expires")))
		return lifetime_by_expires(a);
	*flags |= CACHE_HEURISTIC;
	return lifetime_by_guess(a);
}

static bool
may_store_method(const struct answer *a)
{
	struct span at = http_get(&a->head->fields, SPAN("content-location"));
	bool explicit_time = a->cc.max_age >= 0 || a->cc.s_maxage >= 0 ||
		has_field(&a->head->fields, SPAN("expires"));

	if (a->request->method == HTTP_GET)
		return true;
	/* RFC 9110 §9.3.3: a POST may say that it shows what a GET would. */
	return a->request->method == HTTP_POST && a->head->status == 200 &&
		explicit_time && at.n > 0 &&
		(span_eq(at, a->request->path) ||
			(span_ends(at, a->request->path) &&
				span_starts(at, SPAN("http"))));
}

/* RFC 9111 §3.5; and what sets a cookie is somebody's, unless the origin says that it
 * is everybody's. */
static bool
is_for_all(const struct answer *a)
{
	bool shared = a->cc.is_public || a->cc.s_maxage >= 0;

	if (has_field(&a->request->fields, SPAN("authorization")) && !shared &&
		!a->cc.must_revalidate)
		return false;
	return a->policy->takes_cookies || shared ||
		!has_field(&a->head->fields, SPAN("set-cookie"));
}

static bool
may_store(const struct answer *a)
{
	struct cache_control asks;
	unsigned status = a->head->status;

	cache_control_read(&a->request->fields, &asks);
	if (!may_store_method(a) || status < 200 || status == 206 || status == 304)
		return false;
	/* These answer the conditions and ranges of one request, not the name it asked
	 * for. */
	if (status == 412 || status == 416)
		return false;
	if (a->cc.must_understand ? !is_understood(status) : a->cc.no_store)
		return false;
	if (a->policy->obeys_clients && asks.no_store)
		return false;
	return !a->cc.is_private && is_for_all(a);
}

static void
read_answer(struct answer *a)
{
	a->for_us = cache_control_read_cdn(&a->head->fields, &a->cc) ||
		cache_control_read_surrogate(&a->head->fields, &a->cc);
	if (!a->for_us)
		cache_control_read(&a->head->fields, &a->cc);
	if (!date_read(http_get(&a->head->fields, SPAN("date")), a->came_s, &a->date_s))
		a->date_s = a->came_s;
}

bool
cache_learn(const struct http_head *request, const struct http_head *response,
	const struct cache_policy *policy, const struct cache_answer_times *times,
	struct cache_facts *out)
{
	struct answer a = {.request = request,
		.head = response,
		.policy = policy,
		.came_s = times->came_ms / 1000};
	struct cache_facts f = {.came_ms = times->came_ms, .status = response->status};

	read_answer(&a);
	if (!may_store(&a))
		return false;
	int64_t apparent = at_least(times->came_ms - a.date_s * 1000, 0);
	int64_t delay = at_least(times->came_ms - times->asked_ms, 0);
	/* The date has no fractions: less than a second of age is none. */
	apparent = apparent < 1000 ? 0 : apparent;
	f.age_ms = at_least(apparent, age_of(&response->fields) * 1000 + delay);
	f.lifetime_s = lifetime_of(&a, &f.flags);
	f.while_revalidate_s = at_least(a.cc.while_revalidate, 0);
	f.if_error_s = at_least(a.cc.if_error, 0);
	if (a.cc.no_cache)
		f.flags |= CACHE_NO_CACHE;
	if (a.cc.must_revalidate || a.cc.proxy_revalidate || a.cc.s_maxage >= 0)
		f.flags |= CACHE_NEVER_STALE;
	*out = f;
	return has_validator(response) ||
		(f.lifetime_s > 0 && !(f.flags & CACHE_NO_CACHE)) ||
		f.while_revalidate_s > 0 || f.if_error_s > 0 || policy->if_error_s > 0;
}

/* ---- use ---- */

static int64_t
age_ms(const struct cache_facts *stored, int64_t now_ms)
{
	return stored->age_ms + at_least(now_ms - stored->came_ms, 0);
}

int64_t
cache_age(const struct cache_facts *stored, int64_t now_ms)
{
	return age_ms(stored, now_ms) / 1000;
}

static int64_t
left_ms(const struct cache_facts *stored, int64_t now_ms)
{
	return stored->lifetime_s * 1000 - age_ms(stored, now_ms);
}

int64_t
cache_left(const struct cache_facts *stored, int64_t now_ms)
{
	int64_t ms = left_ms(stored, now_ms);

	return ms > 0 ? (ms + 999) / 1000 : ms / 1000;
}

static bool
client_refuses(const struct cache_facts *stored, const struct cache_control *asks,
	int64_t now_ms)
{
	return asks->no_cache || asks->no_store ||
		(asks->max_age >= 0 &&
			age_ms(stored, now_ms) >= asks->max_age * 1000) ||
		(asks->min_fresh >= 0 &&
			left_ms(stored, now_ms) < asks->min_fresh * 1000);
}

enum cache_verdict
cache_judge(const struct cache_facts *stored, const struct cache_control *asks,
	const struct cache_policy *policy, int64_t now_ms)
{
	int64_t left = left_ms(stored, now_ms);
	bool obeys = policy->obeys_clients;

	if (stored->flags & CACHE_NO_CACHE)
		return CACHE_ASK;
	if (obeys && client_refuses(stored, asks, now_ms) && asks->max_stale < 0)
		return CACHE_ASK;
	if (left > 0)
		return CACHE_USE;
	if (stored->flags & CACHE_NEVER_STALE)
		return CACHE_ASK;
	if (obeys && !asks->no_cache && asks->max_stale >= 0 &&
		-left <= asks->max_stale * 1000)
		return CACHE_USE_STALE;
	if (-left < stored->while_revalidate_s * 1000)
		return CACHE_USE_BEHIND;
	return CACHE_ASK;
}

bool
cache_bears_error(const struct cache_facts *stored, const struct cache_control *asks,
	const struct cache_policy *policy, int64_t now_ms)
{
	int64_t stale_ms = -left_ms(stored, now_ms);
	int64_t borne = at_least(stored->if_error_s, policy->if_error_s);

	if (policy->obeys_clients)
		borne = at_least(borne, asks->if_error);
	/* An error is no better than the one it would stand in for. */
	return !(stored->flags & (CACHE_NEVER_STALE | CACHE_NO_CACHE)) &&
		!cache_is_error(stored->status) && borne > 0 &&
		stale_ms <= borne * 1000;
}

bool
cache_is_error(unsigned status)
{
	return status == 500 || status == 502 || status == 503 || status == 504;
}

bool
cache_method_changes(const struct http_head *request)
{
	switch (request->method) {
	case HTTP_GET:
	case HTTP_HEAD:
	case HTTP_OPTIONS:
	case HTTP_TRACE:
	case HTTP_CONNECT:
		return false;
	case HTTP_OTHER:
	case HTTP_POST:
	case HTTP_PUT:
	case HTTP_DELETE:
	case HTTP_PATCH:
		break;
	}
	return true;
}
