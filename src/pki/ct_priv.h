// SPDX-License-Identifier: Apache-2.0
/*
 * ct_priv: between the files of ct.
 */
#pragma once

#include "base/clock.h"
#include "pki/ct.h"
#include "pki/path_priv.h"

struct ctlog {
	uint8_t id[CERT_HASH]; /* SHA-256 of its key */
	EVP_PKEY *key;         /* owned */
	unsigned operator_number;
	int64_t until_ms; /* timestamps after this count for nothing */
};

struct ctlogs {
	struct ctlog logs[CT_LOGS];
	size_t n;
};
