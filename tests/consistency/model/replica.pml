/* A process that follows the source: its journal view, and the snapshot that it starts from. */
#ifdef RESTORE
#define ASTRAY(p) process[p].astray
#else
#define ASTRAY(p) 0
#endif

/* An object as of change c; an older revision never replaces a newer one. */
inline take(object, c) {
  if
  :: object != ABSENT && touched[c] <= object
  :: else -> object = (present[c] -> touched[c] : ABSENT)
  fi
}

inline renew(p, ticks) {
  if :: (ticks) > process[p].until -> process[p].until = ticks :: else fi
}

/* Grants whose heads are applied count. */
inline activate(p) {
  n = 0;
  do
  :: n > CHANGES -> break
  :: else ->
     if
     :: n <= process[p].applied && process[p].grants[n] ->
        renew(p, process[p].grants[n]);
        process[p].grants[n] = 0
     :: else
     fi;
     n++
  od;
  n = 0
}

#define NEXT(p) (process[p].applied + 1)
#define COMPLETE(p) (process[p].applied < durable && HAS(process[p].got1, NEXT(p)) && \
                     (HAS(process[p].got2, NEXT(p)) || touched[NEXT(p)] != NEXT(p)))

inline forget_rows(p) {
  process[p].got1 = (process[p].got1 >> NEXT(p)) << NEXT(p);
  process[p].got2 = (process[p].got2 >> NEXT(p)) << NEXT(p)
}

inline report(p) {
  if :: process[p].applied > told[process[p].life] -> told[process[p].life] = process[p].applied :: else fi
}

/* Apply whole changes while the next one is complete. */
inline drain(p) {
  do
  :: COMPLETE(p) ->
     process[p].applied++;
     if
     :: touched[process[p].applied] == process[p].applied ->
        take(process[p].member, process[p].applied);
        take(process[p].rule, process[p].applied)
     :: else
     fi
  :: else -> break
  od;
  forget_rows(p);
  activate(p);
  report(p)
}

/* OVERGAP: apply the row that came over a gap before it. */
inline over_gap(p, c) {
  if
  :: touched[c] == c && HAS(process[p].got1, c) -> take(process[p].member, c)
  :: else
  fi;
  if
  :: touched[c] == c && HAS(process[p].got2, c) -> take(process[p].rule, c)
  :: else
  fi;
  n = c;
  process[p].applied = n;
  n = 0;
  process[p].got1 = 0; process[p].got2 = 0;
  activate(p);
  report(p)
}

/* A row of change `applied + ahead` has come. */
inline arrived(p, ahead) {
#ifdef OVERGAP
  if :: process[p].loaded -> over_gap(p, process[p].applied + ahead) :: else fi;
#else
  if
  :: process[p].loaded ->
#if defined(RESTORE) && !defined(NODIGEST)
     if
     :: ASTRAY(p) -> reload(p)            /* its `previous` is not the digest of what is applied */
     :: else -> drain(p)
     fi
#else
     drain(p)
#endif
  :: else
  fi;
#endif
  look_at_all()
}

/* The answers to what was asked before are of no use any more. */
inline forsake(p) {
  n = 0;
  do
  :: n >= CALLS -> break
  :: else ->
     call[p * CALLS + n].awaited = 0; call[p * CALLS + n].left = 0;
     if :: call[p * CALLS + n].step > SENT -> free(call[p * CALLS + n]) :: else fi;
     n++
  od;
  n = 0
}

inline no_snapshot(p) {
  process[p].page = 0; process[p].from = 0; process[p].read1 = 0; process[p].read2 = 0
}

inline wipe(p) {
  process[p].loaded = 0; process[p].applied = 0; process[p].until = 0;
  process[p].member = ABSENT; process[p].rule = ABSENT;
  process[p].got1 = 0; process[p].got2 = 0;
  no_snapshot(p);
#ifdef RESTORE
  process[p].astray = 0;
#endif
  n = 0;
  do :: n > CHANGES -> break :: else -> process[p].grants[n] = 0; n++ od;
  n = 0;
  forsake(p)
}

inline start_life(p) {
  born++;
  process[p].life = born
}

/* Give the lease back and begin a new life, or end when the bound of lives is reached. */
inline reload(p) {
  ending = ending | BIT(process[p].life);
  wipe(p);
  if :: born < LIVES -> start_life(p) :: else -> process[p].life = 0 fi
}

/* Snapshot pages are read at a majority's state, which may be an older one through a stale server. */
#ifdef STALE
#ifdef STALEPAGE
#define READABLE(p, c) true
#else
#define READABLE(p, c) ((c) >= process[p].from)      /* else the page is answered with 503 */
#endif
#define BEHIND(p, page_now, object) \
  :: d_step { process[p].page == page_now && durable > 0 && READABLE(p, durable - 1) -> \
       object = (present[durable - 1] -> touched[durable - 1] : ABSENT); process[p].page++ }
#else
#define BEHIND(p, page_now, object)
#endif
#define PAGE(p, page_now, object) \
  :: d_step { process[p].page == page_now -> \
       object = (present[durable] -> touched[durable] : ABSENT); process[p].page++ } \
  BEHIND(p, page_now, object)

#ifdef FILLRACE
#define MAY_READ(p) (process[p].life && process[p].page == 0)
#else
#define MAY_READ(p) (process[p].life && process[p].page == 0 && !process[p].loaded)
#endif

proctype Replica(byte p) {
  do
  /* a row comes from the bus or from a fetch: in any order, any number of times, or never */
#define ROW(ahead, rows) \
  :: d_step { process[p].life && process[p].applied + ahead <= durable && !HAS(rows, process[p].applied + ahead) -> \
       rows = rows | BIT(process[p].applied + ahead); arrived(p, ahead) }
#define OVERRIDE_ROW(ahead, rows) \
  :: d_step { process[p].life && process[p].applied + ahead <= durable && !HAS(rows, process[p].applied + ahead) && \
              touched[process[p].applied + ahead] == process[p].applied + ahead -> \
       rows = rows | BIT(process[p].applied + ahead); arrived(p, ahead) }
  ROW(1, process[p].got1)
  OVERRIDE_ROW(1, process[p].got2)
#if CHANGES > 1
  ROW(2, process[p].got1)
  OVERRIDE_ROW(2, process[p].got2)
#endif
  /* the snapshot: heads, two pages, then the whole of it is taken; it may fail at any page */
  :: d_step { MAY_READ(p) -> process[p].from = durable; process[p].page = 1 }
#ifdef STALE
  :: d_step { MAY_READ(p) && durable > 0 -> process[p].from = durable - 1; process[p].page = 1 }
#endif
  PAGE(p, 1, process[p].read1)
  PAGE(p, 2, process[p].read2)
  :: d_step { process[p].page == 3 ->
       if
       :: process[p].loaded                          /* FILLRACE: over what the rows have made of it */
          -> process[p].member = process[p].read1; process[p].rule = process[p].read2
       :: else ->
          process[p].member = process[p].read1; process[p].rule = process[p].read2;
          process[p].applied = process[p].from; process[p].loaded = 1;
#ifndef NOLIFE
          forsake(p);                                /* an object may be newer than those heads */
#endif
          drain(p)
       fi;
       no_snapshot(p);
       look_at_all() }
  :: d_step { process[p].page > 0 -> no_snapshot(p) }
  /* kill -9; SIGTERM; a start; forgetting everything and loading again */
  :: d_step { process[p].life -> wipe(p); process[p].life = 0 }
  :: d_step { process[p].life -> ending = ending | BIT(process[p].life); wipe(p); process[p].life = 0 }
  :: d_step { !process[p].life && born < LIVES -> start_life(p) }
  :: d_step { process[p].life && born < LIVES -> reload(p) }
  /* a forged row at the next place lets the member in; with signatures it is dropped */
#ifdef FORGED
#ifdef NOVERIFY
  :: d_step { process[p].life && process[p].loaded && process[p].applied < CHANGES ->
       process[p].applied++; process[p].member = process[p].applied; process[p].rule = process[p].applied;
       forget_rows(p); activate(p); report(p); look_at_all() }
#else
  :: d_step { process[p].life && process[p].loaded && process[p].applied < durable && born < LIVES ->
       reload(p) }                                   /* it came as the answer to a fetch */
#endif
#endif
  /* a genuine row of the history that a restored database has lost */
#ifdef OLDROWS
  :: d_step { process[p].life && process[p].loaded && restored && lost_row && !process[p].astray &&
              process[p].applied == backup && backup < CHANGES ->
       process[p].applied++; process[p].astray = 1;
       process[p].member = (lost_present -> process[p].applied : ABSENT); process[p].rule = process[p].member;
       forget_rows(p); activate(p); report(p); look_at_all() }
#endif
  od
}
