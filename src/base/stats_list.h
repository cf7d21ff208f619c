// SPDX-License-Identifier: Apache-2.0
/*
 * stats_list: every counter. No include guard: it is read many times.
 *
 * To add one: STAT(NAME, "prometheus_name", COUNTER or GAUGE, "Help."). The prefix
 * "sekisho_" and, for counters, the suffix "_total" are added when they are exported.
 */
STAT(SESSIONS_OPENED, "sessions_opened", COUNTER, "Client connections accepted.")
STAT(SESSIONS_OPEN, "sessions_open", GAUGE, "Client connections open now.")
