// SPDX-License-Identifier: Apache-2.0
/*
 * stats_list: every counter. No include guard: it is read many times.
 *
 * To add one: STAT(NAME, "prometheus_name", COUNTER or GAUGE, "Help."). The prefix
 * "sekisho_" and, for counters, the suffix "_total" are added when they are exported.
 */
STAT(SESSIONS_OPENED, "sessions_opened", COUNTER, "Client connections accepted.")
STAT(SESSIONS_OPEN, "sessions_open", GAUGE, "Client connections open now.")

/* event */
STAT(EVENTS_EMITTED, "events_emitted", COUNTER, "Events recorded by workers.")
STAT(EVENTS_LOST, "events_lost", COUNTER, "Events dropped because the scribe was behind.")
STAT(EVENTS_STORED, "events_stored", COUNTER, "Events written to the store.")
STAT(EVENTS_UNSTORED, "events_unstored", COUNTER,
	"Events the store could not take (disk full, file damaged).")
STAT(EVENTS_EXPIRED, "events_expired", COUNTER, "Events forgotten by age or size.")
STAT(EVENTS_UNSENT, "events_unsent", COUNTER,
	"Events a sink could not take (file full, reader stopped).")
STAT(EVENTS_MALFORMED, "events_malformed", COUNTER,
	"Messages to the scribe that were not understood.")
