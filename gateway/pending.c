#include "gateway/pending.h"

void pendings_append(pendings_t *list, pending_t *pending)
{
    pending->previous = list->last;
    pending->next = NULL;
    if (list->last != NULL)
        list->last->next = pending;
    else
        list->first = pending;
    list->last = pending;
    list->count++;
}

void pendings_prepend(pendings_t *list, pending_t *pending)
{
    pending->previous = NULL;
    pending->next = list->first;
    if (list->first != NULL)
        list->first->previous = pending;
    else
        list->last = pending;
    list->first = pending;
    list->count++;
}

void pendings_remove(pendings_t *list, pending_t *pending)
{
    if (pending->previous != NULL)
        pending->previous->next = pending->next;
    else
        list->first = pending->next;
    if (pending->next != NULL)
        pending->next->previous = pending->previous;
    else
        list->last = pending->previous;
    pending->previous = pending->next = NULL;
    list->count--;
}
