// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"

void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

bool
list_empty(const struct list *head)
{
	return head->next == head;
}

bool
list_joined(const struct list *member)
{
	return member->next && member->next != member;
}

static void
insert_between(struct list *prev, struct list *member, struct list *next)
{
	member->prev = prev;
	member->next = next;
	prev->next = member;
	next->prev = member;
}

void
list_push(struct list *head, struct list *member)
{
	insert_between(head->prev, member, head);
}

void
list_unshift(struct list *head, struct list *member)
{
	insert_between(head, member, head->next);
}

void
list_leave(struct list *member)
{
	if (!list_joined(member))
		return;
	member->prev->next = member->next;
	member->next->prev = member->prev;
	list_init(member);
}

struct list *
list_first(const struct list *head)
{
	return list_empty(head) ? NULL : head->next;
}

struct list *
list_last(const struct list *head)
{
	return list_empty(head) ? NULL : head->prev;
}
