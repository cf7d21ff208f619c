// SPDX-License-Identifier: Apache-2.0
/*
 * list: a doubly linked ring through the things themselves.
 *
 * The ring's head and every member are `struct list`. A member knows how to leave
 * without knowing its list; leaving twice is harmless.
 */
#pragma once

#include "base/attr.h"

struct list {
	struct list *next;
	struct list *prev;
};

/* Makes an empty ring, or a member that is in none. */
void list_init(struct list *l);
MUST_USE bool list_empty(const struct list *head);
/* Whether a member is in some ring. */
MUST_USE bool list_joined(const struct list *member);
void list_push(struct list *head, struct list *member);    /* at the end */
void list_unshift(struct list *head, struct list *member); /* at the front */
void list_leave(struct list *member);
/* First member, or NULL. */
struct list *list_first(const struct list *head);
struct list *list_last(const struct list *head);

/* For each member; the current one may leave. `it` is declared by the macro. */
// NOLINTBEGIN(bugprone-macro-parentheses): a name that is declared takes none
#define LIST_EACH(it, head)                                                       \
	for (struct list *it = (head)->next, *it##_next = it->next; it != (head); \
		it = it##_next, it##_next = it->next)
// NOLINTEND(bugprone-macro-parentheses)
