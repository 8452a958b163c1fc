/* A request of an admin: the change or the finding that it is made already, then the barrier. */
inline rows_into(set) {
  n = 1;
  do :: n > ROWS -> break :: else -> if :: row[n] == LEASE -> set = set | BIT(n) :: else fi; n++ od;
  n = 0
}

inline commit(b, what, there, concerns) {
  head++;
  present[head] = there;
  if
  :: concerns -> touched[head] = head; acknowledged = 0
  :: else -> touched[head] = touched[head - 1]
  fi;
  writer[b].does = what; writer[b].at = head; writer[b].claim = head;
#ifdef FROMCOMMIT
  writer[b].left = TTL + MARGIN;
#endif
#ifdef HIDDEN_R
  rows_into(writer[b].early);
#endif
#ifndef LAG
  durable = head;
#endif
#ifdef NOBARRIER
  writer[b].step = WAIT
#else
  writer[b].step = COMMITTED
#endif
}

inline found(b, what) {
  writer[b].does = what; writer[b].claim = head; writer[b].step = FOUND;
#ifdef FROMCOMMIT
  writer[b].left = TTL + MARGIN
#endif
}

/* Journal.settle: the majority's head, once it holds the history that the refused transaction saw. */
#ifdef SETTLEBLIND
#define SETTLES(b) true
#define REFUTED(b) false
#else
#define SETTLES(b) (writer[b].claim == UNDONE || durable >= writer[b].claim)
#ifdef SETTLETIME
#define REFUTED(b) false
#else
#define REFUTED(b) (writer[b].claim == UNDONE)
#endif
#endif
inline settle(b) {
  if
  :: REFUTED(b) -> idle(b)                           /* 503 */
  :: else ->
     if :: writer[b].claim == UNDONE -> writer[b].claim = durable :: else fi;
     writer[b].at = durable;
     writer[b].step = READ
  fi
}

/* Barrier.start: the rows, read after the commit; the limit counts from here. */
inline first_rows(b) {
#ifdef HIDDEN_R
  writer[b].wait = writer[b].early; writer[b].early = 0;
#else
  rows_into(writer[b].wait);
#endif
#ifdef ROWPERSLOT
  writer[b].owner = owner;
#endif
  writer[b].same = writer[b].wait;
#ifndef FROMCOMMIT
#ifdef MIXEDTTL
  n = 1;
  do
  :: n > ROWS -> break
  :: else -> if :: row_ttl[n] > writer[b].left -> writer[b].left = row_ttl[n] :: else fi; n++
  od;
  n = 0;
#else
  writer[b].left = TTL + MARGIN;
#endif
#endif
  writer[b].step = WAIT
}

#ifdef ROWPERSLOT
#define GONE(b, x) (row[x] != LEASE || owner != writer[b].owner)
#define FOLLOWS(b, x) (told[writer[b].owner] >= writer[b].at)
#else
#define GONE(b, x) (row[x] != LEASE)
#define FOLLOWS(b, x) (told[x] >= writer[b].at)
#endif
#ifdef DELANY
#define SILENT(b, x) (row[x] == LEASE)
#else
#define SILENT(b, x) (HAS(writer[b].same, x) && (row[x] == LEASE || row[x] == ENDED))
#endif
#ifdef SURE
#define DELETION_FAILS(b, x)
#else
#define DELETION_FAILS(b, x) \
  :: d_step { writer[b].step == EXPIRED && HAS(writer[b].wait, x) -> writer[b].wait = WITHOUT(writer[b].wait, x) }
#endif
#define WAITS_FOR(b, x) \
  :: d_step { writer[b].step == WAIT && HAS(writer[b].wait, x) && (GONE(b, x) || FOLLOWS(b, x)) -> \
       writer[b].wait = WITHOUT(writer[b].wait, x) } \
  :: d_step { writer[b].step == EXPIRED && HAS(writer[b].wait, x) -> \
       if :: SILENT(b, x) -> delete_row(x) :: else fi; writer[b].wait = WITHOUT(writer[b].wait, x) } \
  DELETION_FAILS(b, x)

proctype Request(byte b) {
  do
  :: d_step { writer[b].step == IDLE && head < CHANGES && present[head] -> commit(b, REMOVAL, 0, 1) }
  :: d_step { writer[b].step == IDLE && head < CHANGES && !present[head] -> commit(b, ADDITION, 1, 1) }
  :: d_step { writer[b].step == IDLE && head < CHANGES -> commit(b, UNRELATED, present[head - 1], 0) }
  :: d_step { writer[b].step == COMMITTED && durable >= writer[b].at -> writer[b].step = READ }
  /* 404, 409, or a key that was used before */
  :: d_step { writer[b].step == IDLE && !present[head] -> found(b, REMOVAL) }
#ifdef CONFLICTS
  :: d_step { writer[b].step == IDLE && present[head] && head > 0 -> found(b, ADDITION) }
#endif
#ifdef NOSETTLE
  :: d_step { writer[b].step == FOUND -> writer[b].step = WAIT }
#else
  :: d_step { writer[b].step == FOUND && SETTLES(b) -> settle(b) }
#endif
  :: d_step { writer[b].step == READ -> first_rows(b) }
  WAITS_FOR(b, 1)
#if ROWS > 1
  WAITS_FOR(b, 2)
#endif
#if ROWS > 2
  WAITS_FOR(b, 3)
#endif
#ifndef NOEXPIRE
  :: d_step { writer[b].step == WAIT && writer[b].wait && writer[b].left == 0 -> writer[b].step = EXPIRED }
#endif
  /* the answer; one that was lost or is a 202 promises nothing, like a request that died */
  :: d_step { writer[b].step >= WAIT && !writer[b].wait ->
       if
       :: touched[head] <= writer[b].claim && writer[b].does != UNRELATED -> acknowledged = writer[b].does
       :: else
       fi;
       idle(b);
       look_at_all();
       assert(!(acknowledged == REMOVAL && present[durable])) }      /* P2: the source itself agrees */
#ifndef SURE
  :: d_step { writer[b].step > IDLE -> idle(b) }
#endif
  od
}
