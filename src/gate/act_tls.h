// SPDX-License-Identifier: Apache-2.0
/*
 * act_tls: what `do tls …` of a rule means for the two sides of a connection.
 *
 * Of several rules that match, the first one that says something about a thing counts.
 */
#pragma once

#include "gate/settings.h"
#include "gate/target.h"

/* Loads what act->certificate and act->key name, and refuses what a gateway of this
 * kind cannot do. act->identity is then owned by the settings (act_tls_free()). */
MUST_USE bool act_tls_compile(struct settings *s, const struct gateway *g,
	const struct conf_node *rule, struct act *act, struct conf_report *report);
/* Of all rules of a gateway. */
void act_tls_free(struct gateway *g);
/* Bit i: some rules of the gateway can come to manner i. */
struct manners {
	uint32_t clients;
	uint32_t origins;
};
struct manners act_tls_manners(const struct gateway *g);

/* How the client is spoken with. */
struct manner act_tls_client(const struct gateway *g, const struct verdict_record *v);
/* Puts what concerns the origin into *target. */
void act_tls_apply(
	const struct gateway *g, const struct verdict_record *v, struct target *target);
