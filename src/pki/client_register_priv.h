// SPDX-License-Identifier: Apache-2.0
/*
 * client_register_priv: between the files of client_register.
 */
#pragma once

#include <sqlite3.h>

#include "pki/client_register.h"

struct client_register {
	sqlite3 *db; /* owned */
	char *dir;   /* owned */
};

/* NULL on failure; the caller finalizes. */
sqlite3_stmt *client_register_query(struct client_register *r, const char *sql);
