// SPDX-License-Identifier: Apache-2.0
/*
 * client: which program somebody speaks of, by its name or by its output.
 */
#pragma once

#include "doctor/plain.h"
#include "doctor/tables.h"

/* The client of a name as people write it ("npm", "curl-openssl", "node20-https");
 * NULL when it is none we know. */
MUST_USE const struct client_row *client_named(struct span name);
/* The client whose output this is, or NULL. Wrappers (npm, pip) come before the
 * runtimes they run in. */
MUST_USE const struct client_row *client_seen(const struct plain *p);
/* Whether the engine's messages can stand in this client's output; always, for NULL. */
MUST_USE bool client_has_engine(const struct client_row *c, struct span engine);
