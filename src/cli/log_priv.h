// SPDX-License-Identifier: Apache-2.0
/*
 * log_priv: the table that `sekisho log` prints.
 */
#pragma once

#include "base/text.h"
#include "event/event.h"

enum { LOG_TARGET = 300, LOG_WHY = 300 };

/* One event as the words of its line; not NUL-free of colours, not padded. */
struct log_row {
	int64_t time; /* wall ms */
	char client[IP_TEXT];
	char did[16]; /* "inspected", "blocked", … */
	char status[8];
	char size[24];
	char took[24];
	char target[LOG_TARGET];
	char why[LOG_WHY];
	bool bad; /* it did not go as the client wished */
};

void log_row_make(struct log_row *row, const struct event_view *e);

/* Widths of the columns; grown by rows, kept while following. */
struct log_table {
	size_t client;
	size_t did;
	size_t target;
	size_t room; /* characters of a line; 0: any */
	int64_t day; /* of the last line printed */
	bool colours;
	bool has_head; /* the line of titles was printed */
};

void log_table_init(struct log_table *t);
/* Makes the columns wide enough for the row, within reason. */
void log_table_fit(struct log_table *t, const struct log_row *row);
/* Prints one line on standard output, and above it what is due: titles, the day. */
void log_table_print(struct log_table *t, const struct log_row *row);
