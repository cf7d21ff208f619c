// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_priv: what the files of an exchange share.
 */
#pragma once

#include "gate/exchange.h"
#include "gate/exchange_cache.h"
#include "gate/session.h"
#include "page/consent.h"

/* A whole head was read: decides what becomes of it. Sets the state, or asks the
 * session to take over a CONNECT. */
enum exchange_turn exchange_begin(struct session *s);
/* A request has begun, whole or not: gives it its number and its facts. */
void exchange_start_record(struct session *s);
/* A response head was read: policy, fields; readies it for the client. */
void exchange_take_response(struct session *s);

/* The stream goes over the connection that was opened for its whole session: what
 * happens to that is the client's to know. */
MUST_USE bool exchange_is_bound(const struct session *s);
/* The request goes out once more, from its beginning; its body may not have begun. */
void exchange_begin_again(struct session *s);
/* The same on a new connection that speaks HTTP/1. */
void exchange_ask_http1(struct session *s);
/* Its origin was lost: does one of both, or goes to another origin of the site, if it
 * may be said twice. False: nothing is to be done. */
MUST_USE bool exchange_again(struct session *s);
/* The origin is left alone: its connection is dropped, or only the stream. */
void exchange_leave_origin(struct session *s);

/* exchange_hold.c: whether the site wants the body read first, and there is room: of
 * all a worker holds so much at most. */
enum { EXCHANGE_HELD_MOST = 256 * 1024 * 1024 };
void exchange_hold_begin(struct session *s);
/* Gives back what is held; may be called at any time. */
void exchange_hold_drop(struct exchange *x);
/* In EXCHANGE_REACHING. True: more of it is to come, or it was answered: x->state
 * tells. */
MUST_USE bool exchange_hold_waits(struct session *s);

/* exchange_wire.c: as in http/h1_read.h and http/h1_write.h, in either version. Bodies
 * read are given back with exchange_took_…(). */
enum h1_step exchange_read_client(
	struct session *s, struct span *body, struct err *err);
void exchange_took_client(struct session *s, size_t n);
/* The same past what is held. */
enum h1_step exchange_read_wire(struct session *s, struct span *body, struct err *err);
void exchange_took_wire(struct session *s, size_t n);
enum h1_step exchange_read_origin(
	struct session *s, struct span *body, struct err *err);
void exchange_took_origin(struct session *s, size_t n);
enum h1_wrote exchange_head_to_origin(struct session *s, struct err *err);
size_t exchange_body_to_origin(struct session *s, struct span body);
enum h1_wrote exchange_end_to_origin(struct session *s, struct err *err);
enum h1_wrote exchange_head_to_client(struct session *s, struct err *err);
size_t exchange_body_to_client(struct session *s, struct span body);
enum h1_wrote exchange_end_to_client(
	struct session *s, const struct http_fields *trailers, struct err *err);

/* exchange_upgrade.c: says a WebSocket in the version of the other side; sets
 * x->crosses. To be called before each time that a request's head goes out, and for
 * each final response. */
MUST_USE bool exchange_upgrade_request(struct session *s, struct err *err);
MUST_USE bool exchange_upgrade_response(struct session *s, struct err *err);
/* exchange_tunnel.c: state EXCHANGE_UPGRADED. */
enum exchange_turn exchange_advance_tunnel(struct session *s);

/* Answers with the warning about the origin's certificate. */
void exchange_answer_caution(struct session *s);
/* Whom a consent to this request binds. */
struct consent_scope exchange_scope(const struct session *s);
/* Readies an answer of ours. */
void exchange_answer_refusal(struct session *s, const struct refusal *refusal);
void exchange_answer_ourselves(struct session *s);
/* A warning that can be passed; `act` is a prompt. */
void exchange_answer_prompt(struct session *s, const struct act *act);
/* Readies a redirect without a body; extra may be an empty span: then no Set-Cookie. */
void exchange_answer_redirect(
	struct session *s, unsigned status, struct span location, struct span cookie);

/* Readies x->response, which came from a store: rules, fields, its body as
 * exchange_cache.h has it. */
void exchange_answer_stored(struct session *s);
/* What an answer of ours needs, once its head and page are made. */
void exchange_answer_begin(struct session *s);
/* Rules of the response phase and what is changed on the way to the client. False when
 * something else is answered. */
bool exchange_pass_response(struct session *s);

/* exchange_early.c: whether what was read has to wait for the client's handshake,
 * because it is not safe to repeat, or the origin said so. */
MUST_USE bool exchange_is_too_early(const struct session *s);
/* Says Early-Data where it is to be said (RFC 8470 §5.1). */
MUST_USE bool exchange_mark_early(struct session *s, struct err *err);
/* The origin answered 425 to what was marked so: the request goes out once more, when
 * the handshake is over (§5.2). */
MUST_USE bool exchange_repeats_late(struct session *s);
/* The request goes out once more, from the beginning. */
void exchange_begin_again(struct session *s);

/* exchange_rate.c: whether some rule finds the request one too many; then it is
 * answered. */
MUST_USE bool exchange_is_limited(struct session *s);
/* Puts the paths of rules in place. */
void exchange_rewrite(struct session *s);

/* exchange_acts.c: what noting rules change. */
MUST_USE bool exchange_apply(struct session *s, enum act_kind kind,
	struct http_fields *fields, struct err *err);
/* The redirect of a rule: its URL with what is kept of the request's. */
struct span exchange_location(struct session *s, const struct act *act);
/* Applies override rules to where a connection goes. */
void exchange_override(
	const struct gateway *g, const struct verdict_record *v, struct target *target);
