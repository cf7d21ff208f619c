// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_priv: what the files of an exchange share.
 */
#pragma once

#include "gate/exchange.h"
#include "gate/session.h"

/* A whole head was read: decides what becomes of it. Sets the state, or asks the
 * session to take over a CONNECT. */
enum exchange_turn exchange_begin(struct session *s);
/* A request has begun, whole or not: gives it its number and its facts. */
void exchange_start_record(struct session *s);
/* A response head was read: policy, fields; readies it for the client. */
void exchange_take_response(struct session *s);

/* Readies an answer of ours. */
void exchange_answer_refusal(struct session *s, const struct refusal *refusal);
void exchange_answer_ourselves(struct session *s);
/* 308 to this address; the span lies in the exchange's arena. */
void exchange_answer_redirect(struct session *s, struct span location);
