/* The lease rows: written by a grant, marked by a RELEASE, deleted when their life is silent. */
/* `renewal` of a row has a new value: no deletion that rests on the old value takes place. */
inline renewed(x) {
  n = 0;
  do :: n >= WRITERS -> break :: else -> writer[n].same = WITHOUT(writer[n].same, x); n++ od;
  n = 0;
#ifdef SWEEPER
  swept = WITHOUT(swept, x)
#endif
}

inline delete_row(x) {
  row[x] = NONE;
#ifdef MIXEDTTL
  row_ttl[x] = 0;
  n = 0;
  do
  :: n >= REPLICAS * CALLS -> break
  :: else -> if :: AT(call[n].life) == x -> call[n].overtaken = 0; call[n].repeated = 0 :: else fi; n++
  od;
  n = 0;
#endif
#ifdef ROWPERSLOT
  owner = 0
#endif
}

#ifdef MIXEDTTL
/* The row keeps the longest ttl of one request that went to two processes. */
#define OWN_TTL(c, ttl) (c.held > ttl -> c.held : ttl)
#ifdef TTLFALLS
#define ttl_of_row(c, ttl) OWN_TTL(c, ttl)
#else
#define ttl_of_row(c, ttl) \
  (c.repeated && row_ttl[AT(c.life)] > OWN_TTL(c, ttl) -> row_ttl[AT(c.life)] : OWN_TTL(c, ttl))
#endif

/* The row has the number of this request: what that means for the others of its life. */
inline numbered(c) {
  n = 0;
  do
  :: n >= REPLICAS * CALLS -> break
  :: else ->
     if
     :: call[n].step == SENT && call[n].life == c.life ->
        call[n].overtaken = call[n].earlier && !c.earlier;
        call[n].repeated = call[n].earlier == c.earlier
     :: else
     fi;
     n++
  od;
  n = 0
}
#endif

/* Step 1 of a grant. A majority has the row when it returns, and so all that the log had before. */
inline put_row(c, ttl) {
#ifdef LAG
  durable = head;
#endif
  if
  :: row[AT(c.life)] == ENDED -> free(c)
#if defined(MIXEDTTL) && !defined(TTLFALLS)
  :: row[AT(c.life)] == LEASE && c.overtaken -> free(c)      /* a later request has written the row */
#endif
  :: else ->
#ifndef ALLOW_ONLY
     assert(!HAS(ended, c.life));                   /* P3: a life that ended is not waited for again */
#endif
#ifdef HIDDEN_W
     unseen = unseen | BIT(c.life);
#else
     row[AT(c.life)] = LEASE;
#endif
#ifdef ROWPERSLOT
     owner = c.life;
#endif
#ifdef MIXEDTTL
     row_ttl[AT(c.life)] = ttl_of_row(c, ttl);
     numbered(c);
     c.left = (c.left > TTL - ttl -> c.left - (TTL - ttl) : 0);
#endif
     renewed(AT(c.life));
     if :: c.awaited -> c.step = WRITTEN :: else -> free(c) fi
  fi
}

inline release_row(life) {
#ifdef ROWPERSLOT
  if :: owner == life -> delete_row(1) :: else fi
#else
  ended = ended | BIT(life);
#ifdef NORISE
  delete_row(AT(life));
#else
  delete_row(AT(life));
  row[AT(life)] = ENDED;
#endif
#ifndef MARKKEEPS
  renewed(AT(life))
#endif
#endif
}
