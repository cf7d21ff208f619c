// SPDX-License-Identifier: Apache-2.0
/*
 * replay: facts as an event recorded them, so that policy can be asked about the past.
 *
 * An event holds less than a traveller showed: what it does not have is missing, and a
 * rule that asks for it says so. Nothing here can tell a field that was redacted from
 * one that was never there.
 */
#pragma once

#include "event/event.h"
#include "fact/facts.h"

/* What facts borrow besides the arena: keep it as long as they are used. */
struct replay {
	struct http_head request;
	struct http_head response;
	struct client_cert cert;
};

/* From a session's event. Texts are copied into the arena; f is overwritten, but for
 * what it borrows of the settings. base.reached says how far the session came. */
void replay_session(
	struct facts *f, struct replay *r, const struct event_view *e, struct arena *a);
/*
 * From a request's event, on top of the facts of its session (or of none, when that has
 * not ended yet). Fails when the event has no method or path: it was redacted.
 */
MUST_USE bool replay_request(struct facts *f, struct replay *r,
	const struct facts_wanted *wanted, const struct event_view *e, struct arena *a);
